/* A race as text of at most 80 columns. */
#include "braille.h"
#include "output.h"
#include "race.h"
#include "race_plots.h"
#include "race_words.h"
#include "table.h"
#include "terminal.h"
#include <lab/trials.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_COLUMNS 80

/* One line of a table. */
struct row {
    const struct lab_entry *entry;
    const struct lab_summary *summary;
    double goodness; /* what rows are sorted by; NaN comes last */
    double learning_rate;
    bool flagged;
};

/* How a table is brought to 80 columns, from the way that says most to that which always fits. */
enum fit { FIT_WHOLE, FIT_SHORT_HEADINGS, FIT_SHORT_CELLS, FIT_TIGHT, FIT_NO_MEAN, FIT_NO_TRAINING, FIT_COUNT };

static int by_goodness(const void *left, const void *right)
{
    const struct row *const a = left;
    const struct row *const b = right;
    const double difference = b->goodness - a->goodness;
    if (difference > 0 || (isnan(a->goodness) && !isnan(b->goodness)))
        return 1;
    if (difference < 0 || (isnan(b->goodness) && !isnan(a->goodness)))
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
            .goodness = plan->instance->test.rising ? summary->test.median : -summary->test.median,
            .learning_rate = tuned ? best : plan->contenders[i].options.lr,
            .flagged = tuned && entry->tuned && entry->best_on_edge && plan->grid_count > 1 && plan->searched == 0 &&
                       summary->run_count > 0,
        };
    }
    qsort(rows, race->entry_count, sizeof rows[0], by_goodness);
    return race->entry_count;
}

/* ---- cells ---------------------------------------------------------------------------------------- */

/* "650", "650 (8/10)" when eight of ten arrived, "missed (4/10)" when that is the median; shorter where there is no
 * room. */
static void add_steps_to_target(struct table *table, const struct lab_summary *summary, bool brief)
{
    const size_t runs = summary->run_count;
    const size_t reached = summary->reached;
    const double steps = summary->steps_to_target.median;
    if (!isfinite(steps) && brief)
        table_cell(table, "missed");
    else if (!isfinite(steps))
        table_cell(table, "missed (%zu/%zu)", reached, runs);
    else if (reached == runs)
        table_cell(table, "%.0f", steps);
    else if (brief)
        table_cell(table, "%.0f (%zu)", steps, reached);
    else
        table_cell(table, "%.0f (%zu/%zu)", steps, reached, runs);
}

/* "96.11 [95.56, 96.67]"; the medians of a column end at the same place. */
static void add_test(struct table *table, const struct lab_quantity *quantity, const struct lab_summary *summary,
                     int columns)
{
    char median[QUANTITY_TEXT_SIZE];
    char low[QUANTITY_TEXT_SIZE];
    char high[QUANTITY_TEXT_SIZE];
    const char *const text = quantity_text(median, quantity, summary->test.median);
    if (has_interval(summary->run_count))
        table_cell(table, "%*s [%s, %s]", columns, text, quantity_text(low, quantity, summary->test.low),
                   quantity_text(high, quantity, summary->test.high));
    else
        table_cell(table, "%*s", columns, text);
}

static int widest_median(const struct row *rows, size_t count, const struct lab_quantity *quantity)
{
    size_t widest = 0;
    for (size_t i = 0; i < count; ++i) {
        char text[QUANTITY_TEXT_SIZE];
        const size_t columns = strlen(quantity_text(text, quantity, rows[i].summary->test.median));
        widest = rows[i].summary->run_count > 0 && columns > widest ? columns : widest;
    }
    return (int)widest;
}

/* Where the two are one quantity, one column tells of it. */
static bool shows_training(const struct lab_instance *instance, enum fit fit)
{
    return strcmp(instance->training.name, instance->test.name) != 0 && fit < FIT_NO_TRAINING;
}

static bool any_interval(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        if (has_interval(rows[i].summary->run_count))
            return true;
    return false;
}

