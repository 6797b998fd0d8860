/* race --states: every optimizer once for each format of its state, and what the format has changed. */
#include "output.h"
#include "race.h"
#include "race_words.h"
#include "table.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FORMAT_COUNT (RMS_STATE_8_BIT + 1)

/* Full comes first in any case: the others are compared with it. Returns how many formats there are, or 0 after a
 * sentence. */
static size_t read_formats(rms_state_format formats[FORMAT_COUNT], const char *names)
{
    bool named[FORMAT_COUNT] = {false};
    size_t count = 1;
    formats[0] = RMS_STATE_FULL;
    while (names) {
        char name[16];
        const size_t length = strcspn(names, ",");
        (void)snprintf(name, sizeof name, "%.*s", (int)length, names);
        rms_state_format format;
        if (length >= sizeof name || !rms_state_format_from_name(name, &format)) {
            complain("--states: \"%.*s\" is unknown (expected some of full, 16-bit, 8-bit)", (int)length, names);
            return 0;
        }
        if (named[format]) {
            complain("--states: %s is there twice (expected different formats)", name);
            return 0;
        }
        named[format] = true;
        if (format != RMS_STATE_FULL)
            formats[count++] = format;
        names = names[length] == ',' ? names + length + 1 : NULL;
    }
    return count;
}

/* Whether the rule keeps anything whose format could matter, and whether it may be this one; else why not. */
static bool admits(const struct lab_contender *contender, rms_state_format format, rms_error *reason)
{
    rms_options options = contender->options;
    const unsigned of_rule = (1U << RMS_RULE_SLOTS) - 1;
    if ((rms_slots_kept(&options, RMS_F32) & of_rule) == 0) {
        (void)snprintf(reason->message, sizeof reason->message, "it keeps no state");
        return false;
    }
    rms_optimizer *optimizer;
    options.state_format = format;
    const bool admitted = rms_create(&optimizer, &options, reason) == RMS_OK;
    rms_free(optimizer);
    return admitted;
}

static void leave_out(struct race_states *states, const struct lab_contender *contender, rms_state_format format,
                      const rms_error *reason)
{
    states->left_out[states->left_out_count++] =
        (struct race_left_out){.optimizer = contender->name, .format = format, .reason = *reason};
}

/* Puts a contender at the next place of the plan; it follows that of place `leader` - 1, if leader is not 0. False when all
 * places are taken. */
static bool add(struct race_states *states, struct lab_race_plan *plan, const struct lab_contender *contender,
                rms_state_format format, size_t leader)
{
    if (plan->contender_count == LAB_CONTENDERS_MAX)
        return false;
    const size_t place = plan->contender_count++;
    plan->contenders[place] = *contender;
    if (leader > 0) {
        (void)snprintf(states->names[place], sizeof states->names[place], "%s %s", contender->name,
                       rms_state_format_name(format));
        plan->contenders[place].name = states->names[place];
        plan->contenders[place].options.state_format = format;
        plan->contenders[place].follows = leader;
    }
    return true;
}

bool race_states_choose(struct race_states *states, struct lab_race_plan *plan, const char *names)
{
    rms_state_format formats[FORMAT_COUNT];
    const size_t format_count = read_formats(formats, names);
    const struct lab_race_plan full = *plan;
    bool room = true;
    *states = (struct race_states){0};
    plan->contender_count = 0;
    for (size_t i = 0; i < full.contender_count; ++i) {
        const struct lab_contender *const contender = &full.contenders[i];
        const size_t leader = plan->contender_count + 1;
        room = room && add(states, plan, contender, RMS_STATE_FULL, 0);
        for (size_t k = 1; k < format_count; ++k) {
            rms_error reason;
            if (admits(contender, formats[k], &reason))
                room = room && add(states, plan, contender, formats[k], leader);
            else
                leave_out(states, contender, formats[k], &reason);
        }
    }
    if (!room)
        complain("--states: %zu optimizers in %zu formats are too many (expected at most %d in all)",
                 full.contender_count, format_count, LAB_CONTENDERS_MAX);
    return format_count > 0 && room;
}

/* "+0.28 [-0.28, +0.56]"; without an interval of fewer than six pairs. */
static void add_difference(struct table *table, const struct lab_quantity *quantity,
                           const struct lab_difference *difference, int digits)
{
    char mean[QUANTITY_TEXT_SIZE];
    char low[QUANTITY_TEXT_SIZE];
    char high[QUANTITY_TEXT_SIZE];
    if (difference->pairs == 0) {
        table_cell(table, "-");
        return;
    }
    (void)quantity_difference_text(mean, quantity, difference->test.mean, digits);
    if (has_interval(difference->pairs))
        table_cell(table, "%s [%s, %s]", mean, quantity_difference_text(low, quantity, difference->test.low, digits),
                   quantity_difference_text(high, quantity, difference->test.high, digits));
    else
        table_cell(table, "%s", mean);
}

static void fill_table(struct table *table, const struct lab_race *race, int digits, bool own_best)
{
    const struct lab_quantity *const quantity = &race->plan->instance->test;
    table_begin(table);
    (void)table_column(table, false, "optimizer");
    (void)table_column(table, false, "default rate");
    (void)table_column(table, false, "tuned rate");
    if (own_best)
        (void)table_column(table, true, "own best");
    for (size_t i = 0; i < race->entry_count; ++i) {
        const struct lab_entry *const entry = &race->entries[i];
        if (race->plan->contenders[i].follows == 0)
            continue;
        char number[NUMBER_TEXT_SIZE];
        table_row(table);
        table_cell(table, "%s", entry->name);
        add_difference(table, quantity, &entry->default_difference, digits);
        add_difference(table, quantity, &entry->tuned_difference, digits);
        if (own_best)
            table_cell(table, "%s",
                       number_text(number, entry->tuned ? race->plan->grid[entry->own_best] : (double)NAN, 3));
    }
}

