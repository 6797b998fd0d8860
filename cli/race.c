/* The race verb: plan, run, tell. */
#include "race.h"

#include "file.h"
#include "machine.h"
#include "output.h"
#include "stop.h"
#include "text.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_PROBLEM "digits"

static const struct lab_problem *find_problem(const char *name)
{
    const struct lab_problem *problem = lab_problem_find(name);
    if (problem)
        return problem;
    struct text names = {0};
    for (size_t i = 0; i < lab_problem_count(); ++i)
        text_append(&names, "%s%s", i > 0 ? ", " : "", lab_problem_at(i)->name);
    complain("race: no problem is called \"%s\" (expected one of %s)", name, names.failed ? "the list" : names.text);
    text_free(&names);
    return NULL;
}

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
 * which nobody has chosen. Returns its place; contender_count if nobody is called so, or there is no room. */
static size_t add_contender(struct lab_race_plan *plan, size_t chosen, const char *name, size_t length)
{
    struct lab_contender contender = {.follows = 0};
    if (chosen == LAB_CONTENDERS_MAX || !make_contender(&contender, name, length))
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
    size_t place = find_contender(plan, name, length);
    if (place == plan->contender_count)
        place = add_contender(plan, chosen, name, length);
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

static bool make_plan(struct lab_race_plan *plan, struct race_states *states, const struct arguments *arguments)
{
    const struct lab_problem *problem = find_problem(arguments->subject ? arguments->subject : DEFAULT_PROBLEM);
    if (!problem)
        return false;
    lab_race_plan_standard(plan, problem, arguments->quick);
    plan->threads = arguments->threads;
    if (arguments->seed_given)
        plan->seed = arguments->seed;
    if (arguments->seeds > 0)
        plan->report_seeds = arguments->seeds;
    if (arguments->rate_count > 0) {
        memcpy(plan->grid, arguments->rates, sizeof plan->grid);
        plan->grid_count = arguments->rate_count;
    }
    return choose_contenders(plan, arguments->optimizers) &&
           (!arguments->states || race_states_choose(states, plan, arguments->states));
}

/* The fewest digits that read back as the same number. */
static void append_number(struct text *text, double value)
{
    char digits[NUMBER_TEXT_SIZE];
    int precision = 6;
    while (strtod(number_text(digits, value, precision), NULL) != value && precision < 17)
        ++precision;
    text_append(text, "%s", digits);
}

static void append_quoted(struct text *text, const char *word)
{
    static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";
    if (word[strspn(word, harmless)] == '\0') {
        text_append(text, "%s", word);
        return;
    }
    text_append(text, "'");
    for (const char *c = word; *c; ++c)
        text_append(text, *c == '\'' ? "'\\%c'" : "%c", *c);
    text_append(text, "'");
}

/* The operand comes last: with POSIXLY_CORRECT set, no option may follow it. */
static void append_rerun(struct text *text, const struct arguments *arguments, const struct lab_race_plan *plan)
{
    text_append(text, "rmsprop race --seed %llu", (unsigned long long)plan->seed);
    if (arguments->seeds > 0)
        text_append(text, " --seeds %zu", arguments->seeds);
    for (size_t i = 0; i < arguments->rate_count; ++i) {
        text_append(text, i > 0 ? "," : " --lr ");
        append_number(text, arguments->rates[i]);
    }
    if (arguments->optimizers)
        text_append(text, " --optimizers %s", arguments->optimizers);
    if (arguments->states)
        text_append(text, " --states %s", arguments->states);
    if (arguments->quick)
        text_append(text, " --quick");
    if (strcmp(arguments->out, "out") != 0) {
        text_append(text, " --out ");
        append_quoted(text, arguments->out);
    }
    text_append(text, " %s", plan->problem->name);
}

static bool write_json(const struct race_report *report, struct text *written)
{
    struct text name = {0};
    text_append(&name, "%s.json", report->race->plan->problem->name);
    struct file file;
    if (name.failed || !file_open(&file, report->out, name.text)) {
        text_free(&name);
        return false;
    }
    json_t *document = race_json(report);
    const bool complete = json_write(document, file.stream);
    json_decref(document);
    const bool placed = file_close(&file, complete);
    if (placed)
        path_append(written, report->out, name.text);
    text_free(&name);
    return placed;
}

/* Files first: what is said on stdout includes which were written. A full disk does not keep the results
 * from stdout. */
static bool tell(const struct race_report *report, bool json)
{
    struct text written = {0};
    const bool all_written = write_json(report, &written) && race_plots_write(report, &written);
    bool told = true;
    if (json)
        told = print_json(race_json(report));
    else
        race_print(report, &written);
    text_free(&written);
    return told && all_written;
}

static int run(const struct lab_race_plan *plan, const struct race_states *states, const struct arguments *arguments,
               rms_isa isa)
{
    struct race_progress progress;
    struct lab_race race;
    rms_error error;
    race_progress_begin(&progress, arguments->quiet);
    const rms_status status = lab_race_run(&race, plan, race_progress_watch, &progress, &stop_signal, &error);
    race_progress_end(&progress);
    if (status != RMS_OK) {
        complain("race: %s", error.message);
        return status == RMS_ERROR_RANGE || status == RMS_ERROR_ARGUMENT ? STATUS_USAGE : STATUS_FAILED;
    }

    struct text rerun = {0};
    append_rerun(&rerun, arguments, plan);
    const struct race_report report = {
        .race = &race,
        .states = arguments->states ? states : NULL,
        .isa = isa,
        .out = arguments->out,
        .rerun = rerun.failed ? "" : rerun.text,
    };
    const bool told = tell(&report, arguments->json);
    text_free(&rerun);
    lab_race_free(&race);
    if (stop_signal != 0)
        return STATUS_SIGNALLED + stop_signal;
    return told ? STATUS_OK : STATUS_FAILED;
}

int race_verb(const struct arguments *arguments)
{
    struct lab_race_plan plan;
    struct race_states states;
    rms_isa isa = RMS_ISA_AUTO;
    if (!make_plan(&plan, &states, arguments))
        return STATUS_USAGE;
    if (!machine_isa(&isa))
        return STATUS_FAILED;
    stop_on_signals();
    if (!folder_prepare(arguments->out))
        return STATUS_FAILED;
    return run(&plan, &states, arguments, isa);
}