static void add_headings(struct table *table, const struct lab_instance *instance, bool bounded, enum fit fit)
{
    const bool brief = fit >= FIT_SHORT_HEADINGS;
    (void)table_column(table, false, "optimizer");
    (void)table_column(table, true, "rate ");
    (void)table_column(table, false, bounded ? "median [95 %]" : "median");
    if (fit < FIT_NO_MEAN)
        (void)table_column(table, true, "mean");
    if (shows_training(instance, fit))
        (void)table_column(table, true, brief ? "training" : instance->training.name);
    if (isfinite(instance->target))
        (void)table_column(table, true, brief ? "target" : "to target");
    (void)table_column(table, true, brief ? "diverg." : "diverged");
}

static void add_row(struct table *table, const struct lab_instance *instance, const struct row *row, int columns,
                    enum fit fit)
{
    const struct lab_summary *const summary = row->summary;
    char number[QUANTITY_TEXT_SIZE];
    table_row(table);
    table_cell(table, "%s", row->entry->name);
    table_cell(table, "%s%c", number_text(number, row->learning_rate, fit < FIT_TIGHT ? 3 : 2),
               row->flagged ? '*' : ' ');
    if (summary->run_count == 0) {
        table_cell(table, "not run");
        return;
    }
    add_test(table, &instance->test, summary, columns);
    if (fit < FIT_NO_MEAN)
        table_cell(table, "%s", quantity_text(number, &instance->test, summary->mean_test));
    if (shows_training(instance, fit))
        table_cell(table, "%s", quantity_text(number, &instance->training, summary->training.median));
    if (isfinite(instance->target))
        add_steps_to_target(table, summary, fit >= FIT_SHORT_CELLS);
    table_cell(table, "%zu/%zu", summary->diverged, summary->run_count);
}

static void fill_table(struct table *table, const struct lab_race *race, const struct row *rows, size_t count)
{
    const struct lab_instance *const instance = race->plan->instance;
    const bool bounded = any_interval(rows, count);
    const int columns = widest_median(rows, count, &instance->test);
    for (int fit = FIT_WHOLE; fit < FIT_COUNT; ++fit) {
        table_begin(table);
        table->gap = fit >= FIT_TIGHT ? 1 : 2;
        add_headings(table, instance, bounded, (enum fit)fit);
        for (size_t i = 0; i < count; ++i)
            add_row(table, instance, &rows[i], columns, (enum fit)fit);
        if (table_width(table) <= TEXT_COLUMNS)
            return;
    }
}

static void print_table(const struct lab_race *race, bool tuned)
{
    struct row rows[LAB_CONTENDERS_MAX];
    struct table table;
    struct text words = {0};
    const size_t count = fill_rows(rows, race, tuned);
    bool flagged = false;
    for (size_t i = 0; i < count; ++i)
        flagged = flagged || rows[i].flagged;
    fill_table(&table, race, rows, count);

    const char *const heading = !tuned                      ? "Default learning rate"
                                : race->plan->searched == 0 ? "Tuned learning rate"
                                                            : "Tuned settings";
    append_quantity(&words, &race->plan->instance->test);
    text_append(&words, ", %s is better", race->plan->instance->test.rising ? "more" : "less");
    (void)printf("\n%s%s%s: ", bold(), heading, plain());
    if (!words.failed)
        print_wrapped(words.text, strlen(heading) + 2, 2);
    text_free(&words);
    table_print(&table);
    if (flagged)
        print_wrapped("* the best rate lies at the edge of the grid: a better one may lie outside; widen it with --lr",
                      0, 2);
}

/* ---- what was searched ---------------------------------------------------------------------------- */

/* A discount of 0.9995 needs its digits. */
static void add_chosen(struct table *table, unsigned searched, unsigned flag, double value)
{
    char number[NUMBER_TEXT_SIZE];
    if (searched & flag)
        table_cell(table, "%s", number_text(number, value, value > 0.5 && value < 1 ? 5 : 3));
}

/* What is searched goes by another name in Adam and its kin. */
static bool is_beta(const struct lab_race_plan *plan, unsigned flag, const char *key)
{
    bool any = false;
    for (size_t i = 0; plan->searched & flag && i < plan->contender_count; ++i) {
        const char *const set = lab_trial_key(&plan->contenders[i].options, flag);
        any = any || (set && strcmp(set, key) == 0);
    }
    return any;
}

