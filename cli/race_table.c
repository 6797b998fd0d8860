/* A race as text of at most 80 columns. */
#include "output.h"
#include "race.h"
#include "text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One line of a table. */
struct row {
    const struct lab_entry *entry;
    const struct lab_summary *summary;
    double learning_rate;
    bool flagged;
};

static int by_accuracy(const void *left, const void *right)
{
    const struct row *a = left;
    const struct row *b = right;
    const double difference = b->summary->accuracy.median - a->summary->accuracy.median;
    if (difference > 0 || (isnan(a->summary->accuracy.median) && !isnan(b->summary->accuracy.median)))
        return 1;
    if (difference < 0 || (isnan(b->summary->accuracy.median) && !isnan(a->summary->accuracy.median)))
        return -1;
    return a->entry < b->entry ? -1 : 1; /* in the order of the race, which qsort alone would not keep */
}

static size_t fill_rows(struct row *rows, const struct lab_race *race, bool tuned)
{
    const struct lab_race_plan *plan = race->plan;
    for (size_t i = 0; i < race->entry_count; ++i) {
        const struct lab_entry *entry = &race->entries[i];
        const double best = entry->tuned ? plan->grid[entry->best] : (double)NAN;
        const struct lab_summary *summary = tuned ? &entry->tuned_summary : &entry->defaults;
        rows[i] = (struct row){
            .entry = entry,
            .summary = summary,
            .learning_rate = tuned ? best : plan->contenders[i].options.lr,
            .flagged = tuned && entry->tuned && entry->best_on_edge && plan->grid_count > 1 && summary->run_count > 0,
        };
    }
    qsort(rows, race->entry_count, sizeof rows[0], by_accuracy);
    return race->entry_count;
}

/* Column widths, 80 in all. The rate has its star after it, then a space. */
enum { NAME_COLUMNS = 8, RATE_COLUMNS = 8, ACCURACY_COLUMNS = 20, MEAN_COLUMNS = 6, LOSS_COLUMNS = 9 };

/* The last two columns make room for presets, whose names are longer than those of rules. */
struct columns {
    int name;
    int target;
    int diverged;
};

static struct columns columns_of_table(const struct lab_race *race)
{
    struct columns columns = {.name = NAME_COLUMNS, .target = 17, .diverged = 10};
    for (size_t i = 0; i < race->entry_count; ++i)
        while (columns.name < (int)strlen(race->entries[i].name)) {
            ++columns.name;
            --*(columns.diverged > 8 ? &columns.diverged : &columns.target);
        }
    return columns;
}

/* Three digits, or fewer where the exponent takes the room. */
static const char *rate_text(char text[NUMBER_TEXT_SIZE], double rate)
{
    int digits = 3;
    while (strlen(number_text(text, rate, digits)) > RATE_COLUMNS && digits > 1)
        --digits;
    return text;
}

/* "650", "650 (8/10)" when two of ten missed it, "missed 6/10" when that is the median; shorter where there is
 * no room. */
static void print_steps_to_target(const struct lab_summary *summary, int columns)
{
    char cell[64];
    const size_t runs = summary->run_count;
    const size_t reached = summary->reached;
    const bool missed = !isfinite(summary->steps_to_target.median);
    if (missed)
        (void)snprintf(cell, sizeof cell, "missed %zu/%zu", runs - reached, runs);
    else if (reached < runs)
        (void)snprintf(cell, sizeof cell, "%.0f (%zu/%zu)", summary->steps_to_target.median, reached, runs);
    else
        (void)snprintf(cell, sizeof cell, "%.0f", summary->steps_to_target.median);

    if (strlen(cell) >= (size_t)columns) {
        if (missed)
            (void)snprintf(cell, sizeof cell, "missed");
        else
            (void)snprintf(cell, sizeof cell, "%.0f (%zu)", summary->steps_to_target.median, reached);
    }
    print_padded(cell, -columns);
}

