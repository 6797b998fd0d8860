/* The lines of a race's log. Numbers read back as the ones they were: 17 digits, and words for what JSON has no numbers
 * for; 64 bits are written in hexadecimal, as JSON's integers have a sign. */
#include "race_log_lines.h"

#include "machine.h"
#include "option_text.h"
#include "output.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT = 1 };

static const struct {
    const char *name;
    unsigned searched;
    size_t place; /* in struct lab_trial */
} searches[] = {
    {"epsilon", LAB_SEARCH_EPSILON, offsetof(struct lab_trial, epsilon)},
    {"rho", LAB_SEARCH_RHO, offsetof(struct lab_trial, rho)},
    {"momentum", LAB_SEARCH_MOMENTUM, offsetof(struct lab_trial, momentum)},
};
enum { SEARCHES = sizeof searches / sizeof *searches };

static const char *const phases[] = {"tuning", "default", "tuned"};
static const char *const resets[] = {"nothing", "state", "steps"};

static char *dump(json_t *document)
{
    char *const line = document ? json_dumps(document, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(document);
    return line;
}

static json_t *any_number(double value)
{
    if (isfinite(value))
        return json_real(value);
    return json_string(isnan(value) ? "nan" : value > 0.0 ? "inf" : "-inf");
}

static json_t *hexadecimal(uint64_t value)
{
    char text[17];
    (void)snprintf(text, sizeof text, "%016" PRIx64, value);
    return json_string(text);
}

static json_t *count(size_t value)
{
    return json_integer((json_int_t)value);
}

/* ---------------------------------------------------------------------------------------------------
 * The plan
 * ------------------------------------------------------------------------------------------------- */

/* What of these is searched, by name; in a run's line, what it set. */
static json_t *trial_json(const struct lab_trial *trial)
{
    json_t *object = json_object();
    for (size_t i = 0; i < SEARCHES; ++i) {
        double value;
        memcpy(&value, (const char *)trial + searches[i].place, sizeof value);
        if (!isnan(value))
            (void)json_object_set_new(object, searches[i].name, any_number(value));
    }
    return object;
}

static json_t *grid_json(const struct lab_race_plan *plan)
{
    json_t *array = json_array();
    for (size_t i = 0; i < plan->grid_count; ++i)
        array = json_append(array, any_number(plan->grid[i]));
    return array;
}

/* Only what is searched: of the rest, trials may hold anything. */
static json_t *trials_json(const struct lab_race_plan *plan)
{
    json_t *array = json_array();
    for (size_t i = 0; plan->searched != 0 && i < plan->grid_count; ++i) {
        json_t *trial = trial_json(&plan->trials[i]);
        for (size_t k = 0; k < SEARCHES; ++k)
            if (!(plan->searched & searches[k].searched))
                (void)json_object_del(trial, searches[k].name);
        array = json_append(array, trial);
    }
    return array;
}

/* Where a run takes place changes no bit of it. */
static json_t *contender_json(const struct lab_race_plan *plan, const struct lab_contender *contender)
{
    json_t *options = options_json(&contender->options);
    (void)json_object_del(options, "isa");
    (void)json_object_del(options, "threads");
    const char *follows = contender->follows > 0 && contender->follows <= plan->contender_count
                              ? plan->contenders[contender->follows - 1].name
                              : NULL;
    return json_pack("{s:s, s:s, s:o, s:s?, s:s}", "name", contender->name, "rule",
                     rms_rule_name(contender->options.rule), "options", options, "follows", follows, "reset",
                     resets[contender->reset]);
}

static json_t *contenders_json(const struct lab_race_plan *plan)
{
    json_t *array = json_array();
    for (size_t i = 0; i < plan->contender_count; ++i)
        array = json_append(array, contender_json(plan, &plan->contenders[i]));
    return array;
}

/* Data are what they hold, not the file that it came from. */
static json_t *problem_json(const struct lab_instance *instance)
{
    json_t *settings = json_object();
    for (size_t i = 0; i < instance->problem->setting_count; ++i)
        (void)json_object_set_new(settings, instance->problem->settings[i].key, any_number(instance->settings[i]));
    const char *source = instance->data_hash == 0 ? instance->source : NULL;
    const uint64_t object = lab_instance_object_hash(instance);
    return json_pack("{s:s, s:o, s:s?, s:s?, s:o, s:o, s:o, s:o}", "name", instance->problem->name, "settings",
                     settings, "source", source, "column", instance->column, "data_hash",
                     hexadecimal(instance->data_hash), "object_hash", object != 0 ? hexadecimal(object) : json_null(),
                     "target", any_number(instance->target), "score_every", count(instance->score_every));
}

static json_t *plan_json(const struct lab_race_plan *plan)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o}", "problem", problem_json(plan->instance), "steps",
                     count(plan->steps), "seed", hexadecimal(plan->seed), "tuning_seeds", count(plan->tuning_seeds),
                     "report_seeds", count(plan->report_seeds), "quick", plan->quick, "learning_rates", grid_json(plan),
                     "trials", trials_json(plan), "contenders", contenders_json(plan));
}

