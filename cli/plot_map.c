/* A surface from above: levels, contour lines, and the paths across. */
#include "plot_map.h"

#include "plot_rings.h"
#include "plot_tags.h"

#include <math.h>
#include <stdint.h>

#define RING_TOLERANCE 0.12 /* a bend of a contour line that is so small is left out */
#define PATH_TOLERANCE 0.4  /* nor does a path go where it moves by less */
#define CALM 2.0            /* paths so many times longer than the stretch they cover are drawn in full breadth */

/* ---- the surface ---------------------------------------------------------------------------------- */

static void clip_to_map(const struct canvas *canvas)
{
    cairo_save(canvas->cairo);
    cairo_rectangle(canvas->cairo, canvas->x.first, canvas->y.last, canvas->x.last - canvas->x.first,
                    canvas->y.first - canvas->y.last);
    cairo_clip(canvas->cairo);
}

struct ring_pen {
    const struct canvas *canvas;
};

static struct place place_of_ring(const struct canvas *canvas, const struct ring_point *point)
{
    return (struct place){
        canvas->x.first + (canvas->x.last - canvas->x.first) * point->column / (MAP_COLUMNS - 1),
        canvas->y.first + (canvas->y.last - canvas->y.first) * point->row / (MAP_ROWS - 1),
    };
}

/* Whether b lies so near to the straight way from a to c that it can be left out. */
static bool is_straight(struct place a, struct place b, struct place c)
{
    const double length = hypot(c.x - a.x, c.y - a.y);
    const double area = fabs((b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x));
    return area <= RING_TOLERANCE * length && length < 24;
}

static void trace_ring(void *context, const struct ring_point *points, size_t count)
{
    const struct canvas *const canvas = ((const struct ring_pen *)context)->canvas;
    struct place anchor = place_of_ring(canvas, &points[0]);
    cairo_move_to(canvas->cairo, anchor.x, anchor.y);
    for (size_t i = 1; i < count; ++i) {
        const struct place place = place_of_ring(canvas, &points[i]);
        if (i + 1 < count && is_straight(anchor, place, place_of_ring(canvas, &points[i + 1])))
            continue;
        cairo_line_to(canvas->cairo, place.x, place.y);
        anchor = place;
    }
    cairo_close_path(canvas->cairo);
}

static struct color mix(struct color a, struct color b, double share)
{
    return (struct color){a.red + share * (b.red - a.red), a.green + share * (b.green - a.green),
                          a.blue + share * (b.blue - a.blue)};
}

/* Each level's ground over that of the one below, and its line. Where there is no height, there is the grid's grey. */
static void draw_surface(const struct canvas *canvas, const struct plot_map *map)
{
    const struct ring_grid grid = {.heights = map->heights, .columns = MAP_COLUMNS, .rows = MAP_ROWS};
    const struct theme *const theme = canvas->theme;
    struct ring_pen pen = {.canvas = canvas};
    clip_to_map(canvas);
    set_color(canvas, theme->grid, 1);
    cairo_paint(canvas->cairo);
    for (size_t i = 0; i <= map->level_count; ++i) {
        const double level = i > 0 ? map->levels[i - 1] : -(double)INFINITY;
        const double share = (double)i / (double)(map->level_count > 0 ? map->level_count : 1);
        if (!rings_trace(&grid, level, trace_ring, &pen))
            break;
        set_color(canvas, mix(theme->valley, theme->peak, share), 1);
        cairo_fill_preserve(canvas->cairo);
        set_color(canvas, mix(theme->peak, theme->muted, 0.35), i > 0 ? 0.55 : 0);
        cairo_set_line_width(canvas->cairo, 0.8);
        cairo_stroke(canvas->cairo);
    }
    cairo_restore(canvas->cairo);
}

/* ---- the paths ------------------------------------------------------------------------------------ */

static struct place place_on_map(const struct canvas *canvas, const double place[2])
{
    return (struct place){plot_place(&canvas->x, place[0]), plot_place(&canvas->y, place[1])};
}

static bool is_on_map(const struct plot_map *map, const double place[2])
{
    return place[0] >= map->low[0] && place[0] <= map->high[0] && place[1] >= map->low[1] && place[1] <= map->high[1];
}

/* How many points of a path are shown: those up to the first that is not finite, or as many as there is time for. */
size_t plot_path_count(const struct plot_map *map, const struct plot_path *path)
{
    size_t count = 0;
    while (count < path->count && count < map->shown && isfinite(path->places[count][0]) &&
           isfinite(path->places[count][1]))
        ++count;
    return count;
}

