/* What several races come to together: text and JSON. */
#include "race_profile.h"

#include "output.h"
#include "race_words.h"
#include "table.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define TEXT_COLUMNS 80

/* Where no problem has a target, nobody has a score of that kind. */
static double goodness(const struct lab_profile *profile, size_t entry)
{
    const struct lab_profile_entry *const told = &profile->entries[entry];
    return profile->aimed_count > 0 ? told->score : told->normalized.mean;
}

/* Best first; equals in the order of the races. */
static void sort_entries(size_t order[LAB_CONTENDERS_MAX], const struct lab_profile *profile)
{
    for (size_t i = 0; i < profile->entry_count; ++i) {
        size_t place = i;
        for (; place > 0 && goodness(profile, order[place - 1]) < goodness(profile, i); --place)
            order[place] = order[place - 1];
        order[place] = i;
    }
}

/* On how many problems its runs were the first to arrive, and on how many they arrived. */
static size_t count_within(const struct lab_profile *profile, const struct lab_profile_entry *entry, double factor)
{
    size_t count = 0;
    for (size_t race = 0; race < profile->race_count; ++race)
        count += entry->ratio[race] <= factor;
    return count;
}

static void print_scores(const struct lab_profile *profile, const size_t *order, bool bounded)
{
    const bool aimed = profile->aimed_count > 0;
    struct table table;
    table_begin(&table);
    (void)table_column(&table, false, "optimizer");
    if (aimed) {
        (void)table_column(&table, true, "profile");
        (void)table_column(&table, true, "first on");
        (void)table_column(&table, true, "arrives on");
    }
    (void)table_column(&table, false, bounded ? "test score, 0 to 1 [95 %]" : "test score, 0 to 1");
    for (size_t i = 0; i < profile->entry_count; ++i) {
        const struct lab_profile_entry *const entry = &profile->entries[order[i]];
        const struct lab_mean *const test = &entry->normalized;
        table_row(&table);
        table_cell(&table, "%s", entry->name);
        if (aimed) {
            table_cell(&table, "%.2f", entry->score);
            table_cell(&table, "%zu/%zu", count_within(profile, entry, 1), profile->aimed_count);
            table_cell(&table, "%zu/%zu", count_within(profile, entry, DBL_MAX), profile->aimed_count);
        }
        if (!isfinite(test->mean))
            table_cell(&table, "-");
        else if (bounded)
            table_cell(&table, "%.2f [%.2f, %.2f]", test->mean, test->low, test->high);
        else
            table_cell(&table, "%.2f", test->mean);
    }
    table_print(&table);
}

/* Factors of the steps to the target, a column for each optimizer; not where they do not fit: JSON has them. */
static void print_ratios(const struct lab_profile *profile, const size_t *order)
{
    struct table table;
    table_begin(&table);
    (void)table_column(&table, false, "problem");
    for (size_t i = 0; i < profile->entry_count; ++i)
        (void)table_column(&table, true, profile->entries[order[i]].name);
    for (size_t race = 0; race < profile->race_count; ++race) {
        table_row(&table);
        table_cell(&table, "%s", profile->problems[race]);
        for (size_t i = 0; i < profile->entry_count; ++i) {
            const double ratio = profile->entries[order[i]].ratio[race];
            if (isfinite(ratio))
                table_cell(&table, "%.3g", ratio);
            else
                table_cell(&table, profile->aimed[race] ? "missed" : "no target");
        }
    }
    if (profile->aimed_count == 0 || profile->entry_count + 1 > TABLE_COLUMNS_MAX || table_width(&table) > TEXT_COLUMNS)
        return;
    (void)printf("\n%sSteps to target%s, tuned, by those of the first to arrive\n", bold(), plain());
    table_print(&table);
}

/* "over 1 of 2 problems, tuned (switching has no target)". */
static void append_extent(struct text *words, const struct lab_profile *profile)
{
    const size_t aimless = profile->race_count - profile->aimed_count;
    text_append(words, "over ");
    if (aimless > 0 && profile->aimed_count > 0)
        text_append(words, "%zu of ", profile->aimed_count);
    text_append(words, "%zu problems, tuned", profile->race_count);
    if (aimless == 0)
        return;
    size_t told = 0;
    text_append(words, " (");
    for (size_t race = 0; race < profile->race_count; ++race)
        if (!profile->aimed[race]) {
            text_append(words, "%s%s", told == 0 ? "" : told + 1 == aimless ? " and " : ", ", profile->problems[race]);
            ++told;
        }
    text_append(words, " %s no target)", aimless == 1 ? "has" : "have");
}

static void print_extent(const struct lab_profile *profile)
{
    const char *const heading = profile->aimed_count > 0 ? "Performance profile" : "Normalized test score";
    struct text words = {0};
    append_extent(&words, profile);
    (void)printf("\n%s%s%s ", bold(), heading, plain());
    if (words.failed)
        (void)putchar('\n');
    else
        print_wrapped(words.text, strlen(heading) + 1, 2);
    text_free(&words);
}

static void print_caption(const struct lab_profile *profile)
{
    struct text words = {0};
    if (profile->aimed_count > 0)
        text_append(&words,
                    "Profile is the mean share of problems%s on which the optimizer reaches the target in 1 to 4 times "
                    "the steps of the first to arrive: 1 for who is first on every problem. ",
                    profile->aimed_count < profile->race_count ? " with a target" : "");
    text_append(&words,
                "In the test score 0 is the worst optimizer's median on a problem and 1 the best one's; the mean "
                "of the middle half of all runs.");
    if (!words.failed)
        print_wrapped(words.text, 0, 0);
    text_free(&words);
}

void race_profile_print(const struct lab_profile *profile, size_t seeds, bool interrupted, const char *rerun,
                        const struct text *written)
{
    size_t order[LAB_CONTENDERS_MAX] = {0};
    sort_entries(order, profile);
    print_extent(profile);
    print_scores(profile, order, has_interval(seeds));
    print_caption(profile);
    print_ratios(profile, order);
    race_print_end(interrupted, rerun, written);
}

static json_t *numbers_json(const double *numbers, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; ++i)
        array = json_append(array, json_number(numbers[i]));
    return array;
}

json_t *race_profile_json(const struct lab_profile *profile, size_t seeds, const char *rerun)
{
    const bool bounded = has_interval(seeds);
    json_t *problems = json_array();
    json_t *entries = json_array();
    for (size_t race = 0; race < profile->race_count; ++race)
        problems = json_append(problems, json_string(profile->problems[race]));
    for (size_t i = 0; i < profile->entry_count; ++i) {
        const struct lab_profile_entry *const entry = &profile->entries[i];
        entries = json_append(entries, json_pack("{s:s, s:o, s:o, s:o, s:{s:o, s:o, s:o}}", "optimizer", entry->name,
                                                 "score", json_number(entry->score), "steps_to_target",
                                                 numbers_json(entry->steps, profile->race_count), "ratio",
                                                 numbers_json(entry->ratio, profile->race_count), "normalized_test",
                                                 "mean", json_number(entry->normalized.mean), "low",
                                                 bounded ? json_number(entry->normalized.low) : json_null(), "high",
                                                 bounded ? json_number(entry->normalized.high) : json_null()));
    }
    return json_pack("{s:o, s:f, s:o, s:s}", "problems", problems, "tau", LAB_PROFILE_TAU, "entries", entries, "rerun",
                     rerun);
}
