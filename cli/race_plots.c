/* The two pictures of a race: how the loss fell, and how much the learning rate matters. */
#include "output.h"
#include "plot.h"
#include "race.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define LOSS_SPAN 1e9        /* wider ranges of the loss say nothing more */
#define SENSITIVITY_SPAN 100 /* nor do rates that are so much worse than the best */

static bool allocate_line(struct plot_line *line, size_t count, bool banded)
{
    line->count = count;
    line->special = SIZE_MAX;
    line->x = calloc(count, sizeof *line->x);
    line->y = calloc(count, sizeof *line->y);
    line->low = banded ? calloc(count, sizeof *line->low) : NULL;
    line->high = banded ? calloc(count, sizeof *line->high) : NULL;
    line->failed = banded ? NULL : calloc(count, sizeof *line->failed);
    return line->x && line->y && (banded ? line->low && line->high : line->failed != NULL);
}

static void free_lines(struct plot *plot)
{
    for (size_t i = 0; i < plot->line_count; ++i) {
        free(plot->lines[i].x);
        free(plot->lines[i].y);
        free(plot->lines[i].low);
        free(plot->lines[i].high);
        free(plot->lines[i].failed);
    }
}

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
    return rest > 0 ? sorted[below] + rest * (sorted[below + 1] - sorted[below]) : sorted[below];
}

/* Training loss over steps: median and quartiles over the tuned runs. False when none is finished. */
static bool fill_loss(struct plot_line *line, const struct lab_race_plan *plan, const struct lab_run *runs)
{
    double losses[LAB_SEEDS_MAX];
    for (size_t point = 0; point < line->count; ++point) {
        size_t count = 0;
        for (size_t seed = 0; seed < plan->report_seeds; ++seed)
            if (runs[seed].state != LAB_RUN_PENDING)
                losses[count++] = isnan(runs[seed].curve[point]) ? (double)INFINITY : runs[seed].curve[point];
        if (count == 0)
            return false;
        qsort(losses, count, sizeof losses[0], by_value);
        line->x[point] = (double)(point * plan->problem->score_every);
        line->y[point] = lab_median(losses, count);
        line->low[point] = quantile(losses, count, 0.25);
        line->high[point] = quantile(losses, count, 0.75);
    }
    return true;
}

/* Final validation loss against the learning rate. False when no rate was tried. */
static bool fill_sensitivity(struct plot_line *line, const struct lab_race_plan *plan, const struct lab_entry *entry)
{
    bool tried = false;
    for (size_t rate = 0; rate < plan->grid_count; ++rate) {
        line->x[rate] = plan->grid[rate];
        line->y[rate] = entry->tuning_loss[rate];
        line->failed[rate] = isinf(entry->tuning_loss[rate]);
        tried = tried || !isnan(entry->tuning_loss[rate]);
    }
    line->points = true;
    return tried;
}

/* What the lines' labels say of the learning rate. */
struct details {
    char text[LAB_CONTENDERS_MAX][NUMBER_TEXT_SIZE + 8];
};

static void tell_loss(struct plot_line *line, char *detail, size_t size, double rate)
{
    line->cut_short = line->count > 0 && !isfinite(line->y[line->count - 1]);
    if (line->cut_short)
        (void)snprintf(detail, size, "diverged");
    else
        (void)snprintf(detail, size, "lr %g", rate);
}

static void tell_sensitivity(struct plot_line *line, char *detail, size_t size, const struct lab_entry *entry,
                             double rate)
{
    const bool diverged = entry->tuned && isinf(entry->tuning_loss[entry->own_best]);
    line->special = entry->tuned && !diverged && !line->dashed ? entry->own_best : SIZE_MAX;
    if (!entry->tuned)
        (void)snprintf(detail, size, "not finished");
    else if (diverged)
        (void)snprintf(detail, size, "diverged at every rate");
    else
        (void)snprintf(detail, size, "best %g", rate);
}

/* A rule has its colour, unless an entry before this one has taken it: then the first that is free. */
static size_t choose_color(const struct plot *plot, size_t rule)
{
    for (size_t offset = 0; offset < THEME_COLORS; ++offset) {
        const size_t color = offset == 0 ? rule % THEME_COLORS : offset - 1;
        size_t i = 0;
        while (i < plot->line_count && plot->lines[i].color != color)
            ++i;
        if (i == plot->line_count)
            return color;
    }
    return rule;
}

