/* The pictures of a race: which there are, and what they share. */
#include "race_plots.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- axes ----------------------------------------------------------------------------------------- */

void race_scale_choose(struct race_scale *scale, const struct lab_quantity *quantity, double least)
{
    const bool linear = quantity->rising;
    const bool shifted = !linear && isfinite(least) && least < 0;
    *scale = (struct race_scale){.factor = quantity->factor > 0 ? quantity->factor : 1, .linear = linear};
    struct text title = {0};
    text_append(&title, "%s", quantity->name);
    if (shifted) {
        char number[NUMBER_TEXT_SIZE];
        scale->least = least;
        text_append(&title, " above the least found, %s", number_text(number, scale->factor * least, 6));
    }
    text_append(&title, "%s%s%s", quantity->unit[0] != '\0' ? " in " : "", quantity->unit, linear ? "" : ", log scale");
    (void)snprintf(scale->title, sizeof scale->title, "%s", title.failed ? "" : title.text);
    text_free(&title);
}

double race_scale_apply(const struct race_scale *scale, double value)
{
    return scale->factor * (value - scale->least);
}

/* ---- colours -------------------------------------------------------------------------------------- */

static bool is_taken(const struct race_looks *looks, size_t count, size_t color, enum plot_dash dash)
{
    for (size_t i = 0; i < count; ++i)
        if (looks->color[i] == color && looks->dash[i] == dash)
            return true;
    return false;
}

/* The first pair that is free; own colours are tried before others, and these before dashes. */
static void choose_pair(struct race_looks *looks, size_t contender, size_t own, enum plot_dash first_dash)
{
    for (enum plot_dash dash = first_dash; dash < PLOT_DASH_COUNT; ++dash)
        for (size_t offset = 0; offset < THEME_COLORS; ++offset) {
            const size_t color = offset == 0 ? own : offset - 1;
            looks->color[contender] = color;
            looks->dash[contender] = dash;
            if (!is_taken(looks, contender, color, dash))
                return;
        }
}

/* One that follows another has its colour and the first dash that is free. */
static void follow(struct race_looks *looks, size_t contender, size_t color)
{
    looks->color[contender] = color;
    for (enum plot_dash dash = PLOT_DASHED; dash < PLOT_DASH_COUNT; ++dash) {
        looks->dash[contender] = dash;
        if (!is_taken(looks, contender, color, dash))
            return;
    }
    choose_pair(looks, contender, color, PLOT_DASHED);
}

void race_looks_choose(struct race_looks *looks, const struct lab_race_plan *plan)
{
    for (size_t i = 0; i < plan->contender_count; ++i) {
        const struct lab_contender *contender = &plan->contenders[i];
        if (contender->follows > 0 && contender->follows <= i)
            follow(looks, i, looks->color[contender->follows - 1]);
        else
            choose_pair(looks, i, (size_t)contender->options.rule % THEME_COLORS, PLOT_SOLID);
    }
}

/* ---- words ---------------------------------------------------------------------------------------- */

void race_append_circumstances(struct text *text, const struct lab_race *race)
{
    text_append(text, "%s%s · rmsprop %s", race->plan->quick ? " · quick: indicative only" : "",
                race->interrupted ? " · interrupted" : "", rms_version());
}

/* ---- lines ---------------------------------------------------------------------------------------- */

bool race_line_allocate(struct plot_line *line, size_t count, bool banded)
{
    line->count = count;
    line->special = SIZE_MAX;
    line->x = calloc(count, sizeof *line->x);
    line->y = calloc(count, sizeof *line->y);
    line->low = banded ? calloc(count, sizeof *line->low) : NULL;
    line->high = banded ? calloc(count, sizeof *line->high) : NULL;
    line->failed = banded ? NULL : calloc(count, sizeof *line->failed);
    line->strong = banded ? NULL : calloc(count, sizeof *line->strong);
    return line->x && line->y && (banded ? line->low && line->high : line->failed && line->strong);
}

void race_lines_free(struct plot *plot)
{
    for (size_t i = 0; i < plot->line_count; ++i) {
        free(plot->lines[i].x);
        free(plot->lines[i].y);
        free(plot->lines[i].low);
        free(plot->lines[i].high);
        free(plot->lines[i].failed);
        free(plot->lines[i].strong);
    }
    plot->line_count = 0;
}

bool race_lines_any(const struct plot *plot)
{
    for (size_t i = 0; i < plot->line_count; ++i)
        if (plot->lines[i].count > 0)
            return true;
    return false;
}

bool race_plots_write(const struct race_report *report, struct text *written)
{
    struct race_traces traces;
    bool all = race_curves_write(report, written) && race_sensitivity_write(report, written) &&
               race_traces_make(&traces, report);
    if (all) {
        all = race_paths_write(report, &traces, written) && race_rates_write(report, &traces, written) &&
              race_gradients_write(report, &traces, written);
        race_traces_free(&traces);
    }
    plot_release();
    return all;
}
