/* What the parts of a chart draw with, and where on it marks go. */
#include "plot_canvas.h"

#include <math.h>

bool drawable(const struct canvas *canvas, double value)
{
    return isfinite(value) && (canvas->plot->y_linear || canvas->plot->y_floor > 0 || value > 0);
}

void set_color(const struct canvas *canvas, struct color color, double opacity)
{
    cairo_set_source_rgba(canvas->cairo, color.red, color.green, color.blue, opacity);
}

void begin_clip(const struct canvas *canvas)
{
    cairo_save(canvas->cairo);
    const double air = 3; /* to the sides, for the ends of lines */
    cairo_rectangle(canvas->cairo, canvas->x.first - air, canvas->y.last, canvas->x.last - canvas->x.first + 2 * air,
                    canvas->y.first - canvas->y.last);
    cairo_clip(canvas->cairo);
}

struct color line_color(const struct canvas *canvas, const struct plot_line *line)
{
    return canvas->theme->lines[line->color % THEME_COLORS];
}

/* Writes text whose left (0), middle (0.5) or right (1) is at x. Returns where it ends. */
double draw_text(const struct canvas *canvas, double x, double baseline, double anchor, const char *text)
{
    cairo_text_extents_t extents;
    cairo_text_extents(canvas->cairo, text, &extents);
    const double left = x - anchor * extents.x_advance;
    cairo_move_to(canvas->cairo, left, baseline);
    cairo_show_text(canvas->cairo, text);
    cairo_new_path(canvas->cairo); /* showing text leaves a current point, which a line would begin at */
    return left + extents.x_advance;
}