static void print_chosen_heading(const struct lab_race_plan *plan)
{
    struct text words = {0};
    const bool rho = is_beta(plan, LAB_SEARCH_RHO, "beta2");
    const bool momentum = is_beta(plan, LAB_SEARCH_MOMENTUM, "beta1");
    if (plan->grid_count > 1)
        text_append(&words, "the best of %zu trials; ", plan->grid_count);
    else
        text_append(&words, "the only trial; ");
    text_append(&words, "- where a rule has no such option");
    if (rho)
        text_append(&words, "; rho is Adam's beta2");
    if (momentum)
        text_append(&words, rho ? ", momentum its beta1" : "; momentum is Adam's beta1");
    (void)printf("\n%sChosen%s: ", bold(), plain());
    if (words.failed)
        (void)putchar('\n');
    else
        print_wrapped(words.text, strlen("Chosen: "), 2);
    text_free(&words);
}

/* The best trial of each, where more than the rate was searched, in the order of the table of what came of them. */
static void print_chosen(const struct lab_race *race)
{
    const struct lab_race_plan *const plan = race->plan;
    struct row rows[LAB_CONTENDERS_MAX];
    struct table table;
    char number[NUMBER_TEXT_SIZE];
    if (plan->searched == 0)
        return;
    (void)fill_rows(rows, race, true);
    table_begin(&table);
    (void)table_column(&table, false, "optimizer");
    (void)table_column(&table, true, "rate");
    for (size_t i = 0; i < RACE_SEARCHED_COUNT; ++i)
        if (plan->searched & race_searched[i].flag)
            (void)table_column(&table, true, race_searched[i].name);
    for (size_t i = 0; i < race->entry_count; ++i) {
        const struct lab_entry *const entry = rows[i].entry;
        if (!entry->tuned)
            continue;
        const struct lab_trial trial = race_trial(plan, (size_t)(entry - race->entries), entry->best);
        table_row(&table);
        table_cell(&table, "%s", entry->name);
        table_cell(&table, "%s", number_text(number, plan->grid[entry->best], 3));
        add_chosen(&table, plan->searched, LAB_SEARCH_EPSILON, trial.epsilon);
        add_chosen(&table, plan->searched, LAB_SEARCH_RHO, trial.rho);
        add_chosen(&table, plan->searched, LAB_SEARCH_MOMENTUM, trial.momentum);
    }
    if (table.rows == 0) /* interrupted before anyone was tuned */
        return;
    print_chosen_heading(plan);
    table_print(&table);
}

/* ---- heading -------------------------------------------------------------------------------------- */

/* ", epsilon and rho". */
static void append_searched(struct text *words, unsigned searched)
{
    const char *last = NULL;
    for (size_t i = 0; i < RACE_SEARCHED_COUNT; ++i)
        if (searched & race_searched[i].flag) {
            text_append(words, "%s%s", last ? ", " : "", last ? last : "");
            last = race_searched[i].name;
        }
    text_append(words, " and %s", last ? last : "");
}

static void append_trials(struct text *words, const struct lab_race_plan *plan)
{
    double least = plan->grid[0];
    double most = plan->grid[0];
    for (size_t i = 1; i < plan->grid_count; ++i) {
        least = plan->grid[i] < least ? plan->grid[i] : least;
        most = plan->grid[i] > most ? plan->grid[i] : most;
    }
    text_append(words, "Every optimizer is %s the same ", plan->grid_count == 1 ? "tried in" : "tuned over");
    if (plan->grid_count == 1)
        text_append(words, "trial (learning rate %.3g", least);
    else
        text_append(words, "%zu trials (learning rates from %.3g to %.3g", plan->grid_count, least, most);
    append_searched(words, plan->searched);
    text_append(words, "), %zu seed%s%s", plan->tuning_seeds, plural(plan->tuning_seeds),
                plan->grid_count == 1 ? "" : " each");
}

static void append_grid(struct text *words, const struct lab_race_plan *plan)
{
    const char *const seeds = plural(plan->tuning_seeds);
    if (plan->searched != 0) {
        append_trials(words, plan);
    } else if (plan->grid_count == 1) {
        text_append(words, "Every optimizer is tried at learning rate %g, %zu seed%s", plan->grid[0],
                    plan->tuning_seeds, seeds);
    } else {
        text_append(words, "Every optimizer is tuned over the same %zu learning rates from %g to %g, %zu seed%s each",
                    plan->grid_count, plan->grid[0], plan->grid[plan->grid_count - 1], plan->tuning_seeds, seeds);
    }
}

