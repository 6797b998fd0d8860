/* What is around the lines of a chart: axes that fit them, headings, grid. */
#include "plot_canvas.h"

#include <math.h>

/* ---- axes ----------------------------------------------------------------------------------------- */

static void widen(double value, double *least, double *most)
{
    *least = fmin(*least, value);
    *most = fmax(*most, value);
}

/* A little air around the data; a single value gets round numbers around it. */
static void pad(struct plot_axis *axis, double share)
{
    if (axis->logarithmic) {
        if (axis->most / axis->least < 1.001) {
            axis->least /= 2;
            axis->most *= 2;
        }
        const double span = fmax(log(axis->most) - log(axis->least), 0.1);
        axis->least *= exp(-share * span);
        axis->most *= exp(share * span);
        return;
    }
    const double size = fmax(fabs(axis->least), fabs(axis->most));
    if (!(axis->most - axis->least > 1e-9 * size)) {
        axis->least -= size > 0 ? size / 2 : 1;
        axis->most += size > 0 ? size / 2 : 1;
    }
    const double air = share * (axis->most - axis->least);
    axis->least -= air;
    axis->most += air;
}

/* The chart proper begins below the rows of what lies above it. */
static double height_above(const struct canvas *canvas)
{
    const size_t rows = count_lines(canvas, is_above);
    return rows > 0 ? row_gap(canvas) * (double)rows + ROWS_PADDING : 0;
}

static void widen_by_lines(const struct canvas *canvas, struct plot_axis *x, struct plot_axis *y)
{
    const struct plot *plot = canvas->plot;
    for (size_t i = 0; i < plot->line_count; ++i) {
        const struct plot_line *line = &plot->lines[i];
        for (size_t k = 0; k < line->count; ++k) {
            widen(line->x[k], &x->least, &x->most);
            if (isfinite(line->y[k]) && (plot->y_linear || line->y[k] > 0))
                widen(line->y[k], &y->least, &y->most);
            if (line->low && isfinite(line->low[k]) && (plot->y_linear || line->low[k] > 0))
                widen(line->low[k], &y->least, &y->most);
            if (plot->y_bands && line->high && isfinite(line->high[k]) && (plot->y_linear || line->high[k] > 0))
                widen(line->high[k], &y->least, &y->most);
        }
    }
}

