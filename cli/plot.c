/* Line charts with a logarithmic y axis: one drawing code for light and dark, SVG and PNG. */
#include "plot.h"

#include "file.h"
#include "plot_axis.h"

#include <cairo-svg.h>
#include <fontconfig/fontconfig.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* In pixels of an SVG at its natural size. */
#define WIDTH 860.0
#define HEIGHT 470.0
#define MARGIN 24.0
#define AREA_LEFT 72.0
#define AREA_RIGHT 706.0
#define AREA_TOP 104.0
#define AREA_BOTTOM 414.0
#define LABEL_GAP 18.0 /* between the middles of labels */
#define LABEL_INDENT 14.0
#define LEADER_GAP 5.0
#define PNG_SCALE 2.0

#define TITLE_SIZE 17.0
#define TEXT_SIZE 12.0
#define LABEL_SIZE 13.0

struct color {
    double red, green, blue;
};
#define COLOR(hex)                                                                                                     \
    {                                                                                                                  \
        ((hex) >> 16 & 0xFF) / 255.0, ((hex) >> 8 & 0xFF) / 255.0, ((hex)&0xFF) / 255.0                                \
    }

/* Okabe and Ito's colours, which colour-blind readers tell apart; made darker on white and lighter on black
 * until text in them can be read (contrast 4.5 and more). */
#define THEME_COLORS 6
static const struct theme {
    const char *suffix;
    struct color background, text, muted, grid;
    struct color lines[THEME_COLORS];
    double band_opacity;
} themes[] = {
    {
        .suffix = "",
        .background = COLOR(0xFFFFFF),
        .text = COLOR(0x1F2328),
        .muted = COLOR(0x59636E),
        .grid = COLOR(0xE4E8EC),
        .lines = {COLOR(0x6B6F76), COLOR(0x007F5F), COLOR(0xC24A00), COLOR(0x0068AB), COLOR(0xA8447F), COLOR(0x8A6100)},
        .band_opacity = 0.14,
    },
    {
        .suffix = "-dark",
        .background = COLOR(0x0D1117),
        .text = COLOR(0xE6EDF3),
        .muted = COLOR(0x9198A1),
        .grid = COLOR(0x22272E),
        .lines = {COLOR(0xB4BAC2), COLOR(0x2CC79E), COLOR(0xFF8B3D), COLOR(0x5CB8F2), COLOR(0xE79CC6), COLOR(0xE6C229)},
        .band_opacity = 0.20,
    },
};

/* A picture being drawn. */
struct canvas {
    cairo_t *cairo;
    const struct plot *plot;
    const struct theme *theme;
    struct plot_axis x, y;
};

static bool drawable(double value)
{
    return isfinite(value) && value > 0;
}

static void set_color(const struct canvas *canvas, struct color color, double opacity)
{
    cairo_set_source_rgba(canvas->cairo, color.red, color.green, color.blue, opacity);
}

static struct color line_color(const struct canvas *canvas, const struct plot_line *line)
{
    return canvas->theme->lines[line->color % THEME_COLORS];
}

/* Writes text whose left (0), middle (0.5) or right (1) is at x. Returns where it ends. */
static double draw_text(const struct canvas *canvas, double x, double baseline, double anchor, const char *text)
{
    cairo_text_extents_t extents;
    cairo_text_extents(canvas->cairo, text, &extents);
    const double left = x - anchor * extents.x_advance;
    cairo_move_to(canvas->cairo, left, baseline);
    cairo_show_text(canvas->cairo, text);
    return left + extents.x_advance;
}