/* With as many digits as 80 columns have room for. Returns whether there is room for the rates that formats would have
 * chosen. */
static bool print_rows(const struct lab_race *race)
{
    struct table table;
    bool own_best = true;
    fill_table(&table, race, 3, own_best);
    if (table_width(&table) > 80)
        fill_table(&table, race, 2, own_best);
    if (table_width(&table) > 80) {
        own_best = false;
        fill_table(&table, race, 2, own_best);
    }
    table_print(&table);
    return own_best;
}

static void append_significant(struct text *words, const struct lab_quantity *quantity, const struct lab_entry *entry,
                               const struct lab_difference *difference, const char *rate)
{
    if (difference->significant)
        text_append(words, "%s is %s than full state at its %s rate. ", entry->name,
                    (difference->test.mean < 0) == quantity->rising ? "worse" : "better", rate);
}

/* Of the difference that has most: an interrupted race may have fewer than seeds. */
static size_t most_pairs(const struct lab_race *race)
{
    size_t most = 0;
    for (size_t i = 0; i < race->entry_count; ++i) {
        const struct lab_entry *const entry = &race->entries[i];
        most = entry->default_difference.pairs > most ? entry->default_difference.pairs : most;
        most = entry->tuned_difference.pairs > most ? entry->tuned_difference.pairs : most;
    }
    return most;
}

/* What the intervals say; there is nothing to say of too few seeds. */
static void append_verdict(struct text *words, const struct lab_race *race)
{
    const size_t before = words->length;
    if (most_pairs(race) < LAB_SEEDS_TO_COMPARE) {
        text_append(words, "Too few pairs to tell: fewer than %d seeds cannot tell differences from chance.",
                    LAB_SEEDS_TO_COMPARE);
        return;
    }
    for (size_t i = 0; i < race->entry_count; ++i) {
        const struct lab_entry *const entry = &race->entries[i];
        append_significant(words, &race->plan->instance->test, entry, &entry->default_difference, "default");
        append_significant(words, &race->plan->instance->test, entry, &entry->tuned_difference, "tuned");
    }
    text_append(words, words->length == before ? "No difference is significant: every interval holds 0."
                                               : "All other intervals hold 0.");
}

void race_states_print(const struct race_report *report)
{
    const struct lab_race *const race = report->race;
    struct text words = {0};
    const struct lab_quantity *const quantity = &race->plan->instance->test;
    char points[QUANTITY_TEXT_SIZE];
    text_append(&words, "%s less that of full state, ", quantity->name);
    if (*quantity_points(quantity, points))
        text_append(&words, "in%s, ", points);
    text_append(&words, "paired by seed");
    (void)printf("\n%sState%s: ", bold(), plain());
    if (!words.failed)
        print_wrapped(words.text, strlen("State: "), 2);
    text_free(&words);
    const bool own_best = print_rows(race);
    append_verdict(&words, race);
    if (!words.failed)
        print_wrapped(words.text, 0, 0);
    text_free(&words);
    text_append(&words,
                "Means with intervals at 95 %%, not corrected for there being several. Every format runs at the "
                "rates of full state, its default and its best");
    text_append(&words, own_best ? "; \"own best\" is the rate that it would have chosen." : ".");
    if (!words.failed)
        print_wrapped(words.text, 0, 0);
    text_free(&words);
    for (size_t i = 0; i < report->states->left_out_count; ++i) {
        const struct race_left_out *const out = &report->states->left_out[i];
        struct text sentence = {0};
        text_append(&sentence, "%s %s is left out: %s", out->optimizer, rms_state_format_name(out->format),
                    out->reason.message);
        if (!sentence.failed)
            print_wrapped(sentence.text, 0, 4);
        text_free(&sentence);
    }
}

static json_t *difference_json(const struct lab_difference *difference)
{
    const bool bounded = difference->pairs >= LAB_SEEDS_TO_COMPARE;
    const struct lab_mean *const test = &difference->test;
    return json_pack("{s:{s:o, s:o, s:o}, s:I, s:b}", "difference", "mean", json_number(test->mean), "low",
                     bounded ? json_number(test->low) : json_null(), "high",
                     bounded ? json_number(test->high) : json_null(), "pairs", (json_int_t)difference->pairs,
                     "significant", difference->significant);
}

json_t *race_states_json(const struct race_report *report)
{
    const struct lab_race *const race = report->race;
    json_t *array = json_array();
    for (size_t i = 0; i < race->entry_count; ++i) {
        const struct lab_entry *const entry = &race->entries[i];
        const struct lab_contender *const contender = &race->plan->contenders[i];
        if (contender->follows == 0)
            continue;
        const double own = entry->tuned ? race->plan->grid[entry->own_best] : (double)NAN;
        array = json_append(array, json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "optimizer", entry->name, "full",
                                             race->entries[contender->follows - 1].name, "state_format",
                                             rms_state_format_name(contender->options.state_format), "own_best_lr",
                                             json_number(own), "default", difference_json(&entry->default_difference),
                                             "tuned", difference_json(&entry->tuned_difference)));
    }
    return array;
}

json_t *race_left_out_json(const struct race_report *report)
{
    json_t *array = json_array();
    for (size_t i = 0; i < report->states->left_out_count; ++i) {
        const struct race_left_out *const out = &report->states->left_out[i];
        array = json_append(array, json_pack("{s:s, s:s, s:s}", "optimizer", out->optimizer, "state_format",
                                             rms_state_format_name(out->format), "reason", out->reason.message));
    }
    return array;
}
