/* A chart: frame, lines, marks. */
#include "plot_canvas.h"

#include <math.h>
#include <stdint.h>

/* ---- marks ---------------------------------------------------------------------------------------- */

static void draw_dot(const struct canvas *canvas, struct place place, struct color color)
{
    cairo_new_path(canvas->cairo);
    cairo_arc(canvas->cairo, place.x, place.y, DOT_RADIUS, 0, CIRCLE);
    set_color(canvas, color, 1);
    cairo_fill(canvas->cairo);
}

static void draw_ring(const struct canvas *canvas, struct place place, double radius, struct color color)
{
    cairo_new_path(canvas->cairo);
    cairo_arc(canvas->cairo, place.x, place.y, radius, 0, CIRCLE);
    set_color(canvas, canvas->theme->background, 1);
    cairo_fill_preserve(canvas->cairo);
    set_color(canvas, color, 1);
    cairo_set_line_width(canvas->cairo, 2.5);
    cairo_stroke(canvas->cairo);
}

static void draw_cross(const struct canvas *canvas, struct place place, double arm, struct color color)
{
    set_color(canvas, color, 1);
    cairo_set_line_width(canvas->cairo, 1.8);
    stroke_segment(canvas, place.x - arm, place.y - arm, place.x + arm, place.y + arm);
    stroke_segment(canvas, place.x - arm, place.y + arm, place.x + arm, place.y - arm);
}

/* ---- the frame ------------------------------------------------------------------------------------ */

/* What the marks in the picture stand for, from x on. */
static void draw_key(const struct canvas *canvas, double x, double baseline)
{
    const struct plot *plot = canvas->plot;
    const struct color color = canvas->theme->muted;
    const double middle = baseline - 4;
    const double indent = 11;
    const double gap = 24;
    if (count_lines(canvas, has_ring) > 0) {
        draw_ring(canvas, (struct place){x, middle}, 4, color);
        x = draw_text(canvas, x + indent, baseline, 0, plot->ring_note) + gap;
    }
    if (count_lines(canvas, has_cross) > 0) {
        draw_cross(canvas, (struct place){x, middle}, CROSS_ARM, color);
        x = draw_text(canvas, x + indent, baseline, 0, plot->cross_note) + gap;
    }
    if (count_lines(canvas, has_dot_above) > 0) {
        draw_dot(canvas, (struct place){x, middle}, color);
        (void)draw_text(canvas, x + indent, baseline, 0, plot->above_note);
    }
}

static void draw_headings(const struct canvas *canvas)
{
    const double above_area = AREA_TOP - 14;
    set_color(canvas, canvas->theme->text, 1);
    set_font(canvas, TITLE_SIZE, true);
    (void)draw_text(canvas, MARGIN, 36, 0, canvas->plot->title);
    set_color(canvas, canvas->theme->muted, 1);
    set_font(canvas, TEXT_SIZE, false);
    (void)draw_text(canvas, MARGIN, 57, 0, canvas->plot->subtitle);
    (void)draw_text(canvas, (canvas->x.first + canvas->x.last) / 2, AREA_BOTTOM + 42, 0.5, canvas->plot->x_title);
    draw_key(canvas, draw_text(canvas, MARGIN, above_area, 0, canvas->plot->y_title) + 32, above_area);
}

/* Where a region lies in the picture. */
static void region_edges(const struct canvas *canvas, size_t index, double *left, double *right)
{
    const struct plot_region *regions = canvas->plot->regions;
    const double begin = index > 0 ? regions[index - 1].end : canvas->x.least;
    *left = plot_place(&canvas->x, fmin(fmax(begin, canvas->x.least), canvas->x.most));
    *right = plot_place(&canvas->x, fmin(fmax(regions[index].end, canvas->x.least), canvas->x.most));
}

static void fill_region(const struct canvas *canvas, size_t index, double left, double top, double width, double height)
{
    cairo_rectangle(canvas->cairo, left, top, width, height);
    set_color(canvas, canvas->theme->background, 1);
    cairo_fill_preserve(canvas->cairo);
    set_color(canvas, canvas->theme->grid, index % 2 ? 0 : 0.45);
    cairo_fill(canvas->cairo);
}

/* Every other region is shaded. */
static void draw_regions(const struct canvas *canvas)
{
    for (size_t i = 0; i < canvas->plot->region_count; ++i) {
        double left, right;
        region_edges(canvas, i, &left, &right);
        fill_region(canvas, i, left, AREA_TOP, right - left, AREA_BOTTOM - AREA_TOP);
    }
}

/* In the middle of each, if there is room, and not struck through by the grid. */
static void draw_region_names(const struct canvas *canvas)
{
    const double air = 4;
    set_font(canvas, TEXT_SIZE, false);
    for (size_t i = 0; i < canvas->plot->region_count; ++i) {
        double left, right;
        cairo_text_extents_t extents;
        region_edges(canvas, i, &left, &right);
        cairo_text_extents(canvas->cairo, canvas->plot->regions[i].name, &extents);
        const double width = extents.x_advance + 2 * air;
        const double middle = (left + right) / 2;
        if (width > right - left)
            continue;
        fill_region(canvas, i, middle - width / 2, AREA_TOP + 5, width, TEXT_SIZE + air);
        set_color(canvas, canvas->theme->muted, 1);
        (void)draw_text(canvas, middle, AREA_TOP + 16, 0.5, canvas->plot->regions[i].name);
    }
}