/* Goes along a path as far as it lies near the map: what is far outside, cairo's numbers may not hold. */
static void trace_path(const struct canvas *canvas, const struct plot_map *map, const struct plot_path *path)
{
    const double air = 20;
    const struct box box = {canvas->x.first - air, canvas->y.last - air, canvas->x.last + air, canvas->y.first + air};
    const size_t count = plot_path_count(map, path);
    struct place last = {0};
    bool open = false; /* the line has been drawn up to last */
    for (size_t i = 0; i < count; ++i) {
        const struct place place = place_on_map(canvas, path->places[i]);
        if (i > 0 && i + 1 < count && hypot(place.x - last.x, place.y - last.y) < PATH_TOLERANCE)
            continue;
        struct place from = last;
        struct place to = place;
        const bool near = i > 0 && cut_to_box(&box, &from, &to);
        if (near && !open)
            cairo_move_to(canvas->cairo, from.x, from.y);
        if (near)
            cairo_line_to(canvas->cairo, to.x, to.y);
        open = near && !(to.x < place.x || to.x > place.x || to.y < place.y || to.y > place.y);
        last = place;
    }
}

bool plot_paths_solid(const struct plot_map *map)
{
    size_t i = 0;
    while (i < map->path_count && map->paths[i].dash == PLOT_SOLID)
        ++i;
    return i == map->path_count;
}

double plot_path_breadth(const struct plot_map *map, size_t index)
{
    const size_t after = map->path_count - 1 - index;
    return after > 0 ? 2.4 * (double)after / (double)(map->path_count - 1) : 0;
}

/* How many times longer a path is than the stretch of the picture that it covers. */
static double wandering(const struct plot_map *map, const struct plot_path *path)
{
    const double size[2] = {MAP_RIGHT - MAP_LEFT, MAP_BOTTOM - MAP_TOP};
    double last[2] = {0}, least[2] = {size[0], size[1]}, most[2] = {0};
    double length = 0;
    for (size_t i = 0; i < path->count && isfinite(path->places[i][0]) && isfinite(path->places[i][1]); ++i) {
        double place[2];
        for (size_t k = 0; k < 2; ++k) {
            const double share = (path->places[i][k] - map->low[k]) / (map->high[k] - map->low[k]);
            place[k] = size[k] * fmin(fmax(share, 0), 1);
            least[k] = fmin(least[k], place[k]);
            most[k] = fmax(most[k], place[k]);
        }
        length += i > 0 ? hypot(place[0] - last[0], place[1] - last[1]) : 0;
        last[0] = place[0];
        last[1] = place[1];
    }
    const double covered = hypot(most[0] - least[0], most[1] - least[1]);
    return covered > 0 ? length / covered : 1;
}

/* What goes to and fro is drawn finer, and lets what lies below be seen. It is the same for all frames of a film. */
struct path_pen plot_path_pen(const struct plot_map *map, size_t index)
{
    const double calm = fmin(1, CALM / wandering(map, &map->paths[index]));
    return (struct path_pen){.width = 1 + calm * (1 + plot_path_breadth(map, index)), .opacity = 0.5 + 0.5 * calm};
}

static void draw_path(const struct canvas *canvas, const struct plot_map *map, size_t index)
{
    const struct plot_path *path = &map->paths[index];
    const struct path_pen pen = plot_path_pen(map, index);
    clip_to_map(canvas);
    trace_path(canvas, map, path);
    set_color(canvas, canvas->theme->background, 1.2 * pen.opacity - 0.6);
    cairo_set_line_width(canvas->cairo, pen.width + 2);
    cairo_stroke_preserve(canvas->cairo);
    set_color(canvas, canvas->theme->lines[path->color % THEME_COLORS], pen.opacity);
    cairo_set_line_width(canvas->cairo, pen.width);
    set_dash(canvas->cairo, print_dash(canvas, path->dash, index, plot_paths_solid(map)));
    cairo_stroke(canvas->cairo);
    cairo_restore(canvas->cairo);
}

/* ---- marks ---------------------------------------------------------------------------------------- */

/* Five points, one up. */
void draw_star(const struct canvas *canvas, struct place place, double radius)
{
    cairo_new_path(canvas->cairo);
    for (int i = 0; i < 10; ++i) {
        const double length = i % 2 ? 0.42 * radius : radius;
        const double angle = (i - 2.5) * CIRCLE / 10;
        cairo_line_to(canvas->cairo, place.x + length * cos(angle), place.y + length * sin(angle));
    }
    cairo_close_path(canvas->cairo);
    set_color(canvas, canvas->theme->background, 1);
    cairo_set_line_width(canvas->cairo, 2.5);
    cairo_stroke_preserve(canvas->cairo);
    set_color(canvas, canvas->theme->text, 1);
    cairo_fill(canvas->cairo);
}

