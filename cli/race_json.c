/* A race as one JSON document; docs/cli.md describes it. */
#include "machine.h"
#include "option_text.h"
#include "output.h"
#include "race.h"
#include "race_words.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* Counts, and seeds, which the command takes no larger than JSON's integers. */
static json_t *json_size(uint64_t value)
{
    return json_integer((json_int_t)value);
}

/* Sixteen hexadecimal digits: JSON's integers would not hold all of them. */
static json_t *hash_json(uint64_t hash)
{
    char digits[17];
    (void)snprintf(digits, sizeof digits, "%016" PRIx64, hash);
    return json_string(digits);
}

static json_t *quantity_json(const struct lab_quantity *quantity)
{
    return json_pack("{s:s, s:s, s:o, s:b}", "name", quantity->name, "unit", quantity->unit, "factor",
                     json_number(quantity->factor == 0 ? 1 : quantity->factor), "rising", quantity->rising);
}

static json_t *settings_json(const struct lab_instance *instance)
{
    json_t *settings = json_object();
    for (size_t i = 0; settings && i < instance->problem->setting_count; ++i)
        (void)json_object_set_new(settings, instance->problem->settings[i].key, json_number(instance->settings[i]));
    return settings;
}

/* What was raced on, as far as it takes to have the same again. */
static json_t *instance_json(const struct lab_instance *instance)
{
    json_t *quantities = json_pack("{s:o, s:o, s:o}", "training", quantity_json(&instance->training), "validation",
                                   quantity_json(&instance->validation), "test", quantity_json(&instance->test));
    return json_pack("{s:s, s:s, s:o, s:s?, s:s?, s:o, s:o}", "problem", instance->name, "title", instance->title,
                     "settings", settings_json(instance), "source", instance->source, "column", instance->column,
                     "data_hash", instance->data_hash != 0 ? hash_json(instance->data_hash) : json_null(), "quantities",
                     quantities);
}

static json_t *searched_json(unsigned searched)
{
    json_t *array = json_array();
    for (size_t i = 0; i < RACE_SEARCHED_COUNT; ++i)
        if (searched & race_searched[i].flag)
            array = json_append(array, json_string(race_searched[i].name));
    return array;
}

static json_t *protocol_json(const struct lab_race *race)
{
    const struct lab_race_plan *plan = race->plan;
    json_t *grid = json_array();
    for (size_t i = 0; i < plan->grid_count; ++i)
        grid = json_append(grid, json_real(plan->grid[i]));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:o, s:o}", "grid", grid, "searched",
                     searched_json(plan->searched), "tuning_seeds", json_size(plan->tuning_seeds), "report_seeds",
                     json_size(plan->report_seeds), "steps", json_size(plan->steps), "score_every",
                     json_size(plan->instance->score_every), "target", json_number(plan->instance->target), "seed",
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

static json_t *mean_json(const struct lab_mean *mean, size_t count)
{
    const bool bounded = count >= LAB_SEEDS_TO_COMPARE;
    return json_pack("{s:o, s:o, s:o}", "mean", json_number(mean->mean), "low",
                     bounded ? json_number(mean->low) : json_null(), "high",
                     bounded ? json_number(mean->high) : json_null());
}

static json_t *summary_json(const struct lab_summary *summary, double learning_rate)
{
    const size_t count = summary->run_count;
    json_t *test = interval_json(summary->test, count);
    if (test) {
        (void)json_object_set_new(test, "mean", json_number(summary->mean_test));
        (void)json_object_set_new(test, "interquartile_mean", mean_json(&summary->test_middle, count));
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "learning_rate", json_number(learning_rate), "runs",
                     json_size(count), "test", test, "training", interval_json(summary->training, count),
                     "steps_to_target", json_number(summary->steps_to_target.median), "reached_target",
                     json_size(summary->reached), "diverged", json_size(summary->diverged), "digest",
                     hash_json(summary->digest));
}

/* What a trial sets besides the learning rate, added to the object; null where the rule has no such option. */
static void add_trial(json_t *object, const struct lab_race_plan *plan, size_t contender, size_t trial)
{
    const struct lab_trial set = race_trial(plan, contender, trial);
    if (object && plan->searched & LAB_SEARCH_EPSILON)
        (void)json_object_set_new(object, "epsilon", json_number(set.epsilon));
    if (object && plan->searched & LAB_SEARCH_RHO)
        (void)json_object_set_new(object, "rho", json_number(set.rho));
    if (object && plan->searched & LAB_SEARCH_MOMENTUM)
        (void)json_object_set_new(object, "momentum", json_number(set.momentum));
}