void set_font(const struct canvas *canvas, double size, bool bold)
{
    cairo_select_font_face(canvas->cairo, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(canvas->cairo, size);
}

void set_dash(cairo_t *cairo, enum plot_dash dash)
{
    static const struct {
        double lengths[4];
        int count;
    } patterns[PLOT_DASH_COUNT] = {
        [PLOT_DASHED] = {{7, 6}, 2},
        [PLOT_DOTTED] = {{0.1, 5}, 2},
        [PLOT_MIXED] = {{9, 5, 0.1, 5}, 4},
    };
    cairo_set_dash(cairo, patterns[dash].lengths, patterns[dash].count, 0);
}

enum plot_dash print_dash(const struct canvas *canvas, enum plot_dash dash, size_t index, bool all_solid)
{
    return canvas->theme->print && all_solid ? (enum plot_dash)(index % PLOT_DASH_COUNT) : dash;
}

void stroke_segment(const struct canvas *canvas, double x0, double y0, double x1, double y1)
{
    cairo_move_to(canvas->cairo, x0, y0);
    cairo_line_to(canvas->cairo, x1, y1);
    cairo_stroke(canvas->cairo);
}

void draw_dot(const struct canvas *canvas, struct place place, struct color color)
{
    cairo_new_path(canvas->cairo);
    cairo_arc(canvas->cairo, place.x, place.y, DOT_RADIUS, 0, CIRCLE);
    set_color(canvas, color, 1);
    cairo_fill(canvas->cairo);
}

/* Points down: what it stands for lies lower still. */
void draw_wedge(const struct canvas *canvas, struct place place, struct color color)
{
    cairo_new_path(canvas->cairo);
    cairo_move_to(canvas->cairo, place.x - WEDGE_SIZE, place.y - WEDGE_SIZE);
    cairo_line_to(canvas->cairo, place.x + WEDGE_SIZE, place.y - WEDGE_SIZE);
    cairo_line_to(canvas->cairo, place.x, place.y + WEDGE_SIZE / 2);
    cairo_close_path(canvas->cairo);
    set_color(canvas, color, 1);
    cairo_fill(canvas->cairo);
}

void draw_ring(const struct canvas *canvas, struct place place, double radius, struct color color)
{
    cairo_new_path(canvas->cairo);
    cairo_arc(canvas->cairo, place.x, place.y, radius, 0, CIRCLE);
    set_color(canvas, canvas->theme->background, 1);
    cairo_fill_preserve(canvas->cairo);
    set_color(canvas, color, 1);
    cairo_set_line_width(canvas->cairo, 2.5);
    cairo_stroke(canvas->cairo);
}

void draw_cross(const struct canvas *canvas, struct place place, double arm, struct color color)
{
    set_color(canvas, color, 1);
    cairo_set_line_width(canvas->cairo, 1.8);
    stroke_segment(canvas, place.x - arm, place.y - arm, place.x + arm, place.y + arm);
    stroke_segment(canvas, place.x - arm, place.y + arm, place.x + arm, place.y - arm);
}

/* What a logarithmic axis has no place for lies below the picture. */
double height_of(const struct canvas *canvas, double value)
{
    return canvas->y.logarithmic && !(value > 0) ? canvas->y.first + HEIGHT : plot_place(&canvas->y, value);
}

struct place place_of(const struct canvas *canvas, const struct plot_line *line, size_t point)
{
    const double height = height_of(canvas, line->y[point]);
    return (struct place){plot_place(&canvas->x, line->x[point]),
                          is_below(canvas, line, point) ? canvas->y.first : height};
}

bool are_near(struct place a, struct place b, double distance)
{
    return hypot(a.x - b.x, a.y - b.y) < distance;
}

/* After Liang and Barsky: what of the way lies beyond each side is cut off. */
bool cut_to_box(const struct box *box, struct place *a, struct place *b)
{
    const struct place from = *a;
    const double to[] = {b->x - a->x, a->x - b->x, b->y - a->y, a->y - b->y};
    const double room[] = {box->right - a->x, a->x - box->left, box->bottom - a->y, a->y - box->top};
    double first = 0;
    double last = 1;
    for (size_t i = 0; i < 4; ++i) {
        if (to[i] > 0)
            last = fmin(last, room[i] / to[i]);
        else if (to[i] < 0)
            first = fmax(first, room[i] / to[i]);
        else if (!(room[i] >= 0))
            return false;
    }
    if (first > 0)
        *a = (struct place){from.x + first * to[0], from.y + first * to[2]};
    if (last < 1)
        *b = (struct place){from.x + last * to[0], from.y + last * to[2]};
    return first <= last;
}

/* Where the way from a to b crosses the upper edge of the chart. */
struct place edge_place(const struct canvas *canvas, struct place a, struct place b)
{
    const double share = (canvas->y.last - a.y) / (b.y - a.y);
    return (struct place){a.x + share * (b.x - a.x), canvas->y.last};
}

/* How many points there are up to the last that can be drawn. */
size_t drawn_count(const struct canvas *canvas, const struct plot_line *line)
{
    size_t count = line->count;
    while (count > 0 && !drawable(canvas, line->y[count - 1]))
        --count;
    return count;
}

/* Whether a point lies above the chart: too high, or failed. */
bool is_above(const struct canvas *canvas, const struct plot_line *line, size_t point)
{
    return (drawable(canvas, line->y[point]) && line->y[point] > canvas->y.most) ||
           (line->failed && line->failed[point]);
}

/* Whether a point that has a mark lies below the chart, so that the mark goes to its lower edge. */
bool is_below(const struct canvas *canvas, const struct plot_line *line, size_t point)
{
    return canvas->y.logarithmic && line->points && drawable(canvas, line->y[point]) &&
           line->y[point] < canvas->y.least;
}

bool has_cross(const struct canvas *canvas, const struct plot_line *line, size_t point)
{
    return (line->failed && line->failed[point]) || (line->cut_short && point + 1 == drawn_count(canvas, line));
}

bool has_ring(const struct canvas *canvas, const struct plot_line *line, size_t point)
{
    return point == line->special && drawable(canvas, line->y[point]);
}

bool is_strong(const struct canvas *canvas, const struct plot_line *line, size_t point)
{
    return line->strong && line->strong[point] && drawable(canvas, line->y[point]);
}

bool has_dot_above(const struct canvas *canvas, const struct plot_line *line, size_t point)
{
    return is_above(canvas, line, point) && !has_cross(canvas, line, point);
}

/* The first point of a line that passes; its count if none does. */
size_t first_point(const struct canvas *canvas, const struct plot_line *line, point_test *passes)
{
    size_t point = 0;
    while (point < line->count && !passes(canvas, line, point))
        ++point;
    return point;
}

/* How many lines have a point that passes. */
size_t count_lines(const struct canvas *canvas, point_test *passes)
{
    size_t count = 0;
    for (size_t i = 0; i < canvas->plot->line_count; ++i)
        count += first_point(canvas, &canvas->plot->lines[i], passes) < canvas->plot->lines[i].count;
    return count;
}

/* Where a line whose point `first` is the first above the chart leaves it. */
struct place leaving_place(const struct canvas *canvas, const struct plot_line *line, size_t first)
{
    if (first == 0 || !drawable(canvas, line->y[first - 1]))
        return (struct place){plot_place(&canvas->x, line->x[first]), canvas->y.last};
    const struct place from = place_of(canvas, line, first - 1);
    return drawable(canvas, line->y[first]) ? edge_place(canvas, from, place_of(canvas, line, first)) : from;
}

/* Lines that leave early get the upper rows, so that their ways do not cross. */
static size_t row_of(const struct canvas *canvas, const struct plot_line *line)
{
    const struct plot_line *lines = canvas->plot->lines;
    const double own = leaving_place(canvas, line, first_point(canvas, line, is_above)).x;
    size_t row = 0;
    for (size_t i = 0; i < canvas->plot->line_count; ++i) {
        const size_t first = first_point(canvas, &lines[i], is_above);
        if (first == lines[i].count)
            continue;
        const double other = leaving_place(canvas, &lines[i], first).x;
        row += other < own || (!(other > own) && &lines[i] < line);
    }
    return row;
}

/* Many rows move together, so that the chart keeps its room. */
double row_gap(const struct canvas *canvas)
{
    return fmin(LABEL_GAP, ROWS_ROOM / fmax((double)count_lines(canvas, is_above), 1));
}

double row_place(const struct canvas *canvas, const struct plot_line *line)
{
    return AREA_TOP + row_gap(canvas) * ((double)row_of(canvas, line) + 0.5);
}

/* Where the mark of a point goes: at the point, or in the line's row above the chart. */
struct place mark_place(const struct canvas *canvas, const struct plot_line *line, size_t point)
{
    if (is_above(canvas, line, point))
        return (struct place){plot_place(&canvas->x, line->x[point]), row_place(canvas, line)};
    return place_of(canvas, line, point);
}
