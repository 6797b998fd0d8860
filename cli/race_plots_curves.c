/* Two pictures of a race: how the training score went, and how much the learning rate matters. */
#include "output.h"
#include "race_plots.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CURVE_DECADES 1e-12  /* what is so much less than the start says nothing more */
#define SENSITIVITY_SPAN 100 /* nor do rates that are so much worse than the best, */
#define SURFACE_SPAN 1e12    /* but for surfaces, whose least is 0 */

static int by_value(const void *left, const void *right)
{
    const double a = *(const double *)left;
    const double b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The quantile between sorted values; an infinite neighbour makes it infinite. */
static double quantile(const double *sorted, size_t count, double share)
{
    const double place = share * (double)(count - 1);
    const size_t below = (size_t)place;
    const double rest = place - (double)below;
    if (!(rest > 0) || sorted[below] == sorted[below + 1])
        return sorted[below];
    return sorted[below] + rest * (sorted[below + 1] - sorted[below]);
}

/* What a number counts as that a diverged run does not have. */
static double worst(const struct lab_quantity *quantity)
{
    return quantity->rising ? -(double)INFINITY : (double)INFINITY;
}

/* Training score over steps: median and quartiles over the tuned runs. False when none is finished. */
static bool fill_curve(struct plot_line *line, const struct lab_race_plan *plan, const struct lab_run *runs)
{
    double scores[LAB_SEEDS_MAX];
    for (size_t point = 0; point < line->count; ++point) {
        size_t count = 0;
        for (size_t seed = 0; seed < plan->report_seeds; ++seed)
            if (runs[seed].state != LAB_RUN_PENDING) {
                const double score = runs[seed].curve[point];
                scores[count++] = isnan(score) ? worst(&plan->instance->training) : score;
            }
        if (count == 0)
            return false;
        qsort(scores, count, sizeof scores[0], by_value);
        line->x[point] = (double)(point * plan->instance->score_every);
        line->y[point] = lab_median(scores, count);
        line->low[point] = quantile(scores, count, 0.25);
        line->high[point] = quantile(scores, count, 0.75);
    }
    return true;
}

/* Learning rates in rising order: where more than they is searched, trials come in any. */
static void sort_rates(size_t order[LAB_GRID_MAX], const struct lab_race_plan *plan)
{
    for (size_t i = 0; i < plan->grid_count; ++i) {
        size_t place = i;
        for (; place > 0 && plan->grid[order[place - 1]] > plan->grid[i]; --place)
            order[place] = order[place - 1];
        order[place] = i;
    }
}

/* Marks the best trial's neighbours up to the first that is more than a tenth worse. */
static void mark_window(struct plot_line *line, const struct lab_entry *entry)
{
    const double best = entry->tuning_score[entry->own_best];
    const double reach = 0.1 * fabs(best);
    size_t first = entry->own_best;
    size_t last = entry->own_best;
    while (first > 0 && fabs(entry->tuning_score[first - 1] - best) <= reach)
        --first;
    while (last + 1 < line->count && fabs(entry->tuning_score[last + 1] - best) <= reach)
        ++last;
    for (size_t i = first; first < last && i <= last; ++i)
        line->strong[i] = true;
}

/* Final validation score against the learning rate. False when no rate was tried. */
static bool fill_sensitivity(struct plot_line *line, const struct lab_race_plan *plan, const struct lab_entry *entry)
{
    size_t order[LAB_GRID_MAX];
    bool tried = false;
    sort_rates(order, plan);
    for (size_t i = 0; i < plan->grid_count; ++i) {
        const double score = entry->tuning_score[order[i]];
        line->x[i] = plan->grid[order[i]];
        line->y[i] = score;
        line->failed[i] = isinf(score);
        tried = tried || !isnan(score);
        if (order[i] == entry->own_best && entry->tuned && isfinite(score))
            line->special = i;
    }
    line->points = true;
    line->loose = plan->searched != 0;
    if (line->special < SIZE_MAX && !line->loose)
        mark_window(line, entry);
    return tried;
}

/* ---- words ---------------------------------------------------------------------------------------- */

/* What the lines' labels say of the learning rate. */
struct details {
    char text[LAB_CONTENDERS_MAX][NUMBER_TEXT_SIZE + 8];
};

static void tell_curve(struct plot_line *line, char *detail, size_t size, double rate)
{
    line->cut_short = line->count > 0 && !isfinite(line->y[line->count - 1]);
    if (line->cut_short)
        (void)snprintf(detail, size, "diverged");
    else
        (void)snprintf(detail, size, "lr %.4g", rate);
}

static void tell_sensitivity(struct plot_line *line, char *detail, size_t size, const struct lab_entry *entry,
                             double rate)
{
    if (!entry->tuned)
        (void)snprintf(detail, size, "not finished");
    else if (line->special == SIZE_MAX)
        (void)snprintf(detail, size, "diverged at every rate");
    else
        (void)snprintf(detail, size, "best %.4g", rate);
}

/* What the file of the curves is called after: digits-loss, cartpole-return, mine-score. */
static const char *word_for(const struct lab_quantity *quantity)
{
    return !quantity->rising ? "loss" : strstr(quantity->name, "return") ? "return" : "score";
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void append_tuning(struct text *text, const struct lab_race_plan *plan)
{
    text_append(text, "Median and quartiles over %zu seed%s · ", plan->report_seeds, plural(plan->report_seeds));
    if (plan->searched)
        text_append(text, "tuned by %zu trial%s with %zu other seed%s", plan->grid_count, plural(plan->grid_count),
                    plan->tuning_seeds, plural(plan->tuning_seeds));
    else
        text_append(text, "rates tuned over %zu value%s with %zu other seed%s", plan->grid_count,
                    plural(plan->grid_count), plan->tuning_seeds, plural(plan->tuning_seeds));
}

static void append_sensitivity(struct text *text, const struct lab_race_plan *plan)
{
    text_append(text, "Mean over %zu seed%s after %zu steps%s", plan->tuning_seeds, plural(plan->tuning_seeds),
                plan->steps, plan->searched ? ", whatever else each trial sets" : "");
}

/* ---- the pictures --------------------------------------------------------------------------------- */

/* One line for each entry that has something to show. False when memory is short. */
static bool add_lines(struct plot *plot, const struct lab_race *race, bool sensitivity, struct details *details)
{
    const struct lab_race_plan *plan = race->plan;
    const size_t count = sensitivity ? plan->grid_count : plan->steps / plan->instance->score_every + 1;
    struct race_looks looks;
    race_looks_choose(&looks, plan);
    for (size_t i = 0; i < race->entry_count; ++i) {
        const struct lab_entry *entry = &race->entries[i];
        char *const detail = details->text[i];
        struct plot_line *line = &plot->lines[plot->line_count++];
        *line =
            (struct plot_line){.name = entry->name, .detail = detail, .color = looks.color[i], .dash = looks.dash[i]};
        detail[0] = '\0';
        if (!race_line_allocate(line, count, !sensitivity))
            return false;
        if (!(sensitivity ? fill_sensitivity(line, plan, entry) : fill_curve(line, plan, entry->tuned_runs)))
            line->count = 0;
        if (sensitivity)
            tell_sensitivity(line, detail, sizeof details->text[i], entry, plan->grid[entry->own_best]);
        else
            tell_curve(line, detail, sizeof details->text[i], plan->grid[entry->best]);
    }
    return true;
}

static double least_of(const struct plot *plot)
{
    double least = (double)INFINITY;
    for (size_t i = 0; i < plot->line_count; ++i)
        for (size_t k = 0; k < plot->lines[i].count; ++k) {
            const struct plot_line *line = &plot->lines[i];
            least = isfinite(line->y[k]) ? fmin(least, line->y[k]) : least;
            least = line->low && isfinite(line->low[k]) ? fmin(least, line->low[k]) : least;
        }
    return least;
}

/* From the numbers of the problem to those of the axis; returns the largest. */
static double rescale(struct plot *plot, const struct race_scale *scale)
{
    double most = 0;
    for (size_t i = 0; i < plot->line_count; ++i)
        for (size_t k = 0; k < plot->lines[i].count; ++k) {
            struct plot_line *const line = &plot->lines[i];
            line->y[k] = race_scale_apply(scale, line->y[k]);
            most = isfinite(line->y[k]) ? fmax(most, line->y[k]) : most;
            if (line->low) {
                line->low[k] = race_scale_apply(scale, line->low[k]);
                line->high[k] = race_scale_apply(scale, line->high[k]);
            }
        }
    return most;
}

/* Where a chart goes: to files, or to whoever draws it otherwise. */
struct outlet {
    const char *folder;
    const char *name;
    struct text *written;
    void (*draw)(const struct plot *plot); /* NULL for files */
};

/* Scales the lines, and draws them where there are some. */
static bool draw_lines(struct plot *plot, const struct lab_quantity *quantity, const char *prefix,
                       const struct outlet *outlet)
{
    struct race_scale scale;
    char title[sizeof scale.title + 16];
    if (!race_lines_any(plot))
        return true;
    race_scale_choose(&scale, quantity, least_of(plot));
    (void)snprintf(title, sizeof title, "%s%s", prefix, scale.title);
    plot->y_title = title;
    plot->y_linear = scale.linear;
    plot->y_floor = CURVE_DECADES * rescale(plot, &scale);
    bool complete = true;
    if (outlet->draw)
        outlet->draw(plot);
    else
        complete = plot_write(plot, outlet->folder, outlet->name, outlet->written);
    plot->y_title = NULL;
    return complete;
}

static bool draw_curves(const struct race_report *report, struct text *written, void (*draw)(const struct plot *plot))
{
    const struct lab_instance *instance = report->race->plan->instance;
    struct plot plot = {
        .x_title = "step",
        .y_span = (double)INFINITY,
        .cross_note = "from here on, half of the runs or more have diverged",
    };
    struct text title = {0}, name = {0}, subtitle = {0};
    struct details details;
    text_append(&title, "%s: %s at tuned rates", instance->title, instance->training.name);
    text_append(&name, "%s-%s", report->stem, word_for(&instance->training));
    append_tuning(&subtitle, report->race->plan);
    race_append_circumstances(&subtitle, report->race);
    plot.title = title.text;
    plot.subtitle = subtitle.text;
    const struct outlet outlet = {report->out, name.text, written, draw};
    bool complete =
        add_lines(&plot, report->race, false, &details) && !title.failed && !name.failed && !subtitle.failed;
    if (!complete)
        complain("out of memory for the pictures");
    else
        complete = draw_lines(&plot, &instance->training, "", &outlet);
    race_lines_free(&plot);
    text_free(&title);
    text_free(&name);
    text_free(&subtitle);
    return complete;
}

bool race_curves_write(const struct race_report *report, struct text *written)
{
    return draw_curves(report, written, NULL);
}

bool race_curves_draw(const struct race_report *report, void (*draw)(const struct plot *plot))
{
    return draw_curves(report, NULL, draw);
}

bool race_sensitivity_write(const struct race_report *report, struct text *written)
{
    const struct lab_instance *instance = report->race->plan->instance;
    const bool surface = instance->problem->value != NULL;
    struct plot plot = {
        .x_title = "learning rate, log scale",
        .x_logarithmic = true,
        .y_span = surface ? SURFACE_SPAN : SENSITIVITY_SPAN,
        .ring_note = "best rate",
        .cross_note = "a run diverged",
        .above_note = surface ? "off scale" : "off scale: over 100 times the least",
        .below_note = "lower still",
        .strong_note = "within 10 % of the best",
    };
    struct text title = {0}, name = {0}, subtitle = {0};
    struct details details;
    text_append(&title, "%s: how much the learning rate matters", instance->title);
    text_append(&name, "%s-sensitivity", report->stem);
    append_sensitivity(&subtitle, report->race->plan);
    race_append_circumstances(&subtitle, report->race);
    plot.title = title.text;
    plot.subtitle = subtitle.text;
    const struct outlet outlet = {report->out, name.text, written, NULL};
    bool complete = add_lines(&plot, report->race, true, &details) && !title.failed && !name.failed && !subtitle.failed;
    if (!complete)
        complain("out of memory for the pictures");
    else
        complete = draw_lines(&plot, &instance->validation, "final ", &outlet);
    race_lines_free(&plot);
    text_free(&title);
    text_free(&name);
    text_free(&subtitle);
    return complete;
}
