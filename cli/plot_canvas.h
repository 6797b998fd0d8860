/* The canvas that a chart is drawn on: its measures, and what its parts draw with. Only the plot files know it. */
#ifndef CLI_PLOT_CANVAS_H
#define CLI_PLOT_CANVAS_H

#include "plot.h"
#include "plot_axis.h"

#include <cairo.h>

/* In pixels of an SVG at its natural size. */
#define WIDTH 860.0
#define HEIGHT 470.0
#define MARGIN 24.0
#define AREA_LEFT 82.0
#define AREA_RIGHT 690.0 /* at most; long labels get more room */
#define AREA_TOP 104.0
#define AREA_BOTTOM 414.0
#define LABEL_GAP 18.0 /* between the middles of labels */
#define LABEL_INDENT 14.0
#define DETAIL_INDENT 6.0
#define LEADER_GAP 5.0
#define LEADER_MAX 40.0 /* longer ones look like curves */
#define TICK_ROOM 25.0
#define ROWS_ROOM 110.0
#define ROWS_PADDING 4.0 /* of the band above the chart */
#define RING_RADIUS 6.0
#define RING_STEP 4.5 /* between concentric rings */
#define RING_NEAR 6.0 /* rings so close are made concentric */
#define CROSS_ARM 3.5
#define CROSS_STEP 3.0
#define CROSS_NEAR 4.0
#define DOT_RADIUS 2.5
#define WEDGE_SIZE 4.5 /* of the marks on the lower edge */
#define STRONG_WIDTH 8.0
#define CIRCLE (8 * atan(1))

#define TITLE_SIZE 17.0
#define TEXT_SIZE 12.0
#define LABEL_SIZE 13.0

struct color {
    double red, green, blue;
};
struct theme {
    const char *suffix;
    struct color background, text, muted, grid;
    struct color valley, peak; /* of surfaces */
    struct color lines[THEME_COLORS];
    double band_opacity;
    bool print; /* colours may be lost: lines that are all solid are broken, each in its way */
};

/* A picture being drawn. */
struct canvas {
    cairo_t *cairo;
    const struct plot *plot; /* NULL unless it is a line chart */
    const struct theme *theme;
    struct plot_axis x, y;
    bool empty; /* nothing but failures: no values for the y axis to show */
};

struct place {
    double x, y;
};

struct box {
    double left, top, right, bottom;
};

/* Cuts the straight way from a to b to its part in the box, sides included; false where there is none. */
bool cut_to_box(const struct box *box, struct place *a, struct place *b);

typedef bool point_test(const struct canvas *canvas, const struct plot_line *line, size_t point);

/* The heading of any picture. */
void draw_title(const struct canvas *canvas, const char *title, const char *subtitle);

/* The parts around the lines. */
void fit_axes(struct canvas *canvas);
void draw_headings(const struct canvas *canvas);
void draw_regions(const struct canvas *canvas);
void draw_region_names(const struct canvas *canvas);
void draw_grid(const struct canvas *canvas);

/* The labels at the lines' ends, and how far the chart may go to the right for them to keep the margin. */
void draw_labels(const struct canvas *canvas);
double area_right(const struct canvas *canvas);

/* What they share. */
bool drawable(const struct canvas *canvas, double value);
void set_color(const struct canvas *canvas, struct color color, double opacity);
struct color line_color(const struct canvas *canvas, const struct plot_line *line);
double draw_text(const struct canvas *canvas, double x, double baseline, double anchor, const char *text);
void set_font(const struct canvas *canvas, double size, bool bold);
void set_dash(cairo_t *cairo, enum plot_dash dash);
enum plot_dash print_dash(const struct canvas *canvas, enum plot_dash dash, size_t index, bool all_solid);
void draw_dot(const struct canvas *canvas, struct place place, struct color color);
void draw_wedge(const struct canvas *canvas, struct place place, struct color color);
void draw_ring(const struct canvas *canvas, struct place place, double radius, struct color color);
void draw_cross(const struct canvas *canvas, struct place place, double arm, struct color color);
void begin_clip(const struct canvas *canvas); /* to the chart, until cairo_restore */
void stroke_segment(const struct canvas *canvas, double x0, double y0, double x1, double y1);
double height_of(const struct canvas *canvas, double value);
struct place place_of(const struct canvas *canvas, const struct plot_line *line, size_t point);
bool are_near(struct place a, struct place b, double distance);
struct place edge_place(const struct canvas *canvas, struct place a, struct place b);
size_t drawn_count(const struct canvas *canvas, const struct plot_line *line);
bool is_above(const struct canvas *canvas, const struct plot_line *line, size_t point);
bool is_below(const struct canvas *canvas, const struct plot_line *line, size_t point);
bool has_cross(const struct canvas *canvas, const struct plot_line *line, size_t point);
bool has_ring(const struct canvas *canvas, const struct plot_line *line, size_t point);
bool is_strong(const struct canvas *canvas, const struct plot_line *line, size_t point);
bool has_dot_above(const struct canvas *canvas, const struct plot_line *line, size_t point);
size_t first_point(const struct canvas *canvas, const struct plot_line *line, point_test *passes);
size_t count_lines(const struct canvas *canvas, point_test *passes);
struct place leaving_place(const struct canvas *canvas, const struct plot_line *line, size_t first);
double row_gap(const struct canvas *canvas);
double row_place(const struct canvas *canvas, const struct plot_line *line);
struct place mark_place(const struct canvas *canvas, const struct plot_line *line, size_t point);

#endif
