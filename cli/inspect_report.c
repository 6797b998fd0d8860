/* An inspection as JSON and as a picture. */
#include "inspect.h"

#include "file.h"
#include "option_text.h"
#include "output.h"
#include "plot.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- JSON ----------------------------------------------------------------------------------------- */

static json_t *group_json(const struct inspection *inspection, size_t group)
{
    rms_options options;
    if (rms_checkpoint_options(inspection->checkpoint, group, &options, sizeof options) != RMS_OK)
        return json_null();
    return json_pack("{s:s, s:o, s:o}", "rule", rms_rule_name(options.rule), "options", options_json(&options),
                     "state_bytes_per_parameter", json_number(inspection_state_share(inspection, group)));
}

static json_t *slots_json(const struct inspection *inspection, const rms_checkpoint_tensor *tensor)
{
    rms_options options;
    json_t *slots = json_array();
    if (rms_checkpoint_options(inspection->checkpoint, tensor->group, &options, sizeof options) != RMS_OK)
        return slots;
    for (size_t slot = 0; slot < RMS_SLOTS_MAX; ++slot)
        if (tensor->slots >> slot & 1)
            slots = json_append(slots, json_string(rms_slot_name(options.rule, slot)));
    return slots;
}

static json_t *bins_json(const struct rates *rates)
{
    json_t *bins = json_array();
    for (size_t bin = 0; bin < BINS; ++bin)
        if (rates->count[bin] > 0)
            bins = json_append(bins, json_pack("{s:f, s:f, s:I}", "from", bin_start(bin), "to", bin_start(bin + 1),
                                               "count", (json_int_t)rates->count[bin]));
    return bins;
}

static json_t *rates_json(const struct rates *rates)
{
    return json_pack("{s:o, s:o, s:o, s:I, s:I, s:o}", "minimum", json_number(rates->minimum), "median",
                     json_number(rates->median), "maximum", json_number(rates->maximum), "zero",
                     (json_int_t)rates->zero, "nonfinite", (json_int_t)rates->nonfinite, "bins", bins_json(rates));
}

static json_t *tensor_json(const struct inspection *inspection, const struct inspected *found)
{
    const rms_checkpoint_tensor *tensor = &found->tensor;
    const double largest = found->has_values ? found->largest : (double)NAN;
    const double mean = found->has_values ? found->root_mean_square : (double)NAN;
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:o, s:I, s:b, s:o, s:o, s:o, s:{s:I, s:I, s:I}}", "name", tensor->name,
                     "dtype", rms_dtype_name(tensor->dtype), "count", (json_int_t)tensor->count, "group",
                     (json_int_t)tensor->group, "steps", (json_int_t)tensor->steps, "slots",
                     slots_json(inspection, tensor), "state_bytes", (json_int_t)found->state_bytes, "parameters",
                     (int)tensor->has_param, "largest", json_number(largest), "root_mean_square", json_number(mean),
                     "effective_rate", rates_json(&found->rates), "flags", "dead", (json_int_t)found->dead, "exploding",
                     (json_int_t)found->exploding, "nonfinite", (json_int_t)found->nonfinite);
}

json_t *inspection_json(const struct inspection *inspection)
{
    const rms_checkpoint_info *info = &inspection->info;
    json_t *groups = json_array();
    for (size_t i = 0; i < info->group_count; ++i)
        groups = json_append(groups, group_json(inspection, i));
    json_t *tensors = json_array();
    for (size_t i = 0; i < info->tensor_count; ++i)
        tensors = json_append(tensors, tensor_json(inspection, &inspection->tensors[i]));
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:I, s:I, s:o, s:o}", "version", rms_version(), "file",
                     inspection->path, "layout", rms_layout_name(info->layout), "written_by", info->version, "format",
                     info->format, "steps", (json_int_t)info->steps, "bytes", (json_int_t)info->file_bytes, "groups",
                     groups, "tensors", tensors);
}

/* ---- the picture ---------------------------------------------------------------------------------- */

