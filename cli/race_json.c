/* A race as one JSON document; docs/cli.md describes it. */
#include "machine.h"
#include "option_text.h"
#include "output.h"
#include "race.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* Counts, and seeds, which the command takes no larger than JSON's integers. */
static json_t *json_size(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *protocol_json(const struct lab_race *race)
{
    const struct lab_race_plan *plan = race->plan;
    json_t *grid = json_array();
    for (size_t i = 0; i < plan->grid_count; ++i)
        grid = json_append(grid, json_real(plan->grid[i]));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:o, s:o}", "grid", grid, "tuning_seeds",
                     json_size(plan->tuning_seeds), "report_seeds", json_size(plan->report_seeds), "steps",
                     json_size(plan->steps), "target", json_number(plan->problem->target), "seed",
                     json_size(plan->seed), "quick", plan->quick, "interrupted", race->interrupted, "runs_done",
                     json_size(race->runs_done), "runs_total", json_size(race->runs_total));
}

/* Of too few values there is no interval of 95 %. */
static json_t *interval_json(struct lab_interval interval, size_t count)
{
    const bool bounded = count >= LAB_SEEDS_TO_COMPARE;
    return json_pack("{s:o, s:o, s:o}", "median", json_number(interval.median), "low",
                     bounded ? json_number(interval.low) : json_null(), "high",
                     bounded ? json_number(interval.high) : json_null());
}

static json_t *summary_json(const struct lab_summary *summary, double learning_rate)
{
    char digest[17];
    (void)snprintf(digest, sizeof digest, "%016" PRIx64, summary->digest);
    json_t *accuracy = interval_json(summary->accuracy, summary->run_count);
    (void)json_object_set_new(accuracy, "mean", json_number(summary->mean_accuracy));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "learning_rate", json_number(learning_rate), "runs",
                     json_size(summary->run_count), "test_accuracy", accuracy, "final_loss",
                     interval_json(summary->training_loss, summary->run_count), "steps_to_target",
                     json_number(summary->steps_to_target.median), "reached_target", json_size(summary->reached),
                     "diverged", json_size(summary->diverged), "digest", digest);
}

static json_t *sensitivity_json(const struct lab_race_plan *plan, const struct lab_entry *entry)
{
    json_t *array = json_array();
    for (size_t rate = 0; rate < plan->grid_count; ++rate) {
        size_t runs = 0;
        size_t diverged = 0;
        for (size_t seed = 0; seed < plan->tuning_seeds; ++seed) {
            const enum lab_run_state state = entry->tuning[rate * plan->tuning_seeds + seed].state;
            runs += state != LAB_RUN_PENDING;
            diverged += state == LAB_RUN_DIVERGED;
        }
        array = json_append(array, json_pack("{s:o, s:o, s:o, s:o}", "learning_rate", json_real(plan->grid[rate]),
                                             "loss", json_number(entry->tuning_loss[rate]), "runs", json_size(runs),
                                             "diverged", json_size(diverged)));
    }
    return array;
}

/* The tuned figures are the entry's own, those with the default rate lie under "default". */
static json_t *entry_json(const struct lab_race_plan *plan, const struct lab_entry *entry, const rms_options *options)
{
    const double tuned_rate = entry->tuned ? plan->grid[entry->best] : (double)NAN;
    json_t *object = json_pack("{s:s, s:o, s:o, s:o, s:o}", "optimizer", entry->name, "options", options_json(options),
                               "tuned_lr", json_number(tuned_rate), "best_on_edge",
                               entry->tuned ? json_boolean(entry->best_on_edge) : json_null(), "width_decades",
                               entry->tuned ? json_number(entry->width) : json_null());
    json_t *tuned = summary_json(&entry->tuned_summary, tuned_rate);
    (void)json_object_del(tuned, "learning_rate");
    const bool complete = json_object_update(object, tuned) == 0 &&
                          json_object_set_new(object, "default", summary_json(&entry->defaults, options->lr)) == 0 &&
                          json_object_set_new(object, "sensitivity", sensitivity_json(plan, entry)) == 0;
    json_decref(tuned);
    if (complete)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *comparisons_json(const struct lab_race *race)
{
    json_t *array = json_array();
    for (size_t i = 0; i < race->comparison_count; ++i) {
        const struct lab_comparison *comparison = &race->tuned_comparisons[i];
        array =
            json_append(array, json_pack("{s:s, s:s, s:o, s:o, s:b}", "better", race->entries[comparison->better].name,
                                         "worse", race->entries[comparison->worse].name, "difference",
                                         interval_json(comparison->difference, comparison->pairs), "pairs",
                                         json_size(comparison->pairs), "significant", comparison->significant));
    }
    return array;
}

json_t *race_json(const struct race_report *report)
{
    const struct lab_race *race = report->race;
    json_t *entries = json_array();
    for (size_t i = 0; i < race->entry_count; ++i)
        entries = json_append(entries, entry_json(race->plan, &race->entries[i], &race->plan->contenders[i].options));
    json_t *machine = json_pack("{s:s, s:i, s:s, s:s}", "isa", rms_isa_name(report->isa), "threads", race->threads,
                                "compiler", machine_compiler(), "version", rms_version());
    if (!report->states)
        return json_pack("{s:s, s:o, s:o, s:o, s:o, s:s}", "problem", race->plan->problem->name, "protocol",
                         protocol_json(race), "machine", machine, "entries", entries, "comparisons",
                         comparisons_json(race), "rerun", report->rerun);
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "problem", race->plan->problem->name, "protocol",
                     protocol_json(race), "machine", machine, "entries", entries, "comparisons", comparisons_json(race),
                     "states", race_states_json(report), "left_out", race_left_out_json(report), "rerun",
                     report->rerun);
}
