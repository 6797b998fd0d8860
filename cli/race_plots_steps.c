/* Pictures of single runs, step by step: at what rates the parameters moved, and how steep it was. */
#include "output.h"
#include "race_plots.h"
#include "stop.h"
#include <lab/statistics.h>

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BINS 240           /* more steps than these share a point; */
#define NOISY_BINS 80      /* where numbers jump from step to step */
#define TRACE_WORK 4e8     /* so many parameters times steps are recorded of a run */
#define STEP_DECADES 1e-12 /* what is so much less than the most says nothing more */

/* ---- runs ----------------------------------------------------------------------------------------- */

#define NAME_BYTES 16 /* so much of a tensor's name has room beside a chart */

/* By tensor and, where that has more than one number, index. Long names are cut between characters of UTF-8. */
static void name_parameter(char name[RACE_PARAMETER_SIZE], const rms_tensor *tensor, size_t index)
{
    const size_t length = strlen(tensor->name);
    size_t kept = length <= NAME_BYTES ? length : NAME_BYTES;
    while (kept < length && kept > 0 && ((unsigned char)tensor->name[kept] & 0xC0) == 0x80)
        --kept;
    (void)snprintf(name, RACE_PARAMETER_SIZE, "%.*s%s", (int)kept, tensor->name, kept < length ? "…" : "");
    if (tensor->count > 1)
        (void)snprintf(name + strlen(name), RACE_PARAMETER_SIZE - strlen(name), "[%zu]", index);
}

/* Those of a surface are the axes of its map. */
static void name_parameters(struct race_traces *traces, const struct lab_instance *instance)
{
    size_t found = 0;
    if (race_map_possible(instance)) {
        (void)snprintf(traces->parameters[0], sizeof traces->parameters[0], "x");
        (void)snprintf(traces->parameters[1], sizeof traces->parameters[1], "y");
        return;
    }
    struct lab_task *const task = instance->problem->create(instance, 0);
    const rms_tensor *tensors;
    const size_t count = task ? instance->problem->tensors(task, &tensors) : 0;
    for (size_t i = 0; i < count; ++i)
        for (size_t k = 0; k < tensors[i].count && found < 2; ++k)
            name_parameter(traces->parameters[found++], &tensors[i], k);
    instance->problem->destroy(task);
}

static size_t count_parameters(const struct lab_instance *instance)
{
    struct lab_task *const task = instance->problem->create(instance, 0);
    const rms_tensor *tensors;
    size_t parameters = 0;
    const size_t count = task ? instance->problem->tensors(task, &tensors) : 0;
    for (size_t i = 0; i < count; ++i)
        parameters += tensors[i].count;
    instance->problem->destroy(task);
    return parameters;
}

/* The steps of the race, but for large models, of which the beginning has to do: whole numbers of scores. */
static size_t count_steps(const struct lab_race_plan *plan)
{
    const size_t every = plan->instance->score_every;
    const double affordable = TRACE_WORK / (double)(1 + count_parameters(plan->instance));
    const size_t scores = (size_t)fmax(1, affordable / (double)every);
    return scores < plan->steps / every ? scores * every : plan->steps;
}

bool race_traces_make(struct race_traces *traces, const struct race_report *report)
{
    const struct lab_race *race = report->race;
    struct lab_trace_request requests[LAB_CONTENDERS_MAX];
    rms_error error;
    *traces = (struct race_traces){0};
    if (race->interrupted || stop_signal != 0)
        return true;
    traces->steps = count_steps(race->plan);
    name_parameters(traces, race->plan->instance);
    for (size_t i = 0; i < race->entry_count; ++i) {
        const struct lab_run *run = &race->entries[i].tuned_runs[0];
        if (run->state == LAB_RUN_PENDING)
            continue;
        requests[traces->count] = (struct lab_trace_request){.instance = race->plan->instance,
                                                             .contender = &race->plan->contenders[i],
                                                             .learning_rate = run->learning_rate,
                                                             .trial = run->trial,
                                                             .seed = run->seed,
                                                             .steps = traces->steps};
        traces->entry[traces->count++] = i;
    }
    const rms_status status =
        lab_traces_run(traces->traces, requests, traces->count, race->plan->threads, &stop_signal, &error);
    if (status == RMS_OK && stop_signal == 0)
        return true;
    if (status != RMS_OK)
        complain("race: %s", error.message);
    race_traces_free(traces);
    return status == RMS_OK;
}

void race_traces_free(struct race_traces *traces)
{
    for (size_t i = 0; i < traces->count; ++i)
        lab_trace_free(&traces->traces[i]);
    traces->count = 0;
}

/* ---- lines ---------------------------------------------------------------------------------------- */

/* A number of each step. */
typedef double step_number(const struct lab_trace_point *point, size_t which);

static double rate_of(const struct lab_trace_point *point, size_t which)
{
    return point->rates[which];
}