/* Where a path ends: a dot, or a cross where it ended in nothing. */
void draw_end(const struct canvas *canvas, struct place place, double breadth, struct color color, bool diverged)
{
    if (diverged) {
        draw_cross(canvas, place, CROSS_ARM + 1, color);
        return;
    }
    cairo_new_path(canvas->cairo);
    cairo_arc(canvas->cairo, place.x, place.y, 3.8 + 1.1 * breadth, 0, CIRCLE);
    set_color(canvas, canvas->theme->background, 1);
    cairo_set_line_width(canvas->cairo, 2);
    cairo_stroke_preserve(canvas->cairo);
    set_color(canvas, color, 1);
    cairo_fill(canvas->cairo);
}

static void draw_marks(const struct canvas *canvas, const struct plot_map *map)
{
    for (size_t i = 0; i < map->path_count; ++i)
        if (map->paths[i].count > 0 && is_on_map(map, map->paths[i].places[0]))
            draw_ring(canvas, place_on_map(canvas, map->paths[i].places[0]), START_RADIUS, canvas->theme->text);
    for (size_t i = 0; i < map->path_count; ++i) {
        const struct plot_path *path = &map->paths[i];
        const size_t count = plot_path_count(map, path);
        if (count > 1 && is_on_map(map, path->places[count - 1]))
            draw_end(canvas, place_on_map(canvas, path->places[count - 1]), plot_path_breadth(map, i),
                     canvas->theme->lines[path->color % THEME_COLORS], path->diverged && count == path->count);
    }
    for (size_t i = 0; i < map->minimum_count; ++i)
        if (is_on_map(map, map->minima[i]))
            draw_star(canvas, place_on_map(canvas, map->minima[i]), STAR_RADIUS);
}

/* ---- names ---------------------------------------------------------------------------------------- */

/* Goes along a path until it leaves the map, and calls visit with each straight part. */
typedef void part_visitor(void *context, struct place from, struct place to);
static void visit_parts(const struct canvas *canvas, const struct plot_map *map, const struct plot_path *path,
                        part_visitor *visit, void *context)
{
    const struct box box = {canvas->x.first, canvas->y.last, canvas->x.last, canvas->y.first};
    const size_t count = plot_path_count(map, path);
    for (size_t i = 0; i < count && is_on_map(map, path->places[i]); ++i) {
        struct place from = place_on_map(canvas, path->places[i]);
        struct place to = i + 1 < count ? place_on_map(canvas, path->places[i + 1]) : from;
        (void)cut_to_box(&box, &from, &to);
        visit(context, from, to);
    }
}

static void add_length(void *context, struct place from, struct place to)
{
    *(double *)context += hypot(to.x - from.x, to.y - from.y);
}

struct sampling {
    struct tag *tag;
    double step, left; /* between points; to the next one */
};

static void add_points(void *context, struct place from, struct place to)
{
    struct sampling *const sampling = context;
    const double length = hypot(to.x - from.x, to.y - from.y);
    double way = sampling->left;
    while (way <= length && sampling->tag->way_count < TAG_WAY_MAX) {
        const double share = length > 0 ? way / length : 0;
        sampling->tag->way[sampling->tag->way_count++] =
            (struct place){from.x + share * (to.x - from.x), from.y + share * (to.y - from.y)};
        way += sampling->step;
    }
    sampling->left = way - length;
}

/* What is on the map of a path, up to where it leaves: points at even distances. */
static void find_way(const struct canvas *canvas, const struct plot_map *map, const struct plot_path *path,
                     struct tag *tag)
{
    double length = 0;
    visit_parts(canvas, map, path, add_length, &length);
    struct sampling sampling = {.tag = tag, .step = fmax(length / (TAG_WAY_MAX - 1), 1)};
    visit_parts(canvas, map, path, add_points, &sampling);
}

static struct box around(struct place place, double radius)
{
    return (struct box){place.x - radius, place.y - radius, place.x + radius, place.y + radius};
}

static void draw_names(const struct canvas *canvas, const struct plot_map *map)
{
    struct tag tags[PLOT_LINES_MAX];
    struct box obstacles[PLOT_LINES_MAX + 8];
    const struct box area = {canvas->x.first + 4, canvas->y.last + 4, canvas->x.last - 4, canvas->y.first - 4};
    const char *missing[PLOT_LINES_MAX];
    size_t missing_count = 0;
    size_t count = 0;
    size_t obstacle_count = 0;
    for (size_t i = 0; i < map->path_count; ++i) {
        const struct plot_path *path = &map->paths[i];
        struct tag *const tag = &tags[count];
        *tag = (struct tag){
            .name = path->name, .detail = path->detail, .color = canvas->theme->lines[path->color % THEME_COLORS]};
        find_way(canvas, map, path, tag);
        if (tag->way_count > 0)
            ++count;
        else
            missing[missing_count++] = path->name;
        if (path->count > 0)
            obstacles[obstacle_count++] = around(place_on_map(canvas, path->places[0]), START_RADIUS + 2);
    }
    for (size_t i = 0; i < map->minimum_count; ++i)
        obstacles[obstacle_count++] = around(place_on_map(canvas, map->minima[i]), STAR_RADIUS + 1);
    draw_tags(canvas, tags, count, &area, obstacles, obstacle_count);
    draw_missing(canvas, missing, missing_count, canvas->x.first, canvas->y.first + 42);
}

