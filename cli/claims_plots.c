/* The charts of claims as plots: in files, and for whoever draws. */
#include "claims.h"

#include "output.h"

#include <string.h>

#define SPAN 1e12 /* of a logarithmic axis */

/* The rule that a line's name begins with has the colour that it has in races. */
static size_t color_of(const char *name, size_t place)
{
    static const struct {
        const char *begins;
        rms_rule rule;
    } rules[] = {{"SGD", RMS_SGD}, {"Adagrad", RMS_ADAGRAD}, {"RMSProp", RMS_RMSPROP}, {"Adam", RMS_ADAM}};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; ++i)
        if (strncmp(name, rules[i].begins, strlen(rules[i].begins)) == 0)
            return (size_t)rules[i].rule % THEME_COLORS;
    return (RMS_ADAM + 1 + place) % THEME_COLORS;
}

static bool is_taken(const struct plot *plot, size_t color, enum plot_dash dash)
{
    for (size_t i = 0; i < plot->line_count; ++i)
        if (plot->lines[i].color == color && plot->lines[i].dash == dash)
            return true;
    return false;
}

/* Lines of the same rule differ by their dashes. */
static void add_line(struct plot *plot, const struct lab_series *series)
{
    const size_t color = color_of(series->name, plot->line_count);
    enum plot_dash dash = PLOT_SOLID;
    while (dash + 1 < PLOT_DASH_COUNT && is_taken(plot, color, dash))
        ++dash;
    plot->lines[plot->line_count++] = (struct plot_line){
        .name = series->name,
        .detail = "",
        .color = color,
        .dash = dash,
        .count = series->count,
        .x = series->x,
        .y = series->y,
        .low = series->low,
        .high = series->high,
        .points = series->count <= 20,
        .special = SIZE_MAX,
    };
}

bool claims_draw(const struct claims_report *report, const struct lab_chart *chart, claims_drawer *draw, void *context)
{
    struct text subtitle = {0};
    text_append(&subtitle, "seed %llu%s · rmsprop %s", (unsigned long long)report->seed,
                report->quick ? " · quick: indicative only" : "", rms_version());
    if (subtitle.failed) {
        complain("out of memory for the pictures");
        return false;
    }
    struct plot plot = {
        .title = chart->title,
        .subtitle = subtitle.text,
        .x_title = chart->x_title,
        .y_title = chart->y_title,
        .x_logarithmic = chart->x_logarithmic,
        .y_linear = !chart->y_logarithmic,
        .y_span = SPAN,
    };
    for (size_t i = 0; i < chart->series_count; ++i)
        add_line(&plot, &chart->series[i]);
    const bool drawn = draw(context, &plot, chart->name);
    text_free(&subtitle);
    return drawn;
}

struct writing {
    const char *out;
    struct text *written;
};

static bool write_plot(void *context, const struct plot *plot, const char *name)
{
    const struct writing *const writing = context;
    return plot_write(plot, writing->out, name, writing->written);
}

bool claims_plots_write(const struct claims_report *report, struct text *written)
{
    struct writing writing = {.out = report->out, .written = written};
    bool all = true;
    for (size_t i = 0; all && i < report->count; ++i)
        for (size_t j = 0; all && j < report->results[i].finding.chart_count; ++j)
            all = claims_draw(report, &report->results[i].finding.charts[j], write_plot, &writing);
    plot_release();
    return all;
}