char *race_log_first_line(const struct lab_race_plan *plan, const char *command)
{
    rms_isa isa = RMS_ISA_AUTO;
    (void)machine_isa(&isa);
    return dump(json_pack("{s:s, s:i, s:s, s:s, s:{s:s, s:s}, s:o}", "log", "rmsprop race", "format", FORMAT, "version",
                          rms_version(), "command", command, "machine", "isa", rms_isa_name(isa), "compiler",
                          machine_compiler(), "plan", plan_json(plan)));
}

/* ---------------------------------------------------------------------------------------------------
 * Whether it is the same
 * ------------------------------------------------------------------------------------------------- */

/* Of contenders their names, which say most. */
static void append_value(struct text *text, const json_t *value)
{
    if (json_object_get(json_array_get(value, 0), "name")) {
        for (size_t i = 0; i < json_array_size(value); ++i) {
            const char *const name = json_string_value(json_object_get(json_array_get(value, i), "name"));
            text_append(text, "%s%.40s", i > 0 ? "," : "", name ? name : "?");
        }
        return;
    }
    char *const word = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)) : NULL;
    text_append(text, "%.40s%s", word ? word : "nothing", word && strlen(word) > 40 ? "..." : "");
    free(word);
}

/* Appends where the first difference lies, and both values: "steps is 800 there, 400 here". */
static void append_difference(struct text *text, const char *name, const json_t *there, json_t *here)
{
    if (json_is_object(there) && json_is_object(here)) {
        const char *key;
        json_t *value;
        json_object_foreach(here, key, value) if (!json_equal(json_object_get(there, key), value))
        {
            append_difference(text, key, json_object_get(there, key), value);
            return;
        }
    }
    if (json_is_array(there) && json_is_array(here) && json_array_size(there) == json_array_size(here))
        for (size_t i = 0; i < json_array_size(here); ++i)
            if (!json_equal(json_array_get(there, i), json_array_get(here, i))) {
                const char *const of = json_string_value(json_object_get(json_array_get(here, i), "name"));
                text_append(text, "%s %zu%s%s%s: ", name, i + 1, of ? " (" : "", of ? of : "", of ? ")" : "");
                append_difference(text, "it", json_array_get(there, i), json_array_get(here, i));
                return;
            }
    text_append(text, "%s is ", name);
    append_value(text, there);
    text_append(text, " there, ");
    append_value(text, here);
    text_append(text, " here");
}

bool race_log_is_of(const struct lab_race_plan *plan, const char *line, size_t length, struct text *why)
{
    json_t *const first = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
    json_t *const here = plan_json(plan);
    const json_t *const there = json_object_get(first, "plan");
    const char *const log = json_string_value(json_object_get(first, "log"));
    const char *const version = json_string_value(json_object_get(first, "version"));
    const json_int_t format = json_integer_value(json_object_get(first, "format"));
    bool same = false;
    if (!here)
        text_append(why, "not enough memory to read it");
    else if (!log || strcmp(log, "rmsprop race") != 0 || !version || !json_is_object(there))
        text_append(why, "it is no log of a race");
    else if (format != FORMAT)
        text_append(why, "it is a log of format %" JSON_INTEGER_FORMAT " (this version reads %d)", format, FORMAT);
    else if (strcmp(version, rms_version()) != 0)
        text_append(why, "version %.40s began it, and this is %s", version, rms_version());
    else if (!json_equal(there, here)) {
        text_append(why, "it is of another race: ");
        append_difference(why, "plan", there, here);
    } else
        same = true;
    json_decref(first);
    json_decref(here);
    return same;
}

/* ---------------------------------------------------------------------------------------------------
 * Runs
 * ------------------------------------------------------------------------------------------------- */

enum race_log_phase race_log_phase_of(const struct lab_run *run, const struct lab_race *race,
                                      const struct lab_entry *entry)
{
    for (size_t i = 0; i < race->plan->report_seeds; ++i) {
        if (entry->default_runs[i].curve == run->curve)
            return RACE_LOG_DEFAULT;
        if (entry->tuned_runs[i].curve == run->curve)
            return RACE_LOG_TUNED;
    }
    return RACE_LOG_TUNING;
}

char *race_log_run_line(const struct lab_run *run, const struct lab_race *race, const struct lab_entry *entry)
{
    const size_t scores = race->plan->steps / race->plan->instance->score_every + 1;
    json_t *curve = json_array();
    for (size_t i = 0; i < scores; ++i)
        curve = json_append(curve, any_number(run->curve[i]));
    return dump(json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "phase",
                          phases[race_log_phase_of(run, race, entry)], "optimizer", entry->name, "seed",
                          hexadecimal(run->seed), "learning_rate", any_number(run->learning_rate), "trial",
                          trial_json(&run->trial), "state", run->state == LAB_RUN_DIVERGED ? "diverged" : "done",
                          "training", any_number(run->final.training), "validation", any_number(run->final.validation),
                          "test", any_number(run->final.test), "steps_to_target",
                          run->steps_to_target == SIZE_MAX ? json_null() : count(run->steps_to_target), "seconds",
                          any_number(run->seconds), "seconds_to_target", any_number(run->seconds_to_target), "digest",
                          hexadecimal(run->digest), "curve", curve));
}

