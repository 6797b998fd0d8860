/* Names put beside what they name. */
#include "plot_tags.h"

#include <math.h>

#define TAGS_MAX (PLOT_LINES_MAX + 1)
#define TAG_HEIGHT 16.0
#define TAG_AIR 3.0
#define COVER_COST 14.0    /* for each piece of a way that a name covers, in pixels of distance */
#define LEADER_LENGTH 14.0 /* nearer names need none */

/* Where a name may go: away from a point of its way, in a direction. */
struct spot {
    struct place point;
    struct box box;
    double cost;
};

struct layout {
    const struct canvas *canvas;
    const struct tag *tags;
    size_t tag_count;
    const struct box *area, *obstacles;
    size_t obstacle_count;
    struct spot chosen[TAGS_MAX];
    bool placed[TAGS_MAX];
};

static double width_of(const struct canvas *canvas, const struct tag *tag)
{
    cairo_text_extents_t name, detail;
    set_font(canvas, LABEL_SIZE, true);
    cairo_text_extents(canvas->cairo, tag->name, &name);
    set_font(canvas, TEXT_SIZE, false);
    cairo_text_extents(canvas->cairo, tag->detail, &detail);
    return name.x_advance + (tag->detail[0] != '\0' ? DETAIL_INDENT + detail.x_advance : 0);
}

static bool overlap(const struct box *a, const struct box *b)
{
    return a->left < b->right && b->left < a->right && a->top < b->bottom && b->top < a->bottom;
}

static bool is_within(const struct box *box, const struct box *area)
{
    return box->left >= area->left && box->right <= area->right && box->top >= area->top && box->bottom <= area->bottom;
}

/* How many pieces of ways a name would cover; no more are counted than make it worse than what is known. */
static double covered(const struct layout *layout, const struct box *box, double enough)
{
    double count = 0;
    for (size_t i = 0; i < layout->tag_count && count < enough; ++i)
        for (size_t k = 0; k < layout->tags[i].way_count; ++k) {
            struct place from = layout->tags[i].way[k > 0 ? k - 1 : 0];
            struct place to = layout->tags[i].way[k];
            count += cut_to_box(box, &from, &to);
        }
    return count;
}

/* How far it is from a point to the nearest other way. */
static double apartness(const struct layout *layout, size_t own, struct place point)
{
    double least = 60;
    for (size_t i = 0; i < layout->tag_count; ++i)
        for (size_t k = 0; i != own && k < layout->tags[i].way_count; ++k)
            least = fmin(least, hypot(point.x - layout->tags[i].way[k].x, point.y - layout->tags[i].way[k].y));
    return least;
}

/* What speaks against a spot, of which `enough` is already too much; infinite where it must not be. */
static double cost_of(const struct layout *layout, const struct box *box, double enough)
{
    double cost = 0;
    if (!is_within(box, layout->area))
        return (double)INFINITY;
    for (size_t i = 0; i < layout->tag_count; ++i)
        if (layout->placed[i] && overlap(box, &layout->chosen[i].box))
            return (double)INFINITY;
    for (size_t i = 0; i < layout->obstacle_count; ++i)
        cost += overlap(box, &layout->obstacles[i]) ? 400 : 0;
    return cost < enough ? cost + COVER_COST * covered(layout, box, (enough - cost) / COVER_COST) : cost;
}

static struct box box_at(struct place point, double angle, double distance, double width)
{
    const double x = point.x + cos(angle) * (distance + width / 2);
    const double y = point.y + sin(angle) * (distance + TAG_HEIGHT / 2);
    return (struct box){x - width / 2 - TAG_AIR, y - TAG_HEIGHT / 2, x + width / 2 + TAG_AIR, y + TAG_HEIGHT / 2};
}