static void draw_grid(const struct canvas *canvas)
{
    struct plot_tick ticks[PLOT_TICKS_MAX];
    set_font(canvas, TEXT_SIZE, false);
    cairo_set_line_width(canvas->cairo, 1);

    const size_t wanted = (size_t)((canvas->y.first - canvas->y.last) / TICK_ROOM);
    const size_t rows = canvas->empty ? 0 : plot_ticks(&canvas->y, wanted, ticks);
    for (size_t i = 0; i < rows; ++i) {
        const double y = round(plot_place(&canvas->y, ticks[i].value)) + 0.5;
        set_color(canvas, canvas->theme->grid, ticks[i].label[0] != '\0' ? 1 : 0.5);
        stroke_segment(canvas, canvas->x.first, y, canvas->x.last, y);
        set_color(canvas, canvas->theme->muted, 1);
        (void)draw_text(canvas, canvas->x.first - 8, y + 4, 1, ticks[i].label);
    }
    const size_t columns = plot_ticks(&canvas->x, 8, ticks);
    for (size_t i = 0; i < columns; ++i) {
        const double x = round(plot_place(&canvas->x, ticks[i].value)) + 0.5;
        set_color(canvas, canvas->theme->muted, ticks[i].label[0] != '\0' ? 1 : 0.5);
        stroke_segment(canvas, x, AREA_BOTTOM, x, AREA_BOTTOM + (ticks[i].label[0] != '\0' ? 6 : 4));
        set_color(canvas, canvas->theme->muted, 1);
        (void)draw_text(canvas, x, AREA_BOTTOM + 21, 0.5, ticks[i].label);
    }
    stroke_segment(canvas, canvas->x.first, AREA_BOTTOM + 0.5, canvas->x.last, AREA_BOTTOM + 0.5);
}

/* ---- above the chart ------------------------------------------------------------------------------ */

/* From where a line leaves the chart to its row, and along the row to its label. */
static void draw_way_up(const struct canvas *canvas, const struct plot_line *line, size_t first, double row)
{
    const bool from_chart = first > 0 && drawable(line->y[first - 1]);
    const struct place place = leaving_place(canvas, line, first);
    set_color(canvas, line_color(canvas, line), 0.55);
    cairo_set_line_width(canvas->cairo, 1);
    if (from_chart)
        cairo_move_to(canvas->cairo, place.x, place.y);
    cairo_line_to(canvas->cairo, plot_place(&canvas->x, line->x[first]), row);
    cairo_line_to(canvas->cairo,
                  line->cut_short ? plot_place(&canvas->x, line->x[drawn_count(line) - 1]) : canvas->x.last, row);
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
    (void)draw_text(canvas, canvas->x.first - 8, (top + canvas->y.last) / 2 + 4, 1, "off scale");
}

static void draw_above(const struct canvas *canvas)
{
    if (count_lines(canvas, is_above) == 0)
        return;
    draw_band_above(canvas);
    for (size_t i = 0; i < canvas->plot->line_count; ++i) {
        const struct plot_line *line = &canvas->plot->lines[i];
        const size_t first = first_point(canvas, line, is_above);
        if (first < line->count)
            draw_way_up(canvas, line, first, row_place(canvas, line));
        for (size_t k = first; k < line->count; ++k)
            if (has_dot_above(canvas, line, k))
                draw_dot(canvas, mark_place(canvas, line, k), line_color(canvas, line));
    }
}

/* ---- the lines ------------------------------------------------------------------------------------ */

/* Traces an edge of a band, points [first, last) forwards or backwards. */
static void trace_edge(const struct canvas *canvas, const struct plot_line *line, const double *values, size_t first,
                       size_t last, bool backwards)
{
    for (size_t k = first; k < last; ++k) {
        const size_t i = backwards ? last - 1 - (k - first) : k;
        const double value = isfinite(values[i]) ? fmax(values[i], canvas->y.least * 1e-3) : canvas->y.most * 1e3;
        cairo_line_to(canvas->cairo, plot_place(&canvas->x, line->x[i]), plot_place(&canvas->y, value));
    }
}

static void fill_band(const struct canvas *canvas, const struct plot_line *line, size_t first, size_t last)
{
    cairo_save(canvas->cairo);
    cairo_rectangle(canvas->cairo, canvas->x.first, canvas->y.last, canvas->x.last - canvas->x.first,
                    canvas->y.first - canvas->y.last);
    cairo_clip(canvas->cairo);
    trace_edge(canvas, line, line->low, first, last, false);
    trace_edge(canvas, line, line->high, first, last, true);
    cairo_close_path(canvas->cairo);
    set_color(canvas, line_color(canvas, line), canvas->theme->band_opacity);
    cairo_fill(canvas->cairo);
    cairo_restore(canvas->cairo);
}

