/* What the pictures of a race share: how numbers get onto axes, what contenders look like, what files are called. */
#ifndef CLI_RACE_PLOTS_H
#define CLI_RACE_PLOTS_H

#include "plot_map.h"
#include "race.h"
#include <lab/profile.h>
#include <lab/trace.h>

/* How a quantity's numbers get onto an axis: linear where larger is better, else logarithmic, and above the least of
 * them where that is negative. */
struct race_scale {
    double factor; /* from the number to the unit */
    double least;  /* what a logarithmic axis counts from; 0 unless numbers are negative */
    bool linear;
    char title[256];
};
void race_scale_choose(struct race_scale *scale, const struct lab_quantity *quantity, double least);
double race_scale_apply(const struct race_scale *scale, double value);

/* A colour for each contender, and dashes where colours repeat or one follows another. */
struct race_looks {
    size_t color[LAB_CONTENDERS_MAX];
    enum plot_dash dash[LAB_CONTENDERS_MAX];
};
void race_looks_choose(struct race_looks *looks, const struct lab_race_plan *plan);

/* The end of subtitles: under what conditions the figures came about. */
void race_append_circumstances(struct text *text, const struct lab_race *race);

#define RACE_PARAMETER_SIZE 32

/* One run of each entry, at its tuned rate, told step by step: that of the first report seed. */
struct race_traces {
    struct lab_trace traces[LAB_CONTENDERS_MAX];
    size_t entry[LAB_CONTENDERS_MAX]; /* whose each is */
    size_t count;
    size_t steps;                            /* so many of the race's */
    char parameters[2][RACE_PARAMETER_SIZE]; /* what the first two are called */
};

/* False after a sentence. There are none where the race was interrupted, or the user stops now. */
bool race_traces_make(struct race_traces *traces, const struct race_report *report);
void race_traces_free(struct race_traces *traces);

/* The surface of a problem of two parameters, with the paths of the traces, of which there is one at least. */
struct race_map {
    struct plot_map map;
    struct text title, subtitle, relief_subtitle;
    char details[LAB_CONTENDERS_MAX][NUMBER_TEXT_SIZE + 32];
};
bool race_map_possible(const struct lab_instance *instance);
bool race_map_make(struct race_map *drawn, const struct race_report *report, const struct race_traces *traces);
void race_map_free(struct race_map *drawn);

/* The picture of each kind; true where there is nothing to draw. False after a sentence. */
bool race_curves_write(const struct race_report *report, struct text *written);
bool race_sensitivity_write(const struct race_report *report, struct text *written);
bool race_rates_write(const struct race_report *report, const struct race_traces *traces, struct text *written);
bool race_gradients_write(const struct race_report *report, const struct race_traces *traces, struct text *written);
bool race_paths_write(const struct race_report *report, const struct race_traces *traces, struct text *written);

/* The curves as a chart for whoever draws it otherwise, which lives until draw returns; true where there is nothing to
 * draw. False after a sentence. */
bool race_curves_draw(const struct race_report *report, void (*draw)(const struct plot *plot));

/* The picture "profile" of several races; colours are those of the plan's contenders. False after a sentence. */
bool race_profile_write(const struct lab_profile *profile, const struct lab_race_plan *plan, const char *out,
                        struct text *written);

/* STEM-paths.gif: the paths of a problem with two parameters while they grow. False after a sentence. Nothing where the
 * race was interrupted. */
bool race_animate_write(const struct race_report *report, struct text *written);

/* Memory for a line's points; free_lines gives back that of all. */
bool race_line_allocate(struct plot_line *line, size_t count, bool banded);
void race_lines_free(struct plot *plot);
bool race_lines_any(const struct plot *plot);

#endif
