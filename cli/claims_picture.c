/* A plot as SVG within the page. */
#include "claims.h"

#include "plot_axis.h"

#include <math.h>

/* In units of the picture, which are pixels where it is shown at its natural size. */
#define WIDTH 440.0
#define HEIGHT 262.0
#define LEFT 54.0
#define RIGHT 428.0
#define TOP 26.0
#define BOTTOM 216.0
#define LABELS_BELOW 18.0
#define TITLE_BELOW 38.0
#define POINT_RADIUS 2.6
#define NEAR 0.7 /* points nearer than this to the last are not seen */

struct axes {
    struct plot_axis x, y;
};

static bool fits(const struct plot_axis *axis, double value)
{
    return isfinite(value) && (!axis->logarithmic || value > 0);
}

static void include(struct plot_axis *axis, double value)
{
    if (!fits(axis, value))
        return;
    axis->least = value < axis->least ? value : axis->least;
    axis->most = value > axis->most ? value : axis->most;
}

/* Some air around the lines; a flat line gets more. */
static void widen(struct plot_axis *axis, double share)
{
    if (!(axis->most >= axis->least)) {
        axis->least = axis->logarithmic ? 0.1 : 0;
        axis->most = 1;
    }
    if (axis->logarithmic) {
        const double ratio = pow(axis->most / axis->least, share) * (axis->most < 1.5 * axis->least ? 1.5 : 1);
        axis->least /= ratio;
        axis->most *= ratio;
        return;
    }
    const double range = axis->most - axis->least;
    const double air = range > 0 ? share * range : axis->most != 0 ? 0.5 * fabs(axis->most) : 1;
    axis->least -= air;
    axis->most += air;
}

static struct axes choose_axes(const struct plot *plot)
{
    struct axes axes = {
        .x = {.logarithmic = plot->x_logarithmic, .least = (double)INFINITY, .most = -(double)INFINITY},
        .y = {.logarithmic = !plot->y_linear, .least = (double)INFINITY, .most = -(double)INFINITY},
    };
    for (size_t i = 0; i < plot->line_count; ++i) {
        const struct plot_line *const line = &plot->lines[i];
        for (size_t point = 0; point < line->count; ++point) {
            include(&axes.x, line->x[point]);
            include(&axes.y, line->y[point]);
            if (line->low)
                include(&axes.y, line->low[point]);
            if (line->high)
                include(&axes.y, line->high[point]);
        }
    }
    widen(&axes.x, 0.02);
    widen(&axes.y, 0.05);
    axes.x.first = LEFT;
    axes.x.last = RIGHT;
    axes.y.first = BOTTOM;
    axes.y.last = TOP;
    return axes;
}

