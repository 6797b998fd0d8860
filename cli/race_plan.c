/* What to race on, and the plan that the arguments ask for. */
#include "output.h"
#include "race.h"
#include "race_plots.h"
#include "race_words.h"
#include "verbs.h"
#include <lab/problem.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_called(const char *known, const char *name, size_t length)
{
    return strlen(known) == length && memcmp(known, name, length) == 0;
}

/* The place of the contender of that name; contender_count if there is none. */
static size_t find_contender(const struct lab_race_plan *plan, const char *name, size_t length)
{
    size_t i = 0;
    while (i < plan->contender_count && !is_called(plan->contenders[i].name, name, length))
        ++i;
    return i;
}

/* The rule or preset of that name, with its options; false if there is none. */
static bool make_contender(struct lab_contender *contender, const char *name, size_t length)
{
    for (int rule = 0; rule < RMS_RULE_COUNT; ++rule)
        if (is_called(rms_rule_name((rms_rule)rule), name, length)) {
            *contender = (struct lab_contender){.name = rms_rule_name((rms_rule)rule),
                                                .options = rms_options_for((rms_rule)rule)};
            return true;
        }
    rms_preset preset;
    for (size_t i = 0; rms_preset_at(i, &preset); ++i)
        if (is_called(preset.name, name, length)) {
            contender->name = preset.name;
            return rms_options_preset(&contender->options, preset.name, NULL) == RMS_OK;
        }
    return false;
}

/* Who is not in the standard plan becomes a contender when asked for. Where all places are taken, the last one goes,
 * which nobody has chosen. Returns its place; contender_count if nobody is called so. */
static size_t add_contender(struct lab_race_plan *plan, const char *name, size_t length)
{
    struct lab_contender contender = {.follows = 0};
    if (!make_contender(&contender, name, length))
        return plan->contender_count;
    contender.options.threads = 1;
    if (plan->contender_count < LAB_CONTENDERS_MAX)
        ++plan->contender_count;
    plan->contenders[plan->contender_count - 1] = contender;
    return plan->contender_count - 1;
}

/* Moves the named contender to place `chosen`; those before it have been chosen already. */
static bool choose(struct lab_race_plan *plan, size_t chosen, const char *name, size_t length)
{
    if (chosen == LAB_CONTENDERS_MAX) {
        complain("--optimizers: more than %d names (expected at most %d)", LAB_CONTENDERS_MAX, LAB_CONTENDERS_MAX);
        return false;
    }
    size_t place = find_contender(plan, name, length);
    if (place == plan->contender_count)
        place = add_contender(plan, name, length);
    if (place < chosen) {
        complain("--optimizers: %s is there twice (expected different names)", plan->contenders[place].name);
        return false;
    }
    if (place < plan->contender_count) {
        const struct lab_contender found = plan->contenders[place];
        plan->contenders[place] = plan->contenders[chosen];
        plan->contenders[chosen] = found;
        return true;
    }
    struct text names = {0};
    for (int rule = 0; rule < RMS_RULE_COUNT; ++rule)
        text_append(&names, "%s%s", rule > 0 ? "," : "", rms_rule_name((rms_rule)rule));
    complain("--optimizers: no optimizer is called \"%.*s\" (expected some of %s, or presets)", (int)length, name,
             names.failed ? "the list" : names.text);
    text_free(&names);
    return false;
}

static bool choose_contenders(struct lab_race_plan *plan, const char *names)
{
    size_t chosen = 0;
    for (const char *name = names; name; ++chosen) {
        const size_t length = strcspn(name, ",");
        if (!choose(plan, chosen, name, length))
            return false;
        name = name[length] == ',' ? name + length + 1 : NULL;
    }
    if (chosen > 0)
        plan->contender_count = chosen;
    return true;
}

/* The length of the runs; false after a sentence. */
static bool choose_steps(struct lab_race_plan *plan, size_t steps)
{
    const size_t every = plan->instance->score_every;
    if (steps % every != 0) {
        complain("--steps: %zu is no multiple of %zu, the steps between scores of %s (expected one, as in --steps %zu)",
                 steps, every, plan->instance->name, (steps / every + 1) * every);
        return false;
    }
    plan->steps = steps;
    return true;
}

static bool make_plan(struct race_case *entrant, const struct arguments *arguments)
{
    struct lab_race_plan *const plan = &entrant->plan;
    lab_race_plan_standard(plan, &entrant->instance, arguments->quick);
    plan->threads = arguments->threads;
    if (arguments->seed_given)
        plan->seed = arguments->seed;
    if (arguments->seeds > 0)
        plan->report_seeds = arguments->seeds;
    if (arguments->steps_given && !choose_steps(plan, arguments->steps))
        return false;
    if (arguments->animate && !race_map_possible(plan->instance)) {
        complain("--animate: %s has no map of two parameters (expected a problem such as rosenbrock)",
                 plan->instance->name);
        return false;
    }
    if (arguments->rate_count > 0) {
        memcpy(plan->grid, arguments->rates, sizeof plan->grid);
        plan->grid_count = arguments->rate_count;
    }
    if (arguments->searched != 0)
        lab_race_plan_search(plan, arguments->searched, arguments->trials > 0 ? arguments->trials : plan->grid_count);
    return choose_contenders(plan, arguments->optimizers) &&
           (!arguments->states || race_states_choose(&entrant->states, plan, arguments->states));
}

