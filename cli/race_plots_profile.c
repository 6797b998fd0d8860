/* What several races come to together, as a picture; and the film of one. */
#include "animate.h"
#include "output.h"
#include "race_plots.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- the performance profile ---------------------------------------------------------------------- */

struct profile_details {
    char text[LAB_CONTENDERS_MAX][NUMBER_TEXT_SIZE + 8];
};

static bool add_profiles(struct plot *plot, const struct lab_profile *profile, const struct lab_race_plan *plan,
                         struct profile_details *details)
{
    struct race_looks looks;
    race_looks_choose(&looks, plan);
    for (size_t i = 0; i < profile->entry_count; ++i) {
        struct plot_line *const line = &plot->lines[plot->line_count++];
        *line = (struct plot_line){.name = profile->entries[i].name,
                                   .detail = details->text[i],
                                   .color = looks.color[i],
                                   .dash = looks.dash[i]};
        (void)snprintf(details->text[i], sizeof details->text[i], "score %.2f", profile->entries[i].score);
        if (!race_line_allocate(line, LAB_PROFILE_POINTS, false))
            return false;
        line->count = lab_profile_curve(profile, i, line->x, line->y);
        for (size_t k = 0; k < line->count; ++k)
            line->y[k] *= 100;
    }
    return true;
}

bool race_profile_write(const struct lab_profile *profile, const struct lab_race_plan *plan, const char *out,
                        struct text *written)
{
    struct profile_details details;
    struct text subtitle = {0};
    struct plot plot = {
        .title = "Who is first, and by how much the others are behind",
        .x_title = "steps to the target, in those of the first",
        .y_title = "problems solved in so many steps, %",
        .y_linear = true,
        .y_from = 0,
        .y_to = 100,
        .cable = true,
    };
    text_append(&subtitle, "Performance profile over %zu problem%s · medians of %zu seed%s%s · rmsprop %s",
                profile->aimed_count, profile->aimed_count == 1 ? "" : "s", plan->report_seeds,
                plan->report_seeds == 1 ? "" : "s", plan->quick ? " · quick: indicative only" : "", rms_version());
    plot.subtitle = subtitle.text;
    bool complete = add_profiles(&plot, profile, plan, &details) && !subtitle.failed;
    if (!complete)
        complain("out of memory for the pictures");
    else
        complete = plot_write(&plot, out, "profile", written);
    race_lines_free(&plot);
    text_free(&subtitle);
    plot_release();
    return complete;
}

/* ---- the film ------------------------------------------------------------------------------------- */

enum { FRAMES = 100, FRAMES_HELD = 36 }; /* the last one stays for a while */
#define FRAMES_PER_SECOND 20.0

/* Time passes ever faster: optimizers do most at the beginning. */
static cairo_surface_t *frame_of(void *context, size_t index)
{
    struct plot_film *const film = context;
    const double share = index < FRAMES - 1 ? (double)index / (FRAMES - 1) : 1;
    return plot_film_frame(film, (size_t)floor((double)film->steps * share * share + 0.5));
}

static bool write_film(const struct race_map *drawn, const struct race_report *report, struct text *written)
{
    struct plot_film film;
    struct text name = {0};
    text_append(&name, "%s-paths", report->stem);
    bool complete = plot_film_make(&film, &drawn->map) && !name.failed;
    const struct animation animation = {
        .frame_count = FRAMES + FRAMES_HELD,
        .width = (int)MAP_WIDTH,
        .height = (int)MAP_HEIGHT,
        .frames_per_second = FRAMES_PER_SECOND,
        .frame = frame_of,
        .context = &film,
    };
    if (!complete)
        complain("out of memory for the film");
    complete = complete && animate_write(&animation, report->out, name.text, written);
    plot_film_free(&film);
    text_free(&name);
    return complete;
}

bool race_animate_write(const struct race_report *report, struct text *written)
{
    struct race_traces traces;
    struct race_map drawn;
    const struct lab_instance *instance = report->race->plan->instance;
    if (!race_map_possible(instance)) {
        complain("--animate: %s has no two parameters whose paths could be drawn", instance->name);
        return false;
    }
    if (!race_traces_make(&traces, report))
        return false;
    bool complete = true;
    if (traces.count > 0) {
        complete = race_map_make(&drawn, report, &traces) && write_film(&drawn, report, written);
        race_map_free(&drawn);
    }
    race_traces_free(&traces);
    plot_release();
    return complete;
}
