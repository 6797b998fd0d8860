/* Where the optimizers of a race went, on problems of two parameters: as a map and in relief. */
#include "output.h"
#include "plot_map.h"
#include "race_plots.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double value_at(const void *context, double x, double y)
{
    const struct lab_instance *instance = context;
    return instance->problem->value(instance, x, y);
}

static bool is_inside(const struct lab_view *view, const double place[2])
{
    return place[0] >= view->low[0] && place[0] <= view->high[0] && place[1] >= view->low[1] &&
           place[1] <= view->high[1];
}

/* Whether a path has a point that the picture does not show. */
static bool leaves(const struct lab_view *view, const struct plot_path *path)
{
    for (size_t i = 0; i < path->count; ++i)
        if (!is_inside(view, path->places[i]))
            return true;
    return false;
}

static bool fill_path(struct plot_path *path, const struct lab_trace *trace)
{
    path->count = trace->step_count + 1;
    path->diverged = trace->diverged;
    path->places = calloc(path->count, sizeof *path->places);
    for (size_t i = 0; path->places && i < path->count; ++i)
        memcpy(path->places[i], trace->points[i].position, sizeof path->places[i]);
    return path->places != NULL;
}

static bool add_paths(struct race_map *drawn, const struct race_report *report, const struct race_traces *traces)
{
    const struct lab_race *race = report->race;
    struct plot_map *const map = &drawn->map;
    struct race_looks looks;
    race_looks_choose(&looks, race->plan);
    for (size_t i = 0; i < traces->count; ++i) {
        const size_t entry = traces->entry[i];
        struct plot_path *const path = &map->paths[map->path_count++];
        char *const detail = drawn->details[i];
        *path = (struct plot_path){.name = race->entries[entry].name,
                                   .detail = detail,
                                   .color = looks.color[entry],
                                   .dash = looks.dash[entry]};
        if (!fill_path(path, &traces->traces[i]))
            return false;
        (void)snprintf(detail, sizeof drawn->details[i], "lr %.4g%s", race->entries[entry].tuned_runs[0].learning_rate,
                       path->diverged                              ? ", diverged"
                       : leaves(&race->plan->instance->view, path) ? ", leaves the picture"
                                                                   : "");
    }
    return true;
}

bool race_map_make(struct race_map *drawn, const struct race_report *report, const struct race_traces *traces)
{
    const struct lab_instance *instance = report->race->plan->instance;
    const struct lab_view *view = &instance->view;
    struct plot_map *const map = &drawn->map;
    *drawn =
        (struct race_map){.map = {.minimum_count = view->minimum_count, .least = (double)INFINITY, .shown = SIZE_MAX}};
    memcpy(map->low, view->low, sizeof map->low);
    memcpy(map->high, view->high, sizeof map->high);
    memcpy(map->minima, view->minima, sizeof map->minima);
    map->heights = calloc((size_t)MAP_ROWS * MAP_COLUMNS, sizeof *map->heights);
    const char *note = map->heights ? plot_map_sample(map, value_at, instance) : NULL;
    text_append(&drawn->title, "%s: where optimizers go at tuned rates", instance->title);
    text_append(&drawn->subtitle, "%zu steps from one start · %s", traces->steps, note ? note : "");
    text_append(&drawn->relief_subtitle, "%zu steps from one start · drawn is log(1 + f / %.2g), f above its least",
                traces->steps, plot_map_knee(map));
    race_append_circumstances(&drawn->subtitle, report->race);
    race_append_circumstances(&drawn->relief_subtitle, report->race);
    map->title = drawn->title.text;
    map->subtitle = drawn->subtitle.text;
    map->relief_subtitle = drawn->relief_subtitle.text;
    if (note && add_paths(drawn, report, traces) && !drawn->title.failed && !drawn->subtitle.failed &&
        !drawn->relief_subtitle.failed)
        return true;
    race_map_free(drawn);
    complain("out of memory for the pictures");
    return false;
}

void race_map_free(struct race_map *drawn)
{
    for (size_t i = 0; i < drawn->map.path_count; ++i)
        free(drawn->map.paths[i].places);
    free(drawn->map.heights);
    text_free(&drawn->title);
    text_free(&drawn->subtitle);
    text_free(&drawn->relief_subtitle);
    drawn->map.path_count = 0;
    drawn->map.heights = NULL;
}

/* Whether there is something to draw: other than two variables have no view. */
bool race_map_possible(const struct lab_instance *instance)
{
    const struct lab_view *view = &instance->view;
    return instance->problem->value && view->low[0] < view->high[0] && view->low[1] < view->high[1];
}

bool race_paths_write(const struct race_report *report, const struct race_traces *traces, struct text *written)
{
    struct race_map drawn;
    struct text map_name = {0}, relief_name = {0};
    if (traces->count == 0 || !race_map_possible(report->race->plan->instance))
        return true;
    if (!race_map_make(&drawn, report, traces))
        return false;
    text_append(&map_name, "%s-paths", report->stem);
    text_append(&relief_name, "%s-relief", report->stem);
    bool complete = !map_name.failed && !relief_name.failed;
    if (!complete)
        complain("out of memory for the pictures");
    complete = complete && plot_map_write(&drawn.map, report->out, map_name.text, written) &&
               plot_relief_write(&drawn.map, report->out, relief_name.text, written);
    text_free(&map_name);
    text_free(&relief_name);
    race_map_free(&drawn);
    return complete;
}