/* The known problem that was most likely meant; NULL if there is one of this name, or none is near. A path is none. */
static const char *nearest_problem(const char *name)
{
    const char *nearest = NULL;
    size_t distance = 3;
    const size_t length = strlen(name);
    if (strchr(name, '/') || (length > 3 && strcmp(name + length - 3, ".so") == 0))
        return NULL;
    for (size_t i = 0; i < lab_problem_count() && distance > 0; ++i) {
        const size_t other = text_distance(name, lab_problem_at(i)->name);
        if (other < distance) {
            distance = other;
            nearest = lab_problem_at(i)->name;
        }
    }
    return distance > 0 ? nearest : NULL;
}

/* False after a sentence, where another problem was most likely meant. */
static bool is_well_spelt(const char *words)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(words, ":"), words);
    const char *const nearest = nearest_problem(name);
    if (nearest)
        complain("race: no problem is called \"%s\"; did you mean %s?", name, nearest);
    return !nearest;
}

int race_case_open(struct race_case *entrant, const struct lab_request *request, const struct arguments *arguments)
{
    rms_error error;
    *entrant = (struct race_case){0};
    if (!is_well_spelt(request->words))
        return STATUS_USAGE;
    const rms_status status = lab_instance_open(&entrant->instance, request, &error);
    if (status != RMS_OK) {
        complain("race: %s", error.message);
        return status == RMS_ERROR_RANGE || status == RMS_ERROR_ARGUMENT ? STATUS_USAGE : STATUS_FAILED;
    }
    race_stem(entrant->stem, sizeof entrant->stem, entrant->instance.name);
    if (make_plan(entrant, arguments))
        return STATUS_OK;
    race_case_close(entrant);
    return STATUS_USAGE;
}

void race_case_close(struct race_case *entrant)
{
    lab_race_free(&entrant->race);
    lab_instance_close(&entrant->instance);
}

static void append_quoted(struct text *text, const char *word)
{
    static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-:=,+";
    if (*word != '\0' && word[strspn(word, harmless)] == '\0') {
        text_append(text, "%s", word);
        return;
    }
    text_append(text, "'");
    for (const char *c = word; *c; ++c)
        text_append(text, *c == '\'' ? "'\\%c'" : "%c", *c);
    text_append(text, "'");
}

/* An option with a value; nothing without one. The value may begin with a dash. */
static void append_option(struct text *text, const char *option, const char *value)
{
    if (!value)
        return;
    text_append(text, *value == '-' ? " --%s=" : " --%s ", option);
    append_quoted(text, value);
}

static void append_search(struct text *text, const struct arguments *arguments)
{
    const char *before = " --tune ";
    for (size_t i = 0; i < RACE_SEARCHED_COUNT; ++i)
        if (arguments->searched & race_searched[i].flag) {
            text_append(text, "%s%s", before, race_searched[i].name);
            before = ",";
        }
    if (arguments->trials > 0)
        text_append(text, " --trials %zu", arguments->trials);
}

/* Operands come last: with POSIXLY_CORRECT set, no option may follow them. */
static void append_problems(struct text *text, const struct lab_request *requests, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        append_option(text, strncmp(requests[i].words, "data", 4) == 0 ? "data" : "function", requests[i].source);
        append_option(text, "target", requests[i].column);
    }
    bool dashed = false;
    for (size_t i = 0; i < count; ++i)
        dashed = dashed || requests[i].words[0] == '-';
    text_append(text, "%s", dashed ? " --" : "");
    for (size_t i = 0; i < count; ++i) {
        if (requests[i].source && !strchr(requests[i].words, ':'))
            continue; /* the option alone makes it */
        text_append(text, " ");
        append_quoted(text, requests[i].words);
    }
}

void race_append_rerun(struct text *text, const struct arguments *arguments, uint64_t seed, bool resumed,
                       const struct lab_request *requests, size_t count)
{
    text_append(text, "rmsprop race%s --seed %llu", resumed ? " --resume" : "", (unsigned long long)seed);
    if (arguments->seeds > 0)
        text_append(text, " --seeds %zu", arguments->seeds);
    for (size_t i = 0; i < arguments->rate_count; ++i) {
        text_append(text, i > 0 ? "," : " --lr ");
        race_append_number(text, arguments->rates[i]);
    }
    append_option(text, "optimizers", arguments->optimizers);
    append_option(text, "states", arguments->states);
    append_search(text, arguments);
    if (arguments->steps_given)
        text_append(text, " --steps %zu", arguments->steps);
    if (arguments->quick)
        text_append(text, " --quick");
    if (arguments->animate)
        text_append(text, " --animate");
    append_option(text, "out", strcmp(arguments->out, "out") == 0 ? NULL : arguments->out);
    append_problems(text, requests, count);
}