static int by_value(const void *left, const void *right)
{
    const double a = *(const double *)left;
    const double b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Of a few rates, the least, the middle one or the largest. */
static double ordered_rate(const struct lab_trace_point *point, size_t which)
{
    double sorted[LAB_TRACE_RATES];
    size_t count = 0;
    for (size_t i = 0; i < LAB_TRACE_RATES; ++i)
        if (!isnan(point->rates[i]))
            sorted[count++] = point->rates[i];
    qsort(sorted, count, sizeof sorted[0], by_value);
    return count == 0 ? (double)NAN : sorted[which * (count - 1) / 2];
}

static double norm_of(const struct lab_trace_point *point, size_t which)
{
    (void)which;
    return point->gradient_norm;
}

/* A quartile (1 to 3) over the steps [first, last) of what is finite; NaN if nothing is. */
static double quartile(const struct lab_trace *trace, step_number *number, size_t which, size_t first, size_t last,
                       size_t quarters, double *scratch)
{
    size_t count = 0;
    for (size_t step = first; step < last; ++step) {
        const double value = number(&trace->points[step], which);
        if (isfinite(value))
            scratch[count++] = value;
    }
    if (count == 0)
        return (double)NAN;
    qsort(scratch, count, sizeof scratch[0], by_value);
    return scratch[(count - 1) / 4 * quarters + (count - 1) % 4 * quarters / 4];
}

/* What a line shows: a number of each step, or of several steps the median; and a band, which is the numbers `low` and
 * `high` of the step, or the quartiles of the number over the steps that share a point. */
struct series {
    step_number *number;
    size_t which;
    size_t low, high; /* the same as which: quartiles over steps */
    bool banded;
    size_t bins; /* points at most */
};

static bool fill_series(struct plot_line *line, const struct lab_trace *trace, size_t steps,
                        const struct series *series)
{
    const size_t width = (steps + series->bins - 1) / series->bins;
    const size_t bins = (trace->step_count + width - 1) / width;
    const bool over_steps = series->low == series->which;
    double *const scratch = malloc((width + 1) * sizeof *scratch);
    if (!scratch || !race_line_allocate(line, bins, series->banded)) {
        free(scratch);
        return false;
    }
    for (size_t i = 0; i < bins; ++i) {
        const size_t first = i * width;
        const size_t last = first + width < trace->step_count ? first + width : trace->step_count;
        line->x[i] = i == 0 ? 0 : i + 1 < bins ? (double)(first + last - 1) / 2 : (double)last;
        line->y[i] = quartile(trace, series->number, series->which, first, last, 2, scratch);
        if (series->banded) {
            line->low[i] = quartile(trace, series->number, series->low, first, last, over_steps ? 1 : 2, scratch);
            line->high[i] = quartile(trace, series->number, series->high, first, last, over_steps ? 3 : 2, scratch);
        }
    }
    free(scratch);
    line->cut_short = trace->diverged && bins > 0;
    return true;
}

/* ---- pictures ------------------------------------------------------------------------------------- */

enum { STEP_NAME_SIZE = 96 };

struct step_names {
    char name[PLOT_LINES_MAX][STEP_NAME_SIZE];
    char detail[PLOT_LINES_MAX][NUMBER_TEXT_SIZE + 8];
};

/* A line for a trace, in its contender's colour. False when memory is short. */
static bool add_line(struct plot *plot, const struct race_report *report, const struct race_traces *traces,
                     size_t index, const struct series *series, const char *suffix, struct step_names *names)
{
    const struct lab_race *race = report->race;
    const size_t entry = traces->entry[index];
    const struct lab_trace *trace = &traces->traces[index];
    const size_t place = plot->line_count++;
    struct race_looks looks;
    race_looks_choose(&looks, race->plan);
    (void)snprintf(names->name[place], STEP_NAME_SIZE, "%s%s", race->entries[entry].name, suffix);
    if (trace->diverged && trace->step_count < traces->steps)
        (void)snprintf(names->detail[place], sizeof names->detail[place], "diverged");
    else
        (void)snprintf(names->detail[place], sizeof names->detail[place], "lr %.4g",
                       race->entries[entry].tuned_runs[0].learning_rate);
    plot->lines[place] = (struct plot_line){.name = names->name[place],
                                            .detail = names->detail[place],
                                            .color = looks.color[entry],
                                            .dash = looks.dash[entry]};
    return fill_series(&plot->lines[place], trace, traces->steps, series);
}

/* Whether two parameters move at the same rate all the time, as SGD's do. */
static bool rates_agree(const struct lab_trace *trace)
{
    for (size_t step = 0; step < trace->step_count; ++step)
        if (trace->points[step].rates[0] < trace->points[step].rates[1] ||
            trace->points[step].rates[0] > trace->points[step].rates[1])
            return false;
    return true;
}

/* Of two parameters, each has its line, the second a dotted one, if there is room for that. */
static bool add_pair(struct plot *plot, const struct race_report *report, const struct race_traces *traces,
                     size_t index, struct step_names *names)
{
    const struct series first = {.number = rate_of, .which = 0, .bins = BINS};
    const struct series second = {.number = rate_of, .which = 1, .bins = BINS};
    const bool one = rates_agree(&traces->traces[index]);
    char suffixes[2][2 * RACE_PARAMETER_SIZE + 8];
    const char *const x = traces->parameters[0];
    const char *const y = traces->parameters[1];
    (void)snprintf(suffixes[0], sizeof suffixes[0], " %s%s%s", x, one ? " and " : "", one ? y : "");
    (void)snprintf(suffixes[1], sizeof suffixes[1], " %s", y);
    const bool made = add_line(plot, report, traces, index, &first, suffixes[0], names);
    if (!made || one || plot->line_count == PLOT_LINES_MAX)
        return made;
    const bool both = add_line(plot, report, traces, index, &second, suffixes[1], names);
    plot->lines[plot->line_count - 1].dash = PLOT_DOTTED;
    return both;
}

static bool add_rates(struct plot *plot, const struct race_report *report, const struct race_traces *traces,
                      struct step_names *names)
{
    const struct series quantiles = {.number = rate_of, .which = 2, .low = 1, .high = 3, .banded = true, .bins = BINS};
    const struct series few = {.number = ordered_rate, .which = 1, .low = 0, .high = 2, .banded = true, .bins = BINS};
    for (size_t i = 0; i < traces->count && plot->line_count < PLOT_LINES_MAX; ++i) {
        const struct lab_trace *trace = &traces->traces[i];
        const bool made = trace->rate_quantiles    ? add_line(plot, report, traces, i, &quantiles, "", names)
                          : trace->rate_count == 2 ? add_pair(plot, report, traces, i, names)
                                                   : add_line(plot, report, traces, i, &few, "", names);
        if (!made)
            return false;
    }
    return true;
}

static bool add_norms(struct plot *plot, const struct race_report *report, const struct race_traces *traces,
                      struct step_names *names)
{
    const bool banded = traces->steps > NOISY_BINS;
    const struct series norm = {.number = norm_of, .banded = banded, .bins = NOISY_BINS};
    for (size_t i = 0; i < traces->count; ++i)
        if (!add_line(plot, report, traces, i, &norm, "", names))
            return false;
    return true;
}

static double largest(const struct plot *plot)
{
    double most = 0;
    for (size_t i = 0; i < plot->line_count; ++i)
        for (size_t k = 0; k < plot->lines[i].count; ++k)
            most = isfinite(plot->lines[i].y[k]) ? fmax(most, plot->lines[i].y[k]) : most;
    return most;
}

/* What is said of the run, and of several steps that share a point. */
static void append_run(struct text *text, const struct race_report *report, const struct race_traces *traces,
                       const char *what)
{
    const struct lab_race_plan *plan = report->race->plan;
    text_append(text, "%s · one run at the tuned rate", what);
    if (traces->steps < plan->steps)
        text_append(text, " · the first %zu of %zu steps", traces->steps, plan->steps);
    race_append_circumstances(text, report->race);
}

typedef bool step_lines(struct plot *plot, const struct race_report *report, const struct race_traces *traces,
                        struct step_names *names);

/* plot has its axes' titles; these are the rest. */
static bool write_steps(struct plot *plot, const struct race_report *report, const struct race_traces *traces,
                        const char *heading, const char *what, const char *ending, step_lines *add,
                        struct text *written)
{
    struct text title = {0}, name = {0}, subtitle = {0};
    struct step_names names;
    if (traces->count == 0)
        return true;
    text_append(&title, "%s: %s", report->race->plan->instance->title, heading);
    text_append(&name, "%s-%s", report->stem, ending);
    append_run(&subtitle, report, traces, what);
    plot->title = title.text;
    plot->subtitle = subtitle.text;
    bool complete = add(plot, report, traces, &names) && !title.failed && !name.failed && !subtitle.failed;
    plot->y_floor = STEP_DECADES * largest(plot);
    if (!complete)
        complain("out of memory for the pictures");
    else if (race_lines_any(plot))
        complete = plot_write(plot, report->out, name.text, written);
    race_lines_free(plot);
    text_free(&title);
    text_free(&name);
    text_free(&subtitle);
    return complete;
}

bool race_rates_write(const struct race_report *report, const struct race_traces *traces, struct text *written)
{
    struct plot plot = {
        .x_title = "step",
        .y_title = "effective learning rate, log scale",
        .y_span = (double)INFINITY,
        .y_bands = true,
        .cross_note = "diverged",
    };
    const bool many = traces->count > 0 && traces->traces[0].rate_quantiles;
    const bool few = traces->count > 0 && traces->traces[0].rate_count > 2;
    return write_steps(&plot, report, traces, "at what rate parameters move",
                       many  ? "Median and quartiles over all parameters"
                       : few ? "Least, median and largest of all parameters"
                             : "Each parameter",
                       "rates", add_rates, written);
}

bool race_gradients_write(const struct race_report *report, const struct race_traces *traces, struct text *written)
{
    struct plot plot = {
        .x_title = "step",
        .y_title = "norm of the gradient, log scale",
        .y_span = (double)INFINITY,
        .y_bands = true,
        .cross_note = "diverged",
    };
    const bool banded = traces->steps > NOISY_BINS;
    return write_steps(&plot, report, traces, "how steep it is where they are",
                       banded ? "Median and quartiles over neighbouring steps" : "Each step", "gradients", add_norms,
                       written);
}