/* One line for each entry that has something to show; one that follows another is dashed, in the other's colour. False when memory is short. */
static bool add_lines(struct plot *plot, const struct lab_race *race, bool sensitivity, struct details *details)
{
    const struct lab_race_plan *plan = race->plan;
    const size_t count = sensitivity ? plan->grid_count : plan->steps / plan->problem->score_every + 1;
    for (size_t i = 0; i < race->entry_count; ++i) {
        const struct lab_entry *entry = &race->entries[i];
        const size_t follows = plan->contenders[i].follows;
        const size_t color = choose_color(plot, (size_t)plan->contenders[i].options.rule);
        struct plot_line *line = &plot->lines[plot->line_count++];
        *line = (struct plot_line){.name = entry->name,
                                   .detail = details->text[i],
                                   .color = follows > 0 ? plot->lines[follows - 1].color : color,
                                   .dashed = follows > 0};
        details->text[i][0] = '\0';
        if (!allocate_line(line, count, !sensitivity))
            return false;
        if (!(sensitivity ? fill_sensitivity(line, plan, entry) : fill_loss(line, plan, entry->tuned_runs)))
            line->count = 0;
        if (sensitivity)
            tell_sensitivity(line, details->text[i], sizeof details->text[i], entry, plan->grid[entry->own_best]);
        else
            tell_loss(line, details->text[i], sizeof details->text[i], plan->grid[entry->best]);
    }
    return true;
}

static bool has_lines(const struct plot *plot)
{
    for (size_t i = 0; i < plot->line_count; ++i)
        if (plot->lines[i].count > 0)
            return true;
    return false;
}

/* Under what conditions the figures came about, for the subtitle. */
static void append_circumstances(struct text *text, const struct lab_race *race)
{
    text_append(text, "%s%s · rmsprop %s", race->plan->quick ? " · quick: indicative only" : "",
                race->interrupted ? " · interrupted" : "", rms_version());
}

static bool write_plot(struct plot *plot, const struct race_report *report, bool sensitivity, struct text *written)
{
    const struct lab_problem *problem = report->race->plan->problem;
    struct text title = {0};
    struct text name = {0};
    struct text subtitle = {.text = NULL};
    struct details details;
    text_append(&title, "%s: %s", problem->title,
                sensitivity ? "how much the learning rate matters" : "training loss at tuned rates");
    text_append(&name, "%s-%s", problem->name, sensitivity ? "sensitivity" : "loss");
    const struct lab_race_plan *plan = report->race->plan;
    if (sensitivity)
        text_append(&subtitle, "Mean over %zu seed%s after %zu steps", plan->tuning_seeds,
                    plan->tuning_seeds == 1 ? "" : "s", plan->steps);
    else
        text_append(&subtitle,
                    "Median and quartiles over %zu seed%s · rates tuned over %zu value%s with %zu other seed%s",
                    plan->report_seeds, plan->report_seeds == 1 ? "" : "s", plan->grid_count,
                    plan->grid_count == 1 ? "" : "s", plan->tuning_seeds, plan->tuning_seeds == 1 ? "" : "s");
    append_circumstances(&subtitle, report->race);
    plot->title = title.text;
    plot->subtitle = subtitle.text;

    bool complete =
        add_lines(plot, report->race, sensitivity, &details) && !title.failed && !name.failed && !subtitle.failed;
    if (!complete)
        complain("out of memory for the pictures");
    else if (has_lines(plot))
        complete = plot_write(plot, report->out, name.text, written);
    free_lines(plot);
    text_free(&title);
    text_free(&name);
    text_free(&subtitle);
    return complete;
}

bool race_plots_write(const struct race_report *report, struct text *written)
{
    struct plot loss = {
        .x_title = "step",
        .y_title = "training loss, log scale",
        .y_span = LOSS_SPAN,
        .cross_note = "from here on, half of the runs or more have diverged",
        .above_note = "off scale: over 10⁹ times the least loss",
    };
    struct plot sensitivity = {
        .x_title = "learning rate, log scale",
        .y_title = "final validation loss, log scale",
        .x_logarithmic = true,
        .y_span = SENSITIVITY_SPAN,
        .ring_note = "best rate",
        .cross_note = "a run diverged",
        .above_note = "off scale: over 100 times the least loss",
    };
    const bool all = write_plot(&loss, report, false, written) && write_plot(&sensitivity, report, true, written);
    plot_release();
    return all;
}
