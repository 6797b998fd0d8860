/* What the parts of a chart draw with, and where on it marks go. */
#include "plot_canvas.h"

#include <math.h>

bool drawable(double value)
{
    return isfinite(value) && value > 0;
}

void set_color(const struct canvas *canvas, struct color color, double opacity)
{
    cairo_set_source_rgba(canvas->cairo, color.red, color.green, color.blue, opacity);
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

void stroke_segment(const struct canvas *canvas, double x0, double y0, double x1, double y1)
{
    cairo_move_to(canvas->cairo, x0, y0);
    cairo_line_to(canvas->cairo, x1, y1);
    cairo_stroke(canvas->cairo);
}

struct place place_of(const struct canvas *canvas, const struct plot_line *line, size_t point)
{
    return (struct place){plot_place(&canvas->x, line->x[point]), plot_place(&canvas->y, line->y[point])};
}

bool are_near(struct place a, struct place b, double distance)
{
    return hypot(a.x - b.x, a.y - b.y) < distance;
}

/* Where the way from a to b crosses the upper edge of the chart. */
struct place edge_place(const struct canvas *canvas, struct place a, struct place b)
{
    const double share = (canvas->y.last - a.y) / (b.y - a.y);
    return (struct place){a.x + share * (b.x - a.x), canvas->y.last};
}

/* How many points there are up to the last that can be drawn. */
size_t drawn_count(const struct plot_line *line)
{
    size_t count = line->count;
    while (count > 0 && !drawable(line->y[count - 1]))
        --count;
    return count;
}

/* Whether a point lies above the chart: too high, or failed. */
bool is_above(const struct canvas *canvas, const struct plot_line *line, size_t point)
{
    return (drawable(line->y[point]) && line->y[point] > canvas->y.most) || (line->failed && line->failed[point]);
}

bool has_cross(const struct canvas *canvas, const struct plot_line *line, size_t point)
{
    (void)canvas;
    return (line->failed && line->failed[point]) || (line->cut_short && point + 1 == drawn_count(line));
}

bool has_ring(const struct canvas *canvas, const struct plot_line *line, size_t point)
{
    (void)canvas;
    return point == line->special && drawable(line->y[point]);
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
    if (first == 0 || !drawable(line->y[first - 1]))
        return (struct place){plot_place(&canvas->x, line->x[first]), canvas->y.last};
    const struct place from = place_of(canvas, line, first - 1);
    return drawable(line->y[first]) ? edge_place(canvas, from, place_of(canvas, line, first)) : from;
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

double row_place(const struct canvas *canvas, const struct plot_line *line)
{
    return AREA_TOP + LABEL_GAP * ((double)row_of(canvas, line) + 0.5);
}

/* Where the mark of a point goes: at the point, or in the line's row above the chart. */
struct place mark_place(const struct canvas *canvas, const struct plot_line *line, size_t point)
{
    if (is_above(canvas, line, point))
        return (struct place){plot_place(&canvas->x, line->x[point]), row_place(canvas, line)};
    return place_of(canvas, line, point);
}