static json_t *sensitivity_json(const struct lab_race_plan *plan, const struct lab_entry *entry, size_t contender)
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
        json_t *object =
            json_pack("{s:o, s:o, s:o, s:o}", "learning_rate", json_real(plan->grid[rate]), "validation",
                      json_number(entry->tuning_score[rate]), "runs", json_size(runs), "diverged", json_size(diverged));
        add_trial(object, plan, contender, rate);
        array = json_append(array, object);
    }
    return array;
}

/* The tuned figures are the entry's own, those with the default rate lie under "default". */
static json_t *entry_json(const struct lab_race_plan *plan, const struct lab_entry *entry, size_t contender)
{
    const rms_options *const options = &plan->contenders[contender].options;
    const double tuned_rate = entry->tuned ? plan->grid[entry->best] : (double)NAN;
    json_t *object = json_pack("{s:s, s:o, s:o, s:o, s:o}", "optimizer", entry->name, "options", options_json(options),
                               "tuned_lr", json_number(tuned_rate), "best_on_edge",
                               entry->tuned ? json_boolean(entry->best_on_edge) : json_null(), "width_decades",
                               entry->tuned ? json_number(entry->width) : json_null());
    json_t *tuned = summary_json(&entry->tuned_summary, tuned_rate);
    (void)json_object_del(tuned, "learning_rate");
    if (plan->searched != 0 && entry->tuned) {
        json_t *trial = json_object();
        add_trial(trial, plan, contender, entry->best);
        (void)json_object_set_new(object, "tuned_settings", trial);
    }
    const bool complete = json_object_update(object, tuned) == 0 &&
                          json_object_set_new(object, "default", summary_json(&entry->defaults, options->lr)) == 0 &&
                          json_object_set_new(object, "sensitivity", sensitivity_json(plan, entry, contender)) == 0;
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
        array = json_append(
            array, json_pack("{s:s, s:s, s:o, s:o, s:o, s:b}", "better", race->entries[comparison->better].name,
                             "worse", race->entries[comparison->worse].name, "difference",
                             interval_json(comparison->difference, comparison->pairs), "probability_of_improvement",
                             mean_json(&comparison->improvement, comparison->pairs), "pairs",
                             json_size(comparison->pairs), "significant", comparison->significant));
    }
    return array;
}

/* Kept apart from the entries: nothing else in the document changes when it is made again. */
static json_t *time_json(const struct lab_race *race)
{
    json_t *array = json_array();
    for (size_t i = 0; i < race->entry_count; ++i) {
        const struct lab_entry *const entry = &race->entries[i];
        array = json_append(
            array, json_pack("{s:s, s:o, s:o}", "optimizer", entry->name, "seconds_to_target",
                             interval_json(entry->tuned_summary.seconds_to_target, entry->tuned_summary.run_count),
                             "seconds_per_step", json_number(race_seconds_per_step(race->plan, entry))));
    }
    return array;
}

/* Puts what another function made under a key; without memory for it the object is released, and NULL the result. */
static json_t *with(json_t *object, const char *key, json_t *value)
{
    if (object && value && json_object_set_new(object, key, value) == 0)
        return object;
    if (!object)
        json_decref(value);
    json_decref(object);
    return NULL;
}

json_t *race_json(const struct race_report *report)
{
    const struct lab_race *race = report->race;
    json_t *entries = json_array();
    for (size_t i = 0; i < race->entry_count; ++i)
        entries = json_append(entries, entry_json(race->plan, &race->entries[i], i));
    json_t *document = instance_json(race->plan->instance);
    document = with(document, "protocol", protocol_json(race));
    document = with(document, "machine",
                    json_pack("{s:s, s:i, s:s, s:s}", "isa", rms_isa_name(report->isa), "threads", race->threads,
                              "compiler", machine_compiler(), "version", rms_version()));
    document = with(document, "entries", entries);
    document = with(document, "comparisons", comparisons_json(race));
    if (report->states) {
        document = with(document, "states", race_states_json(report));
        document = with(document, "left_out", race_left_out_json(report));
    }
    document = with(document, "time", time_json(race));
    return with(document, "rerun", json_string(report->rerun));
}
