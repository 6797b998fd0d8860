/* A chart: frame, lines, marks. */
#include "plot_picture.h"

#include <math.h>
#include <stdint.h>

/* ---- above the chart ------------------------------------------------------------------------------ */

/* From where a line leaves the chart to its row, and along the row to its label. */
static void draw_way_up(const struct canvas *canvas, const struct plot_line *line, size_t first, double row)
{
    /* Above a linear axis are failures alone, and no way leads up to them. */
    const bool from_chart = first > 0 && drawable(canvas, line->y[first - 1]) && !canvas->plot->y_linear;
    const struct place place = leaving_place(canvas, line, first);
    set_color(canvas, line_color(canvas, line), 0.55);
    cairo_set_line_width(canvas->cairo, 1);
    if (from_chart)
        cairo_move_to(canvas->cairo, place.x, place.y);
    cairo_line_to(canvas->cairo, plot_place(&canvas->x, line->x[first]), row);
    cairo_line_to(canvas->cairo,
                  line->cut_short ? plot_place(&canvas->x, line->x[drawn_count(canvas, line) - 1]) : canvas->x.last,
                  row);
    cairo_stroke(canvas->cairo);
}

/* Behind the rows, whose heights would else be read as values. */
static void draw_band_above(const struct canvas *canvas)
{
    const double top = AREA_TOP - ROWS_PADDING;
    cairo_rectangle(canvas->cairo, canvas->x.first, top, canvas->x.last - canvas->x.first, canvas->y.last - top);
    set_color(canvas, canvas->theme->grid, 0.6);
    cairo_fill(canvas->cairo);
    set_color(canvas, canvas->theme->muted, 1);
    set_font(canvas, TEXT_SIZE, false);
    (void)draw_text(canvas, canvas->x.first - 8, (top + canvas->y.last) / 2 + 4, 1,
                    canvas->plot->y_linear ? "diverged" : "off scale");
}

static void draw_above(const struct canvas *canvas)
{
    if (count_lines(canvas, is_above) == 0)
        return;
    draw_band_above(canvas);
    for (size_t i = 0; i < canvas->plot->line_count; ++i) {
        const struct plot_line *line = &canvas->plot->lines[i];
        const size_t first = first_point(canvas, line, is_above);
        if (first < line->count && !line->loose)
            draw_way_up(canvas, line, first, row_place(canvas, line));
        for (size_t k = first; k < line->count; ++k)
            if (has_dot_above(canvas, line, k))
                draw_dot(canvas, mark_place(canvas, line, k), line_color(canvas, line));
    }
}

/* ---- the lines ------------------------------------------------------------------------------------ */

/* What is far outside the chart is drawn not so far outside it. */
static double edge_height(const struct canvas *canvas, double value)
{
    const double place = isfinite(value) ? height_of(canvas, value) : value > 0 ? -HEIGHT : 2 * HEIGHT;
    return fmin(fmax(place, -HEIGHT), 2 * HEIGHT);
}

/* Traces an edge of a band, points [first, last) forwards or backwards. */
static void trace_edge(const struct canvas *canvas, const struct plot_line *line, const double *values, size_t first,
                       size_t last, bool backwards)
{
    for (size_t k = first; k < last; ++k) {
        const size_t i = backwards ? last - 1 - (k - first) : k;
        cairo_line_to(canvas->cairo, plot_place(&canvas->x, line->x[i]), edge_height(canvas, values[i]));
    }
}

static void fill_band(const struct canvas *canvas, const struct plot_line *line, size_t first, size_t last)
{
    begin_clip(canvas);
    trace_edge(canvas, line, line->low, first, last, false);
    trace_edge(canvas, line, line->high, first, last, true);
    cairo_close_path(canvas->cairo);
    set_color(canvas, line_color(canvas, line), canvas->theme->band_opacity);
    cairo_fill(canvas->cairo);
    cairo_restore(canvas->cairo);
}

/* Points [first, last) as far as they lie in the chart. Ends at its upper edge, where a clip would cut aslant. */
static void trace_line(const struct canvas *canvas, const struct plot_line *line, size_t first, size_t last)
{
    for (size_t i = first; i < last; ++i) {
        const struct place place = place_of(canvas, line, i);
        const struct place before = place_of(canvas, line, i > first ? i - 1 : i);
        const bool inside = !is_above(canvas, line, i);
        const bool was_inside = !is_above(canvas, line, i > first ? i - 1 : i);
        if (inside != was_inside) {
            const struct place edge = edge_place(canvas, before, place);
            (inside ? cairo_move_to : cairo_line_to)(canvas->cairo, edge.x, edge.y);
        }
        if (inside)
            cairo_line_to(canvas->cairo, place.x, place.y);
    }
}

/* A broad edge where the line is strong. */
static void stroke_strong(const struct canvas *canvas, const struct plot_line *line, size_t first, size_t last)
{
    for (size_t i = first; i < last; ++i)
        if (line->strong[i])
            trace_line(canvas, line, i, i + 1 < last && line->strong[i + 1] ? i + 2 : i + 1);
    set_color(canvas, line_color(canvas, line), 0.3);
    cairo_set_line_width(canvas->cairo, STRONG_WIDTH);
    cairo_stroke(canvas->cairo);
}