static struct spot best_spot(const struct layout *layout, size_t own)
{
    static const double distances[] = {6, 16, 30, 48, 72, 104, 144, 200};
    const struct tag *tag = &layout->tags[own];
    const double width = width_of(layout->canvas, tag);
    struct spot best = {.cost = (double)INFINITY};
    for (size_t k = 0; k < tag->way_count; ++k) {
        const double near = 60 - apartness(layout, own, tag->way[k]);
        for (size_t d = 0; d < sizeof distances / sizeof distances[0]; ++d)
            for (int direction = 0; direction < 8; ++direction) {
                const struct box box = box_at(tag->way[k], direction * CIRCLE / 8, distances[d], width);
                const double aside = near + 0.6 * distances[d];
                const double cost = aside < best.cost ? aside + cost_of(layout, &box, best.cost - aside) : aside;
                if (cost < best.cost)
                    best = (struct spot){tag->way[k], box, cost};
            }
    }
    return best;
}

/* Text with a rim of the background, so that it can be read on anything. */
static double draw_rimmed(const struct canvas *canvas, double x, double baseline, const char *text, struct color color)
{
    cairo_t *const cairo = canvas->cairo;
    cairo_text_extents_t extents;
    cairo_text_extents(cairo, text, &extents);
    cairo_move_to(cairo, x, baseline);
    cairo_text_path(cairo, text);
    set_color(canvas, canvas->theme->background, 0.85);
    cairo_set_line_width(cairo, 4);
    cairo_stroke_preserve(cairo);
    set_color(canvas, color, 1);
    cairo_fill(cairo);
    return x + extents.x_advance;
}

static void draw_leader(const struct canvas *canvas, const struct spot *spot, struct color color)
{
    const double x = fmin(fmax(spot->point.x, spot->box.left), spot->box.right);
    const double y = fmin(fmax(spot->point.y, spot->box.top + 2), spot->box.bottom - 2);
    if (hypot(spot->point.x - x, spot->point.y - y) < LEADER_LENGTH)
        return;
    set_color(canvas, color, 0.7);
    cairo_set_line_width(canvas->cairo, 1);
    stroke_segment(canvas, spot->point.x, spot->point.y, x, y);
}

static void draw_tag(const struct canvas *canvas, const struct tag *tag, const struct spot *spot)
{
    const double baseline = spot->box.bottom - 4;
    set_font(canvas, LABEL_SIZE, true);
    const double end = draw_rimmed(canvas, spot->box.left + TAG_AIR, baseline, tag->name, tag->color);
    set_font(canvas, TEXT_SIZE, false);
    if (tag->detail[0] != '\0')
        (void)draw_rimmed(canvas, end + DETAIL_INDENT, baseline, tag->detail, canvas->theme->muted);
}

void draw_tags(const struct canvas *canvas, const struct tag *tags, size_t tag_count, const struct box *area,
               const struct box *obstacles, size_t obstacle_count)
{
    struct layout layout = {.canvas = canvas,
                            .tags = tags,
                            .tag_count = tag_count,
                            .area = area,
                            .obstacles = obstacles,
                            .obstacle_count = obstacle_count};
    cairo_set_line_join(canvas->cairo, CAIRO_LINE_JOIN_ROUND);
    for (size_t i = 0; i < tag_count; ++i) {
        layout.chosen[i] = best_spot(&layout, i);
        layout.placed[i] = isfinite(layout.chosen[i].cost);
        if (layout.placed[i])
            draw_leader(canvas, &layout.chosen[i], tags[i].color);
    }
    for (size_t i = 0; i < tag_count; ++i)
        if (layout.placed[i])
            draw_tag(canvas, &tags[i], &layout.chosen[i]);
}

void draw_missing(const struct canvas *canvas, const char *const *names, size_t count, double x, double baseline)
{
    if (count == 0)
        return;
    set_color(canvas, canvas->theme->muted, 1);
    set_font(canvas, TEXT_SIZE, false);
    x = draw_text(canvas, x, baseline, 0, "not to be seen here:");
    for (size_t i = 0; i < count; ++i) {
        x = draw_text(canvas, x + DETAIL_INDENT, baseline, 0, names[i]);
        x = i + 1 < count ? draw_text(canvas, x, baseline, 0, ",") : x;
    }
}