static void print_protocol(const struct lab_race_plan *plan)
{
    const struct lab_instance *const instance = plan->instance;
    struct text words = {0};
    append_grid(&words, plan);
    if (plan->grid_count == 1)
        text_append(&words, "; that %s", plan->searched == 0 ? "rate" : "trial");
    else
        text_append(&words, "; the %s with the %s %s", plan->searched == 0 ? "rate" : "trial",
                    instance->validation.rising ? "largest" : "least", instance->validation.name);
    text_append(&words,
                ", and the default rate, are then run on %zu fresh seed%s of %zu steps, with the same start and the "
                "same random numbers for everyone. ",
                plan->report_seeds, plural(plan->report_seeds), plan->steps);
    if (strcmp(instance->training.name, instance->test.name) != 0) {
        text_append(&words, "Training is the final ");
        append_quantity(&words, &instance->training);
        text_append(&words, isfinite(instance->target) ? "; the target is " : ". ");
    } else if (isfinite(instance->target)) {
        text_append(&words, "The target is ");
    }
    if (isfinite(instance->target)) {
        append_target(&words, instance);
        text_append(&words, ". ");
    }
    text_append(&words, "Figures are medians over seeds.");
    if (!words.failed)
        print_wrapped(words.text, 0, 0);
    text_free(&words);
}

/* What the user has chosen of it, and which data it has read; the title tells what it was made from. */
static void print_source(const struct lab_instance *instance)
{
    struct text words = {0};
    append_settings(&words, instance);
    if (words.length > 0)
        text_append(&words, ". ");
    if (instance->data_hash != 0)
        text_append(&words, "Data: %016llx.", (unsigned long long)instance->data_hash);
    if (words.length > 0 && !words.failed)
        print_wrapped(words.text, 0, 0);
    text_free(&words);
}

static void print_heading(const struct lab_race *race)
{
    const struct lab_race_plan *plan = race->plan;
    (void)fputs(bold(), stdout);
    print_wrapped(plan->instance->title, 0, 0);
    (void)fputs(plain(), stdout);
    if (!plan->instance->source) /* of the user's own the title says it all */
        print_wrapped(plan->instance->problem->summary, 0, 0);
    print_source(plan->instance);
    (void)putchar('\n');

    print_protocol(plan);
    if (plan->quick)
        print_wrapped("Indicative only: --quick runs fewer seeds and fewer steps.", 0, 0);
    if (race->interrupted) {
        struct text words = {0};
        text_append(&words, "after %zu of %zu runs: figures rest on what was finished; --resume goes on.",
                    race->runs_done, race->runs_total);
        (void)printf("%sInterrupted%s ", bold(), plain());
        if (!words.failed)
            print_wrapped(words.text, strlen("Interrupted "), 0);
        text_free(&words);
    }
}

/* ---- differences ---------------------------------------------------------------------------------- */

static void append_interval(struct text *words, const struct lab_quantity *quantity,
                            const struct lab_interval *difference)
{
    char median[QUANTITY_TEXT_SIZE];
    char low[QUANTITY_TEXT_SIZE];
    char high[QUANTITY_TEXT_SIZE];
    char points[QUANTITY_TEXT_SIZE];
    const double sign = quantity->rising ? 1 : -1; /* of a loss, better is less */
    const double ends[] = {sign * difference->low, sign * difference->high};
    text_append(words, "%s%s [%s, %s]", quantity_difference_text(median, quantity, sign * difference->median, 3),
                quantity_points(quantity, points), quantity_difference_text(low, quantity, ends[!quantity->rising], 3),
                quantity_difference_text(high, quantity, ends[quantity->rising], 3));
}

