/* What several races come to together: text and JSON. */
#include "race_profile.h"

#include "output.h"
#include "race_words.h"
#include "table.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#define TEXT_COLUMNS 80

/* Best first; equals in the order of the races. */
static void sort_entries(size_t order[LAB_CONTENDERS_MAX], const struct lab_profile *profile)
{
    for (size_t i = 0; i < profile->entry_count; ++i) {
        size_t place = i;
        for (; place > 0 && profile->entries[order[place - 1]].score < profile->entries[i].score; --place)
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
    struct table table;
    table_begin(&table);
    (void)table_column(&table, false, "optimizer");
    (void)table_column(&table, true, "profile");
    (void)table_column(&table, true, "first on");
    (void)table_column(&table, true, "arrives on");
    (void)table_column(&table, false, bounded ? "test score, 0 to 1 [95 %]" : "test score, 0 to 1");
    for (size_t i = 0; i < profile->entry_count; ++i) {
        const struct lab_profile_entry *const entry = &profile->entries[order[i]];
        const struct lab_mean *const test = &entry->normalized;
        table_row(&table);
        table_cell(&table, "%s", entry->name);
        table_cell(&table, "%.2f", entry->score);
        table_cell(&table, "%zu/%zu", count_within(profile, entry, 1), profile->race_count);
        table_cell(&table, "%zu/%zu", count_within(profile, entry, DBL_MAX), profile->race_count);
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
                table_cell(&table, "missed");
        }
    }
    if (profile->entry_count + 1 > TABLE_COLUMNS_MAX || table_width(&table) > TEXT_COLUMNS)
        return;
    (void)printf("\n%sSteps to target%s, tuned, by those of the first to arrive\n", bold(), plain());
    table_print(&table);
}

void race_profile_print(const struct lab_profile *profile, size_t seeds, const char *rerun, const struct text *written)
{
    size_t order[LAB_CONTENDERS_MAX] = {0};
    sort_entries(order, profile);
    (void)printf("\n%sPerformance profile%s over %zu problems, tuned\n", bold(), plain(), profile->race_count);
    print_scores(profile, order, has_interval(seeds));
    print_wrapped("Profile is the mean share of problems on which the optimizer reaches the target in 1 to 4 times the "
                  "steps of the first to arrive: 1 for who is first on every problem. In the test score 0 is the worst "
                  "optimizer's median on a problem and 1 the best one's; the mean of the middle half of all runs.",
                  0, 0);
    print_ratios(profile, order);
    if (written->length > 0) {
        (void)printf("\nwritten ");
        print_wrapped(written->text, 8, 2);
    }
    (void)printf("again   %s\n", rerun);
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