/* A share in per cent, in at most five columns; "-" when it is not known. */
static const char *percent_text(char text[NUMBER_TEXT_SIZE], double share)
{
    const char *format = !isfinite(share) ? "-" : 100 * share < 99.995 ? "%.2f" : "%.1f";
    (void)snprintf(text, NUMBER_TEXT_SIZE, format, 100 * share);
    return text;
}

/* Of fewer runs there is no interval of 95 %. */
static bool has_interval(const struct lab_summary *summary)
{
    return summary->run_count >= LAB_SEEDS_TO_COMPARE;
}

/* "96.11 [95.56, 96.67]". */
static void print_accuracy(const struct lab_summary *summary)
{
    char median[NUMBER_TEXT_SIZE];
    char low[NUMBER_TEXT_SIZE];
    char high[NUMBER_TEXT_SIZE];
    char cell[128];
    int length = snprintf(cell, sizeof cell, "%5s", percent_text(median, summary->accuracy.median));
    if (has_interval(summary) && length > 0)
        (void)snprintf(cell + length, sizeof cell - (size_t)length, " [%s, %s]",
                       percent_text(low, summary->accuracy.low), percent_text(high, summary->accuracy.high));
    print_padded(cell, ACCURACY_COLUMNS);
}

static void print_row(const struct row *row, const struct columns *columns)
{
    const struct lab_summary *summary = row->summary;
    char number[NUMBER_TEXT_SIZE];
    char cell[128];
    print_padded(row->entry->name, columns->name);
    print_padded(rate_text(number, row->learning_rate), -RATE_COLUMNS);
    (void)printf("%c ", row->flagged ? '*' : ' ');
    if (summary->run_count == 0) {
        (void)printf("not run\n");
        return;
    }
    print_accuracy(summary);
    print_padded(percent_text(number, summary->mean_accuracy), -MEAN_COLUMNS);
    print_padded(number_text(number, summary->training_loss.median, 3), -LOSS_COLUMNS);
    print_steps_to_target(summary, columns->target);
    (void)snprintf(cell, sizeof cell, "%zu/%zu", summary->diverged, summary->run_count);
    print_padded(cell, -columns->diverged);
    (void)putchar('\n');
}

static void print_table(const struct lab_race *race, bool tuned)
{
    struct row rows[LAB_CONTENDERS_MAX];
    const size_t count = fill_rows(rows, race, tuned);
    const struct columns columns = columns_of_table(race);
    bool flagged = false;
    bool bounded = false;
    for (size_t i = 0; i < count; ++i) {
        flagged = flagged || rows[i].flagged;
        bounded = bounded || has_interval(rows[i].summary);
    }
    (void)printf("\n%s%s%s\n", bold(), tuned ? "Tuned learning rate" : "Default learning rate", plain());
    (void)printf("%s%-*s%7s  %-*s%*s%*s%*s%*s%s\n", faint(), columns.name + 1, "optimizer", "rate", ACCURACY_COLUMNS,
                 bounded ? "accuracy % [95 %]" : "accuracy %", MEAN_COLUMNS, "mean", LOSS_COLUMNS, "loss",
                 columns.target, columns.target > 9 ? "to target" : "target", columns.diverged, "diverg.", plain());
    for (size_t i = 0; i < count; ++i)
        print_row(&rows[i], &columns);
    if (flagged)
        print_wrapped("* the best rate lies at the edge of the grid: a better one may lie outside; widen it with --lr",
                      0, 2);
}