/* More lines than this cannot be told apart. */
enum { LINES_MAX = 6, DETAIL_SIZE = 48 };

/* The tensors with the most parameters, in the order of the file. Returns how many. */
static size_t choose_tensors(const struct inspection *inspection, size_t chosen[LINES_MAX])
{
    size_t count = 0;
    for (size_t t = 0; t < inspection->info.tensor_count; ++t) {
        size_t larger = 0;
        const size_t own = inspection->tensors[t].tensor.count;
        for (size_t k = 0; k < inspection->info.tensor_count; ++k) {
            const size_t other = inspection->tensors[k].tensor.count;
            larger += other > own || (other == own && k < t);
        }
        if (larger < LINES_MAX && !isnan(inspection->tensors[t].rates.median))
            chosen[count++] = t;
    }
    return count;
}

/* Share of the tensor's parameters in each bin, at the bin's middle; empty bins beside full ones end the line there. */
static bool fill_line(struct plot_line *line, const struct inspected *found, size_t first, size_t last)
{
    line->count = last - first + 1;
    line->special = SIZE_MAX;
    line->points = true;
    line->x = calloc(line->count, sizeof *line->x);
    line->y = calloc(line->count, sizeof *line->y);
    line->failed = calloc(line->count, sizeof *line->failed);
    if (!line->x || !line->y || !line->failed)
        return false;
    for (size_t bin = first; bin <= last; ++bin) {
        line->x[bin - first] = sqrt(bin_start(bin) * bin_start(bin + 1));
        line->y[bin - first] = (double)found->rates.count[bin] / (double)found->tensor.count;
    }
    return true;
}

static bool fill_plot(struct plot *plot, const struct inspection *inspection, char details[LINES_MAX][DETAIL_SIZE])
{
    size_t first;
    size_t last;
    size_t chosen[LINES_MAX];
    const size_t count = inspection_range(inspection, &first, &last) ? choose_tensors(inspection, chosen) : 0;
    for (size_t i = 0; i < count; ++i) {
        const struct inspected *found = &inspection->tensors[chosen[i]];
        struct plot_line *line = &plot->lines[plot->line_count++];
        (void)snprintf(details[i], DETAIL_SIZE, "median %.2g", found->rates.median);
        line->name = shown_name(&found->tensor);
        line->detail = details[i];
        line->color = i;
        if (!fill_line(line, found, first, last))
            return false;
    }
    return true;
}

bool inspection_plot(const struct inspection *inspection, const char *folder, struct text *written)
{
    char details[LINES_MAX][DETAIL_SIZE];
    char subtitle[128];
    const size_t count = inspection->info.tensor_count;
    const uint64_t steps = inspection->info.steps;
    const char *plural = steps == 1 ? "" : "s";
    if (count > LINES_MAX)
        (void)snprintf(subtitle, sizeof subtitle, "after %" PRIu64 " step%s; the %d largest of %zu tensors", steps,
                       plural, (int)LINES_MAX, count);
    else
        (void)snprintf(subtitle, sizeof subtitle, "after %" PRIu64 " step%s", steps, plural);
    struct plot plot = {
        .title = "At which rate each parameter learns",
        .subtitle = subtitle,
        .x_title = "effective learning rate",
        .y_title = "share of the tensor's parameters",
        .x_logarithmic = true,
        .y_span = 1e9,
        .ring_note = "",
        .cross_note = "",
        .above_note = "",
    };
    const bool filled = fill_plot(&plot, inspection, details);
    if (!filled)
        complain("inspect: out of memory");
    else if (plot.line_count == 0)
        complain("inspect: no parameter has a rate to draw");
    const bool done =
        filled && plot.line_count > 0 && folder_prepare(folder) && plot_write(&plot, folder, "inspect", written);
    for (size_t i = 0; i < plot.line_count; ++i) {
        free(plot.lines[i].x);
        free(plot.lines[i].y);
        free(plot.lines[i].failed);
    }
    plot_release();
    return done;
}