static void set_font(const struct canvas *canvas, double size, bool bold)
{
    cairo_select_font_face(canvas->cairo, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(canvas->cairo, size);
}

static void stroke_segment(const struct canvas *canvas, double x0, double y0, double x1, double y1)
{
    cairo_move_to(canvas->cairo, x0, y0);
    cairo_line_to(canvas->cairo, x1, y1);
    cairo_stroke(canvas->cairo);
}

/* ---- the frame ------------------------------------------------------------------------------------ */

static void draw_headings(const struct canvas *canvas)
{
    set_color(canvas, canvas->theme->text, 1);
    set_font(canvas, TITLE_SIZE, true);
    (void)draw_text(canvas, MARGIN, 36, 0, canvas->plot->title);
    set_color(canvas, canvas->theme->muted, 1);
    set_font(canvas, TEXT_SIZE, false);
    (void)draw_text(canvas, MARGIN, 57, 0, canvas->plot->subtitle);
    (void)draw_text(canvas, MARGIN, AREA_TOP - 14, 0, canvas->plot->y_title);
    (void)draw_text(canvas, (AREA_LEFT + AREA_RIGHT) / 2, AREA_BOTTOM + 42, 0.5, canvas->plot->x_title);
}

static void draw_grid(const struct canvas *canvas)
{
    struct plot_tick ticks[PLOT_TICKS_MAX];
    set_font(canvas, TEXT_SIZE, false);
    cairo_set_line_width(canvas->cairo, 1);

    const size_t rows = plot_ticks(&canvas->y, 9, ticks);
    for (size_t i = 0; i < rows; ++i) {
        const double y = round(plot_place(&canvas->y, ticks[i].value)) + 0.5;
        set_color(canvas, canvas->theme->grid, ticks[i].label[0] != '\0' ? 1 : 0.5);
        stroke_segment(canvas, AREA_LEFT, y, AREA_RIGHT, y);
        set_color(canvas, canvas->theme->muted, 1);
        (void)draw_text(canvas, AREA_LEFT - 8, y + 4, 1, ticks[i].label);
    }
    const size_t columns = plot_ticks(&canvas->x, 8, ticks);
    for (size_t i = 0; i < columns; ++i) {
        const double x = round(plot_place(&canvas->x, ticks[i].value)) + 0.5;
        set_color(canvas, canvas->theme->muted, ticks[i].label[0] != '\0' ? 1 : 0.5);
        stroke_segment(canvas, x, AREA_BOTTOM, x, AREA_BOTTOM + (ticks[i].label[0] != '\0' ? 6 : 4));
        set_color(canvas, canvas->theme->muted, 1);
        (void)draw_text(canvas, x, AREA_BOTTOM + 21, 0.5, ticks[i].label);
    }
    stroke_segment(canvas, AREA_LEFT, AREA_BOTTOM + 0.5, AREA_RIGHT, AREA_BOTTOM + 0.5);
}

/* ---- the lines ------------------------------------------------------------------------------------ */

/* Traces points [first, last) forwards or, with a step of -1, backwards. */
static void trace(const struct canvas *canvas, const struct plot_line *line, const double *values, size_t first,
                  size_t last, bool backwards)
{
    for (size_t k = first; k < last; ++k) {
        const size_t i = backwards ? last - 1 - (k - first) : k;
        const double value = isfinite(values[i]) ? fmax(values[i], canvas->y.least * 1e-3) : canvas->y.most * 1e3;
        cairo_line_to(canvas->cairo, plot_place(&canvas->x, line->x[i]), plot_place(&canvas->y, value));
    }
}

/* A run of points without gaps. */
static void draw_stretch(const struct canvas *canvas, const struct plot_line *line, size_t first, size_t last)
{
    if (line->low && line->high) {
        trace(canvas, line, line->low, first, last, false);
        trace(canvas, line, line->high, first, last, true);
        cairo_close_path(canvas->cairo);
        set_color(canvas, line_color(canvas, line), canvas->theme->band_opacity);
        cairo_fill(canvas->cairo);
    }
    trace(canvas, line, line->y, first, last, false);
    set_color(canvas, line_color(canvas, line), 1);
    cairo_set_line_width(canvas->cairo, 2);
    cairo_stroke(canvas->cairo);
}

static void draw_dot(const struct canvas *canvas, const struct plot_line *line, size_t point)
{
    const double x = plot_place(&canvas->x, line->x[point]);
    const double y = plot_place(&canvas->y, line->y[point]);
    const bool special = point == line->special;
    cairo_new_path(canvas->cairo);
    cairo_arc(canvas->cairo, x, y, special ? 6 : 2.5, 0, 8 * atan(1));
    set_color(canvas, special ? canvas->theme->background : line_color(canvas, line), 1);
    cairo_fill_preserve(canvas->cairo);
    set_color(canvas, line_color(canvas, line), special ? 1 : 0);
    cairo_set_line_width(canvas->cairo, 2.5);
    cairo_stroke(canvas->cairo);
}

static void draw_line(const struct canvas *canvas, const struct plot_line *line)
{
    for (size_t first = 0; first < line->count;) {
        size_t last = first;
        while (last < line->count && drawable(line->y[last]))
            ++last;
        if (last > first)
            draw_stretch(canvas, line, first, last);
        first = last + 1;
    }
    for (size_t i = 0; i < line->count; ++i)
        if (drawable(line->y[i]) && (line->points || i == line->special))
            draw_dot(canvas, line, i);
}

static void draw_lines(const struct canvas *canvas)
{
    cairo_save(canvas->cairo);
    cairo_rectangle(canvas->cairo, AREA_LEFT - 8, canvas->y.last, AREA_RIGHT - AREA_LEFT + 16,
                    AREA_BOTTOM - canvas->y.last);
    cairo_clip(canvas->cairo);
    cairo_set_line_join(canvas->cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(canvas->cairo, CAIRO_LINE_CAP_ROUND);
    for (size_t i = 0; i < canvas->plot->line_count; ++i)
        draw_line(canvas, &canvas->plot->lines[i]);
    cairo_restore(canvas->cairo);
}

/* ---- above the chart ------------------------------------------------------------------------------ */

/* Whether a point lies above the chart: too high, or failed. */
static bool is_above(const struct canvas *canvas, const struct plot_line *line, size_t point)
{
    return (drawable(line->y[point]) && line->y[point] > canvas->y.most) || (line->failed && line->failed[point]);
}

/* The first point of a line that lies above the chart; its count if none does. */
static size_t first_above(const struct canvas *canvas, const struct plot_line *line)
{
    size_t point = 0;
    while (point < line->count && !is_above(canvas, line, point))
        ++point;
    return point;
}

struct place {
    double x, y;
};

/* Where a line whose point `first` is the first above the chart leaves it. */
static struct place leaving_place(const struct canvas *canvas, const struct plot_line *line, size_t first)
{
    const double x = plot_place(&canvas->x, line->x[first]);
    if (first == 0 || !drawable(line->y[first - 1]))
        return (struct place){x, canvas->y.last};
    const double from_x = plot_place(&canvas->x, line->x[first - 1]);
    const double from_y = plot_place(&canvas->y, line->y[first - 1]);
    if (!drawable(line->y[first]))
        return (struct place){from_x, from_y};
    const double share = (canvas->y.last - from_y) / (plot_place(&canvas->y, line->y[first]) - from_y);
    return (struct place){from_x + share * (x - from_x), canvas->y.last};
}

/* Lines that leave early get the upper rows, so that their ways do not cross. */
static size_t row_of(const struct canvas *canvas, const struct plot_line *line)
{
    const struct plot_line *lines = canvas->plot->lines;
    const double own = leaving_place(canvas, line, first_above(canvas, line)).x;
    size_t row = 0;
    for (size_t i = 0; i < canvas->plot->line_count; ++i) {
        const size_t first = first_above(canvas, &lines[i]);
        if (first == lines[i].count)
            continue;
        const double other = leaving_place(canvas, &lines[i], first).x;
        row += other < own || (!(other > own) && &lines[i] < line);
    }
    return row;
}

static double row_place(const struct canvas *canvas, const struct plot_line *line)
{
    return AREA_TOP + LABEL_GAP * ((double)row_of(canvas, line) + 0.5);
}

static void draw_mark_above(const struct canvas *canvas, const struct plot_line *line, size_t point, double y)
{
    const double x = plot_place(&canvas->x, line->x[point]);
    if (line->failed && line->failed[point]) {
        cairo_set_line_width(canvas->cairo, 1.8);
        stroke_segment(canvas, x - 3.5, y - 3.5, x + 3.5, y + 3.5);
        stroke_segment(canvas, x - 3.5, y + 3.5, x + 3.5, y - 3.5);
        return;
    }
    cairo_arc(canvas->cairo, x, y, 2.5, 0, 8 * atan(1));
    cairo_fill(canvas->cairo);
}

/* From where a line leaves the chart to its row, and along the row to its label. */
static void draw_way_up(const struct canvas *canvas, const struct plot_line *line, size_t first, double row)
{
    const double x = plot_place(&canvas->x, line->x[first]);
    const struct place place = leaving_place(canvas, line, first);
    set_color(canvas, line_color(canvas, line), 0.55);
    cairo_set_line_width(canvas->cairo, 1);
    cairo_move_to(canvas->cairo, place.x, place.y);
    cairo_line_to(canvas->cairo, x, row);
    cairo_line_to(canvas->cairo, AREA_RIGHT, row);
    cairo_stroke(canvas->cairo);
}

static void draw_above(const struct canvas *canvas)
{
    size_t rows = 0;
    for (size_t i = 0; i < canvas->plot->line_count; ++i) {
        const struct plot_line *line = &canvas->plot->lines[i];
        const size_t first = first_above(canvas, line);
        if (first == line->count)
            continue;
        const double row = row_place(canvas, line);
        draw_way_up(canvas, line, first, row);
        set_color(canvas, line_color(canvas, line), 1);
        for (size_t k = first; k < line->count; ++k)
            if (is_above(canvas, line, k))
                draw_mark_above(canvas, line, k, row);
        ++rows;
    }
    if (rows == 0)
        return;
    set_color(canvas, canvas->theme->muted, 1);
    set_font(canvas, TEXT_SIZE, false);
    (void)draw_text(canvas, AREA_LEFT - 8, AREA_TOP + LABEL_GAP * (double)rows / 2 + 4, 1, "off scale");
}

/* ---- labels at the lines' ends -------------------------------------------------------------------- */

struct label {
    const struct plot_line *line;
    double end_x, end_y; /* where the line ends */
    double y;            /* where the label goes */
};

static int by_place(const void *left, const void *right)
{
    const double a = ((const struct label *)left)->end_y;
    const double b = ((const struct label *)right)->end_y;
    return (a > b) - (a < b);
}

static size_t collect_labels(const struct canvas *canvas, struct label *labels)
{
    size_t count = 0;
    for (size_t i = 0; i < canvas->plot->line_count; ++i) {
        const struct plot_line *line = &canvas->plot->lines[i];
        size_t end = line->count;
        while (end > 0 && !drawable(line->y[end - 1]))
            --end;
        if (first_above(canvas, line) < line->count) {
            const double row = row_place(canvas, line);
            labels[count++] = (struct label){line, AREA_RIGHT - LEADER_GAP, row, row};
        } else if (end > 0) {
            const double y = plot_place(&canvas->y, line->y[end - 1]);
            labels[count++] = (struct label){line, plot_place(&canvas->x, line->x[end - 1]), y, y};
        }
    }
    qsort(labels, count, sizeof labels[0], by_place);
    return count;
}

/* Neighbours that are too close push each other away, evenly, until none are. */
static void spread_labels(struct label *labels, size_t count)
{
    for (int round = 0; round < 200; ++round)
        for (size_t i = 0; i < count; ++i) {
            if (i + 1 < count && labels[i + 1].y - labels[i].y < LABEL_GAP) {
                const double push = (LABEL_GAP - (labels[i + 1].y - labels[i].y)) / 2;
                labels[i].y -= push;
                labels[i + 1].y += push;
            }
            labels[i].y = fmin(fmax(labels[i].y, AREA_TOP + 4), AREA_BOTTOM - 4);
        }
}

static void draw_labels(const struct canvas *canvas)
{
    struct label labels[PLOT_LINES_MAX];
    const size_t count = collect_labels(canvas, labels);
    spread_labels(labels, count);
    for (size_t i = 0; i < count; ++i) {
        const struct label *label = &labels[i];
        const double x = AREA_RIGHT + LABEL_INDENT;
        set_color(canvas, line_color(canvas, label->line), 0.55);
        cairo_set_line_width(canvas->cairo, 1);
        stroke_segment(canvas, label->end_x + LEADER_GAP, label->end_y, x - 4, label->y);
        set_color(canvas, line_color(canvas, label->line), 1);
        set_font(canvas, LABEL_SIZE, true);
        const double end = draw_text(canvas, x, label->y + 4.5, 0, label->line->name);
        set_color(canvas, canvas->theme->muted, 1);
        set_font(canvas, TEXT_SIZE, false);
        (void)draw_text(canvas, end + 6, label->y + 4.5, 0, label->line->detail);
    }
}

/* ---- the whole ------------------------------------------------------------------------------------ */

static void widen(double value, double *least, double *most)
{
    *least = fmin(*least, value);
    *most = fmax(*most, value);
}

/* A little air around the data, also when it is a single point. */
static void pad(struct plot_axis *axis, double share)
{
    const double span = fmax(log(axis->most / axis->least), 0.1);
    axis->least *= exp(-share * span);
    axis->most *= exp(share * span);
}

/* The chart proper begins below the rows of what lies above it. */
static double height_above(const struct canvas *canvas)
{
    size_t rows = 0;
    for (size_t i = 0; i < canvas->plot->line_count; ++i)
        rows += first_above(canvas, &canvas->plot->lines[i]) < canvas->plot->lines[i].count;
    return rows > 0 ? LABEL_GAP * (double)rows + 8 : 0;
}

static void fit_axes(struct canvas *canvas)
{
    const struct plot *plot = canvas->plot;
    struct plot_axis x = {plot->x_logarithmic, (double)INFINITY, -(double)INFINITY, AREA_LEFT, AREA_RIGHT};
    struct plot_axis y = {true, (double)INFINITY, -(double)INFINITY, AREA_BOTTOM, AREA_TOP};
    for (size_t i = 0; i < plot->line_count; ++i)
        for (size_t k = 0; k < plot->lines[i].count; ++k) {
            widen(plot->lines[i].x[k], &x.least, &x.most);
            if (drawable(plot->lines[i].y[k]))
                widen(plot->lines[i].y[k], &y.least, &y.most);
            if (plot->lines[i].low && drawable(plot->lines[i].low[k]))
                widen(plot->lines[i].low[k], &y.least, &y.most);
        }
    if (!(y.least <= y.most))
        y.least = y.most = 1; /* nothing but failures */
    y.most = fmin(y.most, y.least * plot->y_span);
    pad(&y, 0.04);
    if (x.logarithmic)
        pad(&x, 0.02);
    else if (!(x.most > x.least))
        x.most = x.least + 1;
    canvas->x = x;
    canvas->y = y;
    canvas->y.last += height_above(canvas);
}

static cairo_status_t draw(cairo_surface_t *surface, double scale, const struct plot *plot, const struct theme *theme)
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
    draw_grid(&canvas);
    draw_lines(&canvas);
    draw_above(&canvas);
    draw_labels(&canvas);

    const cairo_status_t status = cairo_status(canvas.cairo);
    cairo_destroy(canvas.cairo);
    return status;
}

static cairo_status_t to_stream(void *stream, const unsigned char *data, unsigned length)
{
    return fwrite(data, 1, length, stream) == length ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static bool draw_svg(const struct plot *plot, const struct theme *theme, FILE *stream)
{
    cairo_surface_t *surface = cairo_svg_surface_create_for_stream(to_stream, stream, WIDTH, HEIGHT);
    cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
    const cairo_status_t drawn = draw(surface, 1, plot, theme);
    cairo_surface_finish(surface);
    const cairo_status_t finished = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    return drawn == CAIRO_STATUS_SUCCESS && finished == CAIRO_STATUS_SUCCESS;
}

static bool draw_png(const struct plot *plot, const struct theme *theme, FILE *stream)
{
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(PNG_SCALE * WIDTH), (int)(PNG_SCALE * HEIGHT));
    const cairo_status_t drawn = draw(surface, PNG_SCALE, plot, theme);
    const cairo_status_t written = cairo_surface_write_to_png_stream(surface, to_stream, stream);
    cairo_surface_destroy(surface);
    return drawn == CAIRO_STATUS_SUCCESS && written == CAIRO_STATUS_SUCCESS;
}

static const struct format {
    const char *ending;
    bool (*draw)(const struct plot *plot, const struct theme *theme, FILE *stream);
} formats[] = {{"svg", draw_svg}, {"png", draw_png}};

static bool write_one(const struct plot *plot, const char *folder, const char *name, const struct theme *theme,
                      const struct format *format, struct text *written)
{
    struct text file_name = {0};
    struct file file;
    text_append(&file_name, "%s%s.%s", name, theme->suffix, format->ending);
    bool placed = false;
    if (!file_name.failed && file_open(&file, folder, file_name.text))
        placed = file_close(&file, format->draw(plot, theme, file.stream));
    if (placed)
        text_append(written, "%s%s/%s", written->length > 0 ? " " : "", folder, file_name.text);
    text_free(&file_name);
    return placed;
}

bool plot_write(const struct plot *plot, const char *folder, const char *name, struct text *written)
{
    for (size_t i = 0; i < sizeof themes / sizeof themes[0]; ++i)
        for (size_t k = 0; k < sizeof formats / sizeof formats[0]; ++k)
            if (!write_one(plot, folder, name, &themes[i], &formats[k], written))
                return false;
    return true;
}

/* Cairo and its font finder keep fonts for the next drawing, which leak checkers take for lost. */
void plot_release(void)
{
    cairo_debug_reset_static_data();
    FcFini();
}