static void print_protocol(const struct lab_race_plan *plan)
{
    struct text words = {0};
    if (plan->grid_count == 1)
        text_append(&words, "Every optimizer is tried at learning rate %g, %zu seed%s; that rate", plan->grid[0],
                    plan->tuning_seeds, plan->tuning_seeds == 1 ? "" : "s");
    else
        text_append(&words,
                    "Every optimizer is tuned over the same %zu learning rates from %g to %g, %zu seed%s each; the "
                    "rate with the least validation loss",
                    plan->grid_count, plan->grid[0], plan->grid[plan->grid_count - 1], plan->tuning_seeds,
                    plan->tuning_seeds == 1 ? "" : "s");
    text_append(&words,
                ", and the default rate, are then run on %zu fresh seed%s of %zu steps, with the same start and the "
                "same batches for everyone. Loss is the final training loss; the target is a validation loss of %g. "
                "Figures are medians over seeds.",
                plan->report_seeds, plan->report_seeds == 1 ? "" : "s", plan->steps, plan->problem->target);
    if (!words.failed)
        print_wrapped(words.text, 0, 0);
    text_free(&words);
}

static void print_heading(const struct lab_race *race)
{
    const struct lab_race_plan *plan = race->plan;
    (void)printf("%s%s%s\n", bold(), plan->problem->title, plain());
    print_wrapped(plan->problem->summary, 0, 0);
    (void)putchar('\n');

    print_protocol(plan);
    if (plan->quick)
        print_wrapped("Indicative only: --quick runs fewer seeds and fewer steps.", 0, 0);
    if (race->interrupted)
        (void)printf("%sInterrupted%s after %zu of %zu runs: figures rest on what was finished.\n", bold(), plain(),
                     race->runs_done, race->runs_total);
}

static void print_comparison(const struct lab_race *race, const struct lab_comparison *comparison)
{
    const struct lab_interval *difference = &comparison->difference;
    const char *better = race->entries[comparison->better].name;
    const char *worse = race->entries[comparison->worse].name;
    struct text words = {0};
    if (comparison->pairs < LAB_SEEDS_TO_COMPARE) {
        text_append(&words, "%s and %s: too few pairs to tell (%zu)", better, worse, comparison->pairs);
    } else {
        text_append(&words,
                    comparison->significant ? "%s is better than %s: " : "%s and %s do not differ significantly: ",
                    better, worse);
        text_append(&words, "%+.2f points [%+.2f, %+.2f]", 100 * difference->median, 100 * difference->low,
                    100 * difference->high);
    }
    if (!words.failed)
        print_wrapped(words.text, 0, 4);
    text_free(&words);
}

/* Of those that follow another, only the difference to that one is told, in a table of its own. */
static bool is_told(const struct lab_race *race, const struct lab_comparison *comparison)
{
    const struct lab_contender *const contenders = race->plan->contenders;
    return contenders[comparison->better].follows == 0 && contenders[comparison->worse].follows == 0;
}

static void print_differences(const struct lab_race *race)
{
    size_t told = 0;
    for (size_t i = 0; i < race->comparison_count; ++i)
        told += is_told(race, &race->tuned_comparisons[i]);
    if (told == 0)
        return;
    (void)printf("\n%sDifferences in accuracy%s, tuned, paired by seed\n", bold(), plain());
    if (race->plan->report_seeds < LAB_SEEDS_TO_COMPARE) {
        (void)printf("too few pairs to tell: fewer than %d seeds cannot tell differences from chance\n",
                     LAB_SEEDS_TO_COMPARE);
        return;
    }
    for (int significant = 1; significant >= 0; --significant)
        for (size_t i = 0; i < race->comparison_count; ++i) {
            const struct lab_comparison *const comparison = &race->tuned_comparisons[i];
            if (comparison->significant == (significant != 0) && is_told(race, comparison))
                print_comparison(race, comparison);
        }
    if (told > 1)
        print_wrapped("Each interval is at 95 %, not corrected for there being several.", 0, 0);
}

void race_print(const struct race_report *report, const struct text *written)
{
    print_heading(report->race);
    print_table(report->race, false);
    print_table(report->race, true);
    print_differences(report->race);
    if (report->states)
        race_states_print(report);
    if (written->length > 0) {
        (void)printf("\nwritten ");
        print_wrapped(written->text, 8, 8);
    }
    (void)printf("again   %s\n", report->rerun);
}