void fit_axes(struct canvas *canvas)
{
    const struct plot *plot = canvas->plot;
    struct plot_axis x = {.logarithmic = plot->x_logarithmic || plot->x_bytes,
                          .bytes = plot->x_bytes,
                          .least = (double)INFINITY,
                          .most = -(double)INFINITY,
                          .first = AREA_LEFT,
                          .last = area_right(canvas)};
    struct plot_axis y = {.logarithmic = !plot->y_linear,
                          .least = (double)INFINITY,
                          .most = -(double)INFINITY,
                          .first = AREA_BOTTOM,
                          .last = AREA_TOP};
    widen_by_lines(canvas, &x, &y);
    if (plot->y_linear && plot->y_from < plot->y_to) {
        widen(plot->y_from, &y.least, &y.most);
        widen(plot->y_to, &y.least, &y.most);
    }
    canvas->empty = !(y.least <= y.most);
    if (canvas->empty)
        y.least = y.most = 1;
    if (y.logarithmic) {
        y.least = fmin(fmax(y.least, plot->y_floor), y.most);
        y.most = fmin(y.most, y.least * plot->y_span);
    }
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

/* ---- headings and grid ---------------------------------------------------------------------------- */

/* Smaller where it would leave the picture. */
static void draw_fitting(const struct canvas *canvas, double baseline, double size, bool is_bold, const char *text)
{
    cairo_text_extents_t extents;
    set_font(canvas, size, is_bold);
    cairo_text_extents(canvas->cairo, text, &extents);
    const double room = WIDTH - 2 * MARGIN;
    if (extents.x_advance > room)
        set_font(canvas, size * room / extents.x_advance, is_bold);
    (void)draw_text(canvas, MARGIN, baseline, 0, text);
}

void draw_title(const struct canvas *canvas, const char *title, const char *subtitle)
{
    set_color(canvas, canvas->theme->text, 1);
    draw_fitting(canvas, 36, TITLE_SIZE, true, title);
    set_color(canvas, canvas->theme->muted, 1);
    draw_fitting(canvas, 57, TEXT_SIZE, false, subtitle);
    set_font(canvas, TEXT_SIZE, false);
}

static void draw_key_ring(const struct canvas *canvas, struct place place, struct color color)
{
    draw_ring(canvas, place, 4, color);
}

static void draw_key_cross(const struct canvas *canvas, struct place place, struct color color)
{
    draw_cross(canvas, place, CROSS_ARM, color);
}

static void draw_key_strong(const struct canvas *canvas, struct place place, struct color color)
{
    const double length = 18;
    set_color(canvas, color, 0.3);
    cairo_set_line_width(canvas->cairo, STRONG_WIDTH);
    stroke_segment(canvas, place.x, place.y, place.x + length, place.y);
    set_color(canvas, color, 1);
    cairo_set_line_width(canvas->cairo, 2);
    stroke_segment(canvas, place.x, place.y, place.x + length, place.y);
}

#define KEYS 5
#define KEY_GAP 24.0

/* What a mark in the picture stands for. */
struct key {
    void (*draw)(const struct canvas *canvas, struct place place, struct color color);
    const char *note; /* NULL where there is no such mark */
    double indent;    /* of the note */
};

static void find_keys(const struct canvas *canvas, struct key keys[KEYS])
{
    const struct plot *plot = canvas->plot;
    keys[0] = (struct key){draw_key_ring, count_lines(canvas, has_ring) > 0 ? plot->ring_note : NULL, 11};
    keys[1] = (struct key){draw_key_cross, count_lines(canvas, has_cross) > 0 ? plot->cross_note : NULL, 11};
    keys[2] = (struct key){draw_dot, count_lines(canvas, has_dot_above) > 0 ? plot->above_note : NULL, 11};
    keys[3] = (struct key){draw_wedge, count_lines(canvas, is_below) > 0 ? plot->below_note : NULL, 11};
    keys[4] = (struct key){draw_key_strong, count_lines(canvas, is_strong) > 0 ? plot->strong_note : NULL, 25};
}

static double width_of_text(const struct canvas *canvas, const char *text)
{
    cairo_text_extents_t extents;
    cairo_text_extents(canvas->cairo, text, &extents);
    return extents.x_advance;
}

static double width_of_keys(const struct canvas *canvas, const struct key keys[KEYS])
{
    double width = 0;
    for (size_t i = 0; i < KEYS; ++i)
        if (keys[i].note)
            width += (width > 0 ? KEY_GAP : 0) + keys[i].indent + width_of_text(canvas, keys[i].note);
    return width;
}

static void draw_keys(const struct canvas *canvas, const struct key keys[KEYS], double x, double baseline)
{
    for (size_t i = 0; i < KEYS; ++i)
        if (keys[i].note) {
            keys[i].draw(canvas, (struct place){x, baseline - 4}, canvas->theme->muted);
            set_color(canvas, canvas->theme->muted, 1);
            x = draw_text(canvas, x + keys[i].indent, baseline, 0, keys[i].note) + KEY_GAP;
        }
}

/* What the y axis shows and, after it, what the marks stand for: below it where they do not fit on one line. */
static void draw_legend(const struct canvas *canvas)
{
    struct key keys[KEYS];
    const double above_area = AREA_TOP - 14;
    const double line = 16;
    const double room = WIDTH - 2 * MARGIN;
    const double indent = 32;
    find_keys(canvas, keys);
    const double title = width_of_text(canvas, canvas->plot->y_title);
    const double width = width_of_keys(canvas, keys);
    if (title + indent + width <= room) {
        (void)draw_text(canvas, MARGIN, above_area, 0, canvas->plot->y_title);
        draw_keys(canvas, keys, MARGIN + title + indent, above_area);
        return;
    }
    draw_fitting(canvas, width > 0 ? above_area - line : above_area, TEXT_SIZE, false, canvas->plot->y_title);
    set_font(canvas, TEXT_SIZE * fmin(1, room / fmax(width, 1)), false);
    draw_keys(canvas, keys, MARGIN + WEDGE_SIZE, above_area);
    set_font(canvas, TEXT_SIZE, false);
}

void draw_headings(const struct canvas *canvas)
{
    draw_title(canvas, canvas->plot->title, canvas->plot->subtitle);
    (void)draw_text(canvas, (canvas->x.first + canvas->x.last) / 2, AREA_BOTTOM + 42, 0.5, canvas->plot->x_title);
    draw_legend(canvas);
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
void draw_regions(const struct canvas *canvas)
{
    for (size_t i = 0; i < canvas->plot->region_count; ++i) {
        double left, right;
        region_edges(canvas, i, &left, &right);
        fill_region(canvas, i, left, AREA_TOP, right - left, AREA_BOTTOM - AREA_TOP);
    }
}

/* In the middle of each, if there is room, and not struck through by the grid. */
void draw_region_names(const struct canvas *canvas)
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

void draw_grid(const struct canvas *canvas)
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