static void print_comparison(const struct lab_race *race, const struct lab_comparison *comparison)
{
    const char *better = race->entries[comparison->better].name;
    const char *worse = race->entries[comparison->worse].name;
    struct text words = {0};
    if (comparison->pairs < LAB_SEEDS_TO_COMPARE) {
        text_append(&words, "%s and %s: too few pairs to tell (%zu)", better, worse, comparison->pairs);
    } else {
        text_append(&words,
                    comparison->significant ? "%s is better than %s: " : "%s and %s do not differ significantly: ",
                    better, worse);
        append_interval(&words, &race->plan->instance->test, &comparison->difference);
        text_append(&words, ", ahead in %.0f %% of pairs", 100 * comparison->improvement.mean);
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
    (void)printf("\n%sDifferences in %s%s, tuned, paired by seed\n", bold(), race->plan->instance->test.name, plain());
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

/* ---- time ----------------------------------------------------------------------------------------- */

/* One unit for all, in which the shortest time is 1 at least. */
static struct lab_quantity choose_unit(const struct row *rows, size_t count)
{
    double shortest = HUGE_VAL;
    for (size_t i = 0; i < count; ++i) {
        const double seconds = rows[i].summary->seconds_to_target.median;
        if (rows[i].summary->run_count > 0 && seconds < shortest)
            shortest = seconds;
    }
    return shortest >= 1      ? (struct lab_quantity){.name = "", .unit = "s", .factor = 1}
           : shortest >= 1e-3 ? (struct lab_quantity){.name = "", .unit = "ms", .factor = 1e3}
                              : (struct lab_quantity){.name = "", .unit = "us", .factor = 1e6};
}

static const char *time_text(char text[QUANTITY_TEXT_SIZE], const struct lab_quantity *unit, double seconds)
{
    return isfinite(seconds) ? quantity_text(text, unit, seconds) : "missed";
}

static void add_time(struct table *table, const struct lab_quantity *unit, const struct lab_summary *summary)
{
    const struct lab_interval *const seconds = &summary->seconds_to_target;
    char median[QUANTITY_TEXT_SIZE];
    char low[QUANTITY_TEXT_SIZE];
    char high[QUANTITY_TEXT_SIZE];
    if (summary->run_count == 0)
        table_cell(table, "-");
    else if (isfinite(seconds->median) && has_interval(summary->run_count))
        table_cell(table, "%s [%s, %s]", quantity_text(median, unit, seconds->median),
                   time_text(low, unit, seconds->low), time_text(high, unit, seconds->high));
    else
        table_cell(table, "%s", time_text(median, unit, seconds->median));
}

static bool any_run(const struct row *rows, size_t count)
{
    size_t i = 0;
    while (i < count && rows[i].summary->run_count == 0)
        ++i;
    return i < count;
}

static void print_time(const struct lab_race *race)
{
    const struct lab_race_plan *const plan = race->plan;
    struct row rows[LAB_CONTENDERS_MAX];
    struct table table;
    const size_t count = fill_rows(rows, race, true);
    const bool aimed = isfinite(plan->instance->target);
    const struct lab_quantity unit = choose_unit(rows, count);
    const struct lab_quantity per_step = {.name = "", .unit = "us", .factor = 1e6};
    char heading[64];
    if (!any_run(rows, count))
        return;
    (void)snprintf(heading, sizeof heading, "%s to target%s", unit.unit, any_interval(rows, count) ? " [95 %]" : "");
    table_begin(&table);
    (void)table_column(&table, false, "optimizer");
    (void)table_column(&table, true, "us per step");
    if (aimed)
        (void)table_column(&table, false, heading);
    for (size_t i = 0; i < count; ++i) {
        char number[QUANTITY_TEXT_SIZE];
        table_row(&table);
        table_cell(&table, "%s", rows[i].entry->name);
        table_cell(&table, "%s", quantity_text(number, &per_step, race_seconds_per_step(plan, rows[i].entry)));
        if (aimed)
            add_time(&table, &unit, rows[i].summary);
    }
    (void)printf("\n%sTime%s, tuned, scores left out; it varies from run to run and by machine\n", bold(), plain());
    table_print(&table);
}

/* --------------------------------------------------------------------------------------------------- */

void race_print(const struct race_report *report, const struct text *written)
{
    print_heading(report->race);
    print_table(report->race, false);
    print_table(report->race, true);
    print_chosen(report->race);
    print_differences(report->race);
    if (report->states)
        race_states_print(report);
    print_time(report->race);
    if (terminal_redraws(STDOUT_FILENO))
        (void)race_curves_draw(report, braille_print);
    race_print_end(report->race->interrupted, report->rerun, written);
}