static void append_grid(struct text *text, const struct axes *axes)
{
    struct plot_tick ticks[PLOT_TICKS_MAX];
    size_t count = plot_ticks(&axes->y, 6, ticks);
    for (size_t i = 0; i < count; ++i) {
        if (!*ticks[i].label)
            continue;
        const double y = plot_place(&axes->y, ticks[i].value);
        text_append(text, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>", LEFT, y, RIGHT);
        text_append(text, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", LEFT - 6, y + 4);
        html_append(text, ticks[i].label);
        text_append(text, "</text>");
    }
    count = plot_ticks(&axes->x, 5, ticks);
    for (size_t i = 0; i < count; ++i) {
        if (!*ticks[i].label)
            continue;
        const double x = plot_place(&axes->x, ticks[i].value);
        text_append(text, "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/>", x, BOTTOM, BOTTOM + 4);
        text_append(text, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", x, BOTTOM + LABELS_BELOW);
        html_append(text, ticks[i].label);
        text_append(text, "</text>");
    }
    text_append(text, "<path class=\"axis\" d=\"M%.1f %.1fH%.1f\"/>\n", LEFT, BOTTOM, RIGHT);
}

static void append_line(struct text *text, const struct axes *axes, const struct plot_line *line)
{
    bool pen_down = false;
    double last_x = 0;
    double last_y = 0;
    text_append(text, "<path class=\"line c%zu d%d\" d=\"", line->color % THEME_COLORS, (int)line->dash);
    for (size_t i = 0; i < line->count; ++i) {
        if (!fits(&axes->x, line->x[i]) || !fits(&axes->y, line->y[i])) {
            pen_down = false;
            continue;
        }
        const double x = plot_place(&axes->x, line->x[i]);
        const double y = plot_place(&axes->y, line->y[i]);
        if (pen_down && i + 1 < line->count && fabs(x - last_x) < NEAR && fabs(y - last_y) < NEAR)
            continue;
        text_append(text, "%s%.1f %.1f", pen_down ? "L" : "M", x, y);
        pen_down = true;
        last_x = x;
        last_y = y;
    }
    text_append(text, "\"/>\n");
}

static void append_points(struct text *text, const struct axes *axes, const struct plot_line *line)
{
    for (size_t i = 0; i < line->count; ++i)
        if (fits(&axes->x, line->x[i]) && fits(&axes->y, line->y[i]))
            text_append(text, "<circle class=\"dot f%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>",
                        line->color % THEME_COLORS, plot_place(&axes->x, line->x[i]), plot_place(&axes->y, line->y[i]),
                        POINT_RADIUS);
    text_append(text, "\n");
}

static double within(const struct plot_axis *axis, double value)
{
    return fits(axis, value) ? plot_place(axis, value) : axis->first;
}

/* From left to right along the upper edge, and back along the lower one, as far as there are numbers without a gap. */
static void append_band(struct text *text, const struct axes *axes, const struct plot_line *line)
{
    for (size_t first = 0; first < line->count;) {
        size_t end = first;
        while (end < line->count && fits(&axes->x, line->x[end]) && isfinite(line->low[end]) &&
               isfinite(line->high[end]))
            ++end;
        if (end > first + 1) {
            text_append(text, "<path class=\"band f%zu\" d=\"", line->color % THEME_COLORS);
            for (size_t i = first; i < end; ++i)
                text_append(text, "%s%.1f %.1f", i == first ? "M" : "L", plot_place(&axes->x, line->x[i]),
                            within(&axes->y, line->high[i]));
            for (size_t i = end; i-- > first;)
                text_append(text, "L%.1f %.1f", plot_place(&axes->x, line->x[i]), within(&axes->y, line->low[i]));
            text_append(text, "Z\"/>\n");
        }
        first = end + 1;
    }
}

static void append_legend(struct text *text, const struct plot *plot)
{
    text_append(text, "<ul class=\"legend\">");
    for (size_t i = 0; i < plot->line_count; ++i) {
        text_append(text,
                    "<li><svg width=\"26\" height=\"8\" aria-hidden=\"true\"><path class=\"line c%zu d%d\" "
                    "d=\"M1 4H25\"/></svg> ",
                    plot->lines[i].color % THEME_COLORS, (int)plot->lines[i].dash);
        html_append(text, plot->lines[i].name);
        text_append(text, "</li>");
    }
    text_append(text, "</ul>\n");
}

void claims_append_picture(struct text *text, const struct plot *plot, const char *name, const char *words)
{
    const struct axes axes = choose_axes(plot);
    text_append(text, "<figure><figcaption id=\"%s\">", name);
    html_append(text, plot->title);
    text_append(text,
                "</figcaption>\n<svg class=\"chart\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-labelledby=\"%s "
                "%s-words\"><desc id=\"%s-words\">",
                WIDTH, HEIGHT, name, name, name);
    html_append(text, words);
    text_append(text, "</desc>\n<text x=\"2\" y=\"12\">");
    html_append(text, plot->y_title);
    text_append(text, "</text>\n");
    append_grid(text, &axes);
    text_append(text, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", 0.5 * (LEFT + RIGHT),
                BOTTOM + TITLE_BELOW);
    html_append(text, plot->x_title);
    text_append(text, "</text>\n");
    for (size_t i = 0; i < plot->line_count; ++i)
        if (plot->lines[i].low && plot->lines[i].high)
            append_band(text, &axes, &plot->lines[i]);
    for (size_t i = 0; i < plot->line_count; ++i) {
        append_line(text, &axes, &plot->lines[i]);
        if (plot->lines[i].points)
            append_points(text, &axes, &plot->lines[i]);
    }
    text_append(text, "</svg>\n");
    append_legend(text, plot);
    text_append(text, "</figure>\n");
}