/* ---- the frame ------------------------------------------------------------------------------------ */

/* What the marks stand for, from x on. */
double draw_map_key(const struct canvas *canvas, const struct plot_map *map, double x, double baseline)
{
    const double middle = baseline - 4;
    const double gap = 22;
    draw_ring(canvas, (struct place){x, middle}, START_RADIUS - 1, canvas->theme->text);
    set_color(canvas, canvas->theme->muted, 1);
    x = draw_text(canvas, x + 11, baseline, 0, "start") + gap;
    draw_end(canvas, (struct place){x, middle}, 0.5, canvas->theme->muted, false);
    x = draw_text(canvas, x + 11, baseline, 0, "end") + gap;
    if (map->minimum_count > 0) {
        draw_star(canvas, (struct place){x, middle}, STAR_RADIUS - 1);
        set_color(canvas, canvas->theme->muted, 1);
        x = draw_text(canvas, x + 12, baseline, 0, map->minimum_count == 1 ? "minimum" : "minima") + gap;
    }
    return x;
}

static void draw_frame(const struct canvas *canvas)
{
    struct plot_tick ticks[PLOT_TICKS_MAX];
    cairo_set_line_width(canvas->cairo, 1);
    set_font(canvas, TEXT_SIZE, false);
    set_color(canvas, canvas->theme->muted, 1);
    cairo_rectangle(canvas->cairo, canvas->x.first - 0.5, canvas->y.last - 0.5, canvas->x.last - canvas->x.first + 1,
                    canvas->y.first - canvas->y.last + 1);
    cairo_stroke(canvas->cairo);
    const size_t rows = plot_ticks(&canvas->y, 8, ticks);
    for (size_t i = 0; i < rows; ++i) {
        const double y = round(plot_place(&canvas->y, ticks[i].value)) + 0.5;
        stroke_segment(canvas, canvas->x.first - 6, y, canvas->x.first - 1, y);
        (void)draw_text(canvas, canvas->x.first - 10, y + 4, 1, ticks[i].label);
    }
    const size_t columns = plot_ticks(&canvas->x, 9, ticks);
    for (size_t i = 0; i < columns; ++i) {
        const double x = round(plot_place(&canvas->x, ticks[i].value)) + 0.5;
        stroke_segment(canvas, x, canvas->y.first + 1, x, canvas->y.first + 6);
        (void)draw_text(canvas, x, canvas->y.first + 21, 0.5, ticks[i].label);
    }
    (void)draw_text(canvas, (canvas->x.first + canvas->x.last) / 2, canvas->y.first + 42, 0.5, "x");
    (void)draw_text(canvas, MARGIN, (canvas->y.first + canvas->y.last) / 2 + 4, 0, "y");
}

void draw_map(struct canvas *canvas, const struct plot_map *map, enum map_part part)
{
    canvas->x = (struct plot_axis){.least = map->low[0], .most = map->high[0], .first = MAP_LEFT, .last = MAP_RIGHT};
    canvas->y = (struct plot_axis){.least = map->low[1], .most = map->high[1], .first = MAP_BOTTOM, .last = MAP_TOP};
    if (part != MAP_MOVING) {
        draw_title(canvas, map->title, map->subtitle);
        (void)draw_map_key(canvas, map, MAP_LEFT + START_RADIUS, MAP_TOP - 14);
        draw_surface(canvas, map);
        draw_frame(canvas);
    }
    if (part == MAP_GROUND)
        return;
    cairo_set_line_join(canvas->cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(canvas->cairo, CAIRO_LINE_CAP_ROUND);
    for (size_t i = 0; i < map->path_count; ++i)
        draw_path(canvas, map, i);
    draw_marks(canvas, map);
    if (part == MAP_WHOLE)
        draw_names(canvas, map);
}

static void draw_whole(struct canvas *canvas, const void *context)
{
    draw_map(canvas, context, MAP_WHOLE);
}

bool plot_map_write(const struct plot_map *map, const char *folder, const char *name, struct text *written)
{
    const struct picture picture = {
        .title = map->title,
        .subtitle = map->subtitle,
        .width = MAP_WIDTH,
        .height = MAP_HEIGHT,
        .draw = draw_whole,
        .context = map,
    };
    return picture_write(&picture, folder, name, written);
}