static bool all_solid(const struct plot *plot)
{
    size_t i = 0;
    while (i < plot->line_count && plot->lines[i].dash == PLOT_SOLID)
        ++i;
    return i == plot->line_count;
}

static double line_width(const struct canvas *canvas, const struct plot_line *line)
{
    const struct plot *plot = canvas->plot;
    const size_t after = plot->line_count - 1 - (size_t)(line - plot->lines);
    return plot->cable && after > 0 ? 2 + 2.6 * (double)after / (double)(plot->line_count - 1) : 2;
}

static void stroke_line(const struct canvas *canvas, const struct plot_line *line, size_t first, size_t last)
{
    begin_clip(canvas);
    if (line->strong)
        stroke_strong(canvas, line, first, last);
    trace_line(canvas, line, first, last);
    set_color(canvas, line_color(canvas, line), 1);
    cairo_set_line_width(canvas->cairo, line_width(canvas, line));
    const size_t index = (size_t)(line - canvas->plot->lines);
    set_dash(canvas->cairo, print_dash(canvas, line->dash, index, all_solid(canvas->plot)));
    cairo_stroke(canvas->cairo);
    cairo_restore(canvas->cairo);
}

static void draw_line(const struct canvas *canvas, const struct plot_line *line)
{
    for (size_t first = 0; first < line->count;) {
        size_t last = first;
        while (last < line->count && drawable(canvas, line->y[last]))
            ++last;
        if (last > first && line->low && line->high)
            fill_band(canvas, line, first, last);
        if (last > first && !line->loose)
            stroke_line(canvas, line, first, last);
        first = last + 1;
    }
    for (size_t i = 0; (line->points || line->loose) && i < line->count; ++i)
        if (drawable(canvas, line->y[i]) && !is_above(canvas, line, i))
            (is_below(canvas, line, i) ? draw_wedge : draw_dot)(canvas, place_of(canvas, line, i),
                                                                line_color(canvas, line));
}

static void draw_lines(const struct canvas *canvas)
{
    cairo_set_line_join(canvas->cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(canvas->cairo, CAIRO_LINE_CAP_ROUND);
    for (size_t i = 0; i < canvas->plot->line_count; ++i)
        draw_line(canvas, &canvas->plot->lines[i]);
}

/* Rings that would hide each other are made concentric; the outer ones, of later lines, are drawn first. */
static void draw_rings(const struct canvas *canvas)
{
    const struct plot_line *lines = canvas->plot->lines;
    for (size_t i = canvas->plot->line_count; i-- > 0;) {
        if (first_point(canvas, &lines[i], has_ring) == lines[i].count)
            continue;
        const struct place own = mark_place(canvas, &lines[i], lines[i].special);
        struct place centre = own;
        double radius = RING_RADIUS;
        for (size_t k = i; k-- > 0;) {
            if (first_point(canvas, &lines[k], has_ring) == lines[k].count)
                continue;
            const struct place other = mark_place(canvas, &lines[k], lines[k].special);
            if (are_near(own, other, RING_NEAR)) {
                centre = other;
                radius += RING_STEP;
            }
        }
        draw_ring(canvas, centre, radius, line_color(canvas, &lines[i]));
    }
}

/* The arms of a cross are longer than those of later crosses in the same place, which are drawn over it. */
static double cross_arm(const struct canvas *canvas, size_t index, struct place place)
{
    const struct plot_line *lines = canvas->plot->lines;
    double arm = CROSS_ARM;
    for (size_t i = index + 1; i < canvas->plot->line_count; ++i)
        for (size_t k = 0; k < lines[i].count; ++k)
            if (has_cross(canvas, &lines[i], k) && are_near(place, mark_place(canvas, &lines[i], k), CROSS_NEAR))
                arm += CROSS_STEP;
    return arm;
}

static void draw_crosses(const struct canvas *canvas)
{
    for (size_t i = 0; i < canvas->plot->line_count; ++i) {
        const struct plot_line *line = &canvas->plot->lines[i];
        for (size_t k = 0; k < line->count; ++k)
            if (has_cross(canvas, line, k)) {
                const struct place place = mark_place(canvas, line, k);
                draw_cross(canvas, place, cross_arm(canvas, i, place), line_color(canvas, line));
            }
    }
}

/* ---- the whole ------------------------------------------------------------------------------------ */

static void draw_chart(struct canvas *canvas, const void *context)
{
    canvas->plot = context;
    fit_axes(canvas);
    draw_headings(canvas);
    draw_regions(canvas);
    draw_grid(canvas);
    draw_region_names(canvas);
    draw_above(canvas);
    draw_lines(canvas);
    draw_rings(canvas);
    draw_crosses(canvas);
    draw_labels(canvas);
}

struct picture plot_picture(const struct plot *plot)
{
    return (struct picture){
        .title = plot->title,
        .subtitle = plot->subtitle,
        .width = WIDTH,
        .height = HEIGHT,
        .draw = draw_chart,
        .context = plot,
    };
}

bool plot_write(const struct plot *plot, const char *folder, const char *name, struct text *written)
{
    const struct picture picture = plot_picture(plot);
    return picture_write(&picture, folder, name, written);
}