/* Points [first, last) as far as they lie in the chart. Ends at its upper edge, where a clip would cut aslant. */
static void stroke_line(const struct canvas *canvas, const struct plot_line *line, size_t first, size_t last)
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
    static const double dashes[] = {6, 5};
    set_color(canvas, line_color(canvas, line), 1);
    cairo_set_line_width(canvas->cairo, line->dashed ? 1.5 : 2);
    cairo_set_dash(canvas->cairo, dashes, line->dashed ? 2 : 0, 0);
    cairo_stroke(canvas->cairo);
    cairo_set_dash(canvas->cairo, dashes, 0, 0);
}

static void draw_line(const struct canvas *canvas, const struct plot_line *line)
{
    for (size_t first = 0; first < line->count;) {
        size_t last = first;
        while (last < line->count && drawable(line->y[last]))
            ++last;
        if (last > first && line->low && line->high)
            fill_band(canvas, line, first, last);
        if (last > first)
            stroke_line(canvas, line, first, last);
        first = last + 1;
    }
    for (size_t i = 0; line->points && i < line->count; ++i)
        if (drawable(line->y[i]) && !is_above(canvas, line, i))
            draw_dot(canvas, place_of(canvas, line, i), line_color(canvas, line));
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

static void widen(double value, double *least, double *most)
{
    *least = fmin(*least, value);
    *most = fmax(*most, value);
}

/* A little air around the data; a single value gets round numbers around it. */
static void pad(struct plot_axis *axis, double share)
{
    if (axis->most / axis->least < 1.001) {
        axis->least /= 2;
        axis->most *= 2;
    }
    const double span = fmax(log(axis->most / axis->least), 0.1);
    axis->least *= exp(-share * span);
    axis->most *= exp(share * span);
}

/* The chart proper begins below the rows of what lies above it. */
static double height_above(const struct canvas *canvas)
{
    const size_t rows = count_lines(canvas, is_above);
    return rows > 0 ? LABEL_GAP * (double)rows + ROWS_PADDING : 0;
}

static void fit_axes(struct canvas *canvas)
{
    const struct plot *plot = canvas->plot;
    struct plot_axis x = {.logarithmic = plot->x_logarithmic || plot->x_bytes,
                          .bytes = plot->x_bytes,
                          .least = (double)INFINITY,
                          .most = -(double)INFINITY,
                          .first = AREA_LEFT,
                          .last = area_right(canvas)};
    struct plot_axis y = {.logarithmic = true,
                          .least = (double)INFINITY,
                          .most = -(double)INFINITY,
                          .first = AREA_BOTTOM,
                          .last = AREA_TOP};
    for (size_t i = 0; i < plot->line_count; ++i)
        for (size_t k = 0; k < plot->lines[i].count; ++k) {
            widen(plot->lines[i].x[k], &x.least, &x.most);
            if (drawable(plot->lines[i].y[k]))
                widen(plot->lines[i].y[k], &y.least, &y.most);
            if (plot->lines[i].low && drawable(plot->lines[i].low[k]))
                widen(plot->lines[i].low[k], &y.least, &y.most);
        }
    canvas->empty = !(y.least <= y.most);
    if (canvas->empty)
        y.least = y.most = 1;
    y.most = fmin(y.most, y.least * plot->y_span);
    pad(&y, 0.04);
    if (plot->region_count > 0) /* their names */
        y.most *= exp(0.06 * log(y.most / y.least));
    if (x.logarithmic)
        pad(&x, 0.02);
    else if (!(x.most > x.least))
        x.most = x.least + 1;
    canvas->x = x;
    canvas->y = y;
    canvas->y.last += height_above(canvas);
}

cairo_status_t plot_draw(cairo_surface_t *surface, double scale, const struct plot *plot, const struct theme *theme)
{
    struct canvas canvas = {.cairo = cairo_create(surface), .plot = plot, .theme = theme};
    cairo_scale(canvas.cairo, scale, scale);
    set_color(&canvas, theme->background, 1);
    cairo_paint(canvas.cairo);

    cairo_font_options_t *font = cairo_font_options_create();
    cairo_font_options_set_hint_style(font, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(font, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(font, CAIRO_ANTIALIAS_GRAY);
    cairo_set_font_options(canvas.cairo, font);
    cairo_font_options_destroy(font);

    fit_axes(&canvas);
    draw_headings(&canvas);
    draw_regions(&canvas);
    draw_grid(&canvas);
    draw_region_names(&canvas);
    draw_above(&canvas);
    draw_lines(&canvas);
    draw_rings(&canvas);
    draw_crosses(&canvas);
    draw_labels(&canvas);

    const cairo_status_t status = cairo_status(canvas.cairo);
    cairo_destroy(canvas.cairo);
    return status;
}