static bool read_number(double *value, const json_t *json)
{
    static const struct {
        const char *word;
        double value;
    } words[] = {{"nan", (double)NAN}, {"inf", HUGE_VAL}, {"-inf", -HUGE_VAL}};
    *value = json_number_value(json);
    for (size_t i = 0; json_is_string(json) && i < sizeof words / sizeof *words; ++i)
        if (strcmp(json_string_value(json), words[i].word) == 0) {
            *value = words[i].value;
            return true;
        }
    return json_is_number(json);
}

static bool read_hexadecimal(uint64_t *value, const json_t *json)
{
    static const char digits[] = "0123456789abcdef";
    const char *const text = json_string_value(json);
    if (!text || strlen(text) != 16 || strspn(text, digits) != 16)
        return false;
    *value = strtoull(text, NULL, 16);
    return true;
}

static bool read_trial(struct lab_trial *trial, const json_t *json)
{
    for (size_t i = 0; i < SEARCHES; ++i) {
        double value = (double)NAN;
        const json_t *const given = json_object_get(json, searches[i].name);
        if (given && !read_number(&value, given))
            return false;
        memcpy((char *)trial + searches[i].place, &value, sizeof value);
    }
    return json_is_object(json);
}

/* One that was done has a finite score; one that diverged has any but NaN, which has no order. */
static bool read_score(struct lab_run *run, const json_t *line)
{
    const char *const state = json_string_value(json_object_get(line, "state"));
    struct lab_score *const score = &run->final;
    if (!state || !read_number(&score->training, json_object_get(line, "training")) ||
        !read_number(&score->validation, json_object_get(line, "validation")) ||
        !read_number(&score->test, json_object_get(line, "test")))
        return false;
    run->state = strcmp(state, "done") == 0 ? LAB_RUN_DONE : LAB_RUN_DIVERGED;
    if (run->state == LAB_RUN_DONE)
        return isfinite(score->training) && isfinite(score->validation) && isfinite(score->test);
    return strcmp(state, "diverged") == 0 && !isnan(score->training) && !isnan(score->validation) &&
           !isnan(score->test);
}

static bool read_target(struct lab_run *run, const struct lab_race_plan *plan, const json_t *line)
{
    const json_t *const steps = json_object_get(line, "steps_to_target");
    const json_int_t number = json_integer_value(steps);
    if (!(json_is_null(steps) || (json_is_integer(steps) && number >= 0 && (uint64_t)number <= plan->steps)))
        return false;
    run->steps_to_target = json_is_null(steps) ? SIZE_MAX : (size_t)number;
    return read_number(&run->seconds, json_object_get(line, "seconds")) && isfinite(run->seconds) &&
           read_number(&run->seconds_to_target, json_object_get(line, "seconds_to_target")) &&
           !isnan(run->seconds_to_target);
}

static bool read_curve(struct lab_run *run, size_t scores, const json_t *line)
{
    const json_t *const curve = json_object_get(line, "curve");
    if (json_array_size(curve) != scores || scores > SIZE_MAX / sizeof *run->curve)
        return false;
    run->curve = malloc(scores * sizeof *run->curve);
    bool read = run->curve != NULL;
    for (size_t i = 0; read && i < scores; ++i)
        read = read_number(&run->curve[i], json_array_get(curve, i));
    return read;
}

static bool read_phase(enum race_log_phase *phase, const json_t *json)
{
    const char *const name = json_string_value(json);
    for (size_t i = 0; name && i < sizeof phases / sizeof *phases; ++i)
        if (strcmp(name, phases[i]) == 0) {
            *phase = (enum race_log_phase)i;
            return true;
        }
    return false;
}

static size_t find_contender(const struct lab_race_plan *plan, const char *name)
{
    size_t i = 0;
    while (i < plan->contender_count && (!name || strcmp(plan->contenders[i].name, name) != 0))
        ++i;
    return i;
}

bool race_log_read_run(struct race_log_record *record, const struct lab_race_plan *plan, const char *line,
                       size_t length)
{
    *record = (struct race_log_record){0};
    json_t *const json = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
    struct lab_run *const run = &record->run;
    record->entry = find_contender(plan, json_string_value(json_object_get(json, "optimizer")));
    const bool read =
        record->entry < plan->contender_count && read_phase(&record->phase, json_object_get(json, "phase")) &&
        read_hexadecimal(&run->seed, json_object_get(json, "seed")) &&
        read_hexadecimal(&run->digest, json_object_get(json, "digest")) &&
        read_number(&run->learning_rate, json_object_get(json, "learning_rate")) &&
        read_trial(&run->trial, json_object_get(json, "trial")) && read_score(run, json) &&
        read_target(run, plan, json) && read_curve(run, plan->steps / plan->instance->score_every + 1, json);
    json_decref(json);
    if (!read)
        free(run->curve);
    return read;
}
