/* What a race decides and tells: the best trial by validation alone, then summaries and comparisons of the test. */
#include "verdict.h"

#include "digest.h"
#include "elementary.h"
#include "random.h"
#include "trials.h"

#include <math.h>

/* Of the plan's seed; race.c has those before. */
enum { BOOTSTRAP_STREAM = 3 };

bool lab_is_better(const struct lab_quantity *quantity, double a, double b)
{
    return quantity->rising ? a > b : a < b;
}

uint64_t lab_bootstrap_seed(const struct lab_race_plan *plan)
{
    return lab_random_bits(plan->seed, BOOTSTRAP_STREAM, 0);
}

/* ---------------------------------------------------------------------------------------------------
 * Choosing
 * ------------------------------------------------------------------------------------------------- */

/* Fills tuning_score of one trial; returns how many of its runs diverged, SIZE_MAX if not all were made. */
static size_t judge_trial(const struct lab_race_plan *plan, struct lab_entry *entry, size_t trial)
{
    const struct lab_run *const runs = entry->tuning + trial * plan->tuning_seeds;
    size_t diverged = 0;
    double sum = 0.0;
    for (size_t i = 0; i < plan->tuning_seeds; ++i) {
        if (runs[i].state == LAB_RUN_PENDING)
            return SIZE_MAX;
        diverged += runs[i].state == LAB_RUN_DIVERGED;
        sum += runs[i].final.validation;
    }
    entry->tuning_score[trial] = sum / (double)plan->tuning_seeds;
    return diverged;
}

/* Decades around the best rate in which no rate's score is worse than the best by more than a tenth of it. */
static double width_of_best(const struct lab_race_plan *plan, const struct lab_entry *entry)
{
    const struct lab_quantity *const quantity = &plan->instance->validation;
    const double best = entry->tuning_score[entry->best];
    if (plan->searched != 0 || !isfinite(best))
        return 0.0;
    const double worst = best + (quantity->rising ? -0.1 : 0.1) * fabs(best);
    size_t low = entry->best;
    size_t high = entry->best;
    while (low > 0 && !lab_is_better(quantity, worst, entry->tuning_score[low - 1]))
        --low;
    while (high + 1 < plan->grid_count && !lab_is_better(quantity, worst, entry->tuning_score[high + 1]))
        ++high;
    return low == high ? 0.0 : (lab_log(plan->grid[high]) - lab_log(plan->grid[low])) / lab_log(10.0);
}

static void choose_own_trial(const struct lab_race_plan *plan, struct lab_entry *entry)
{
    size_t least_diverged = SIZE_MAX;
    entry->tuned = true;
    for (size_t trial = 0; trial < plan->grid_count; ++trial) {
        const size_t diverged = judge_trial(plan, entry, trial);
        entry->tuned = entry->tuned && diverged != SIZE_MAX;
        if (diverged < least_diverged ||
            (diverged == least_diverged && lab_is_better(&plan->instance->validation, entry->tuning_score[trial],
                                                         entry->tuning_score[entry->own_best]))) {
            least_diverged = diverged;
            entry->own_best = trial;
        }
    }
    entry->best = entry->own_best;
}

void lab_verdict_choose(struct lab_race *race)
{
    const struct lab_race_plan *const plan = race->plan;
    for (size_t i = 0; i < race->entry_count; ++i)
        choose_own_trial(plan, &race->entries[i]);
    for (size_t i = 0; i < race->entry_count; ++i) {
        struct lab_entry *const entry = &race->entries[i];
        const size_t follows = plan->contenders[i].follows;
        if (follows > 0) {
            entry->best = race->entries[follows - 1].own_best;
            entry->tuned = entry->tuned && race->entries[follows - 1].tuned;
        }
        if (!entry->tuned)
            continue;
        entry->best_on_edge = entry->best == 0 || entry->best + 1 == plan->grid_count;
        entry->width = width_of_best(plan, entry);
        for (size_t seed = 0; seed < plan->report_seeds; ++seed) {
            entry->tuned_runs[seed].learning_rate = plan->grid[entry->best];
            entry->tuned_runs[seed].trial = lab_trial_of(plan, entry->best, &plan->contenders[i].options);
        }
    }
}

/* ---------------------------------------------------------------------------------------------------
 * Telling
 * ------------------------------------------------------------------------------------------------- */

static struct lab_summary summarize(const struct lab_race_plan *plan, const struct lab_run *runs)
{
    double test[LAB_SEEDS_MAX], training[LAB_SEEDS_MAX], steps[LAB_SEEDS_MAX], seconds[LAB_SEEDS_MAX];
    struct lab_summary summary = {.digest = LAB_DIGEST_EMPTY};
    size_t n = 0;
    double sum = 0.0;
    for (size_t i = 0; i < plan->report_seeds; ++i) {
        const struct lab_run *const run = &runs[i];
        if (run->state == LAB_RUN_PENDING)
            continue;
        const bool reached = run->steps_to_target != SIZE_MAX;
        summary.diverged += run->state == LAB_RUN_DIVERGED;
        summary.reached += reached;
        summary.digest = lab_digest_word(summary.digest, run->digest);
        test[n] = run->final.test;
        training[n] = run->final.training;
        steps[n] = reached ? (double)run->steps_to_target : HUGE_VAL;
        seconds[n] = reached ? run->seconds_to_target : HUGE_VAL;
        sum += test[n++];
    }
    const uint64_t seed = lab_bootstrap_seed(plan);
    summary.run_count = n;
    summary.mean_test = sum / (double)n;
    summary.test = lab_bootstrap_median(test, n, seed);
    summary.test_middle = lab_bootstrap_middle(test, n, seed);
    summary.training = lab_bootstrap_median(training, n, seed);
    summary.steps_to_target = lab_bootstrap_median(steps, n, seed);
    summary.seconds_to_target = lab_bootstrap_median(seconds, n, seed);
    return summary;
}

/* The test scores of runs less those of others, paired by seed; returns how many seeds have both. */
static size_t subtract(const struct lab_race_plan *plan, const struct lab_run *runs, const struct lab_run *others,
                       double difference[LAB_SEEDS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < plan->report_seeds; ++i) {
        const double a = runs[i].final.test, b = others[i].final.test;
        if (runs[i].state != LAB_RUN_PENDING && others[i].state != LAB_RUN_PENDING)
            difference[n++] = a == b ? 0.0 : a - b; /* infinitely bad both: no difference */
    }
    return n;
}

/* Compares the tuned runs of two entries; false when no seed has both. */
static bool compare(const struct lab_race *race, size_t a, size_t b, struct lab_comparison *comparison)
{
    const struct lab_quantity *const quantity = &race->plan->instance->test;
    const bool b_leads =
        lab_is_better(quantity, race->entries[b].tuned_summary.test.median, race->entries[a].tuned_summary.test.median);
    comparison->better = b_leads ? b : a;
    comparison->worse = b_leads ? a : b;

    double difference[LAB_SEEDS_MAX], wins[LAB_SEEDS_MAX];
    const struct lab_run *const better = race->entries[comparison->better].tuned_runs;
    const struct lab_run *const worse = race->entries[comparison->worse].tuned_runs;
    const size_t n = quantity->rising ? subtract(race->plan, better, worse, difference)
                                      : subtract(race->plan, worse, better, difference);
    for (size_t i = 0; i < n; ++i)
        wins[i] = difference[i] > 0.0 ? 1.0 : difference[i] < 0.0 ? 0.0 : 0.5;
    const uint64_t seed = lab_bootstrap_seed(race->plan);
    comparison->pairs = n;
    comparison->difference = lab_bootstrap_median(difference, n, seed);
    comparison->improvement = lab_bootstrap_mean(wins, n, seed);
    comparison->significant = n >= LAB_SEEDS_TO_COMPARE && comparison->difference.low > 0.0;
    return n > 0;
}

/* The largest finite test score in magnitude. */
static double size_of(const struct lab_race_plan *plan, const struct lab_run *runs, double size)
{
    for (size_t i = 0; i < plan->report_seeds; ++i)
        if (runs[i].state != LAB_RUN_PENDING && isfinite(runs[i].final.test) && fabs(runs[i].final.test) > size)
            size = fabs(runs[i].final.test);
    return size;
}

/* Scores that cancel leave roundings, which are no difference: of shares the least there is, one image of one run, is
 * more than 1e-12 of all. */
static double without_rounding(double value, double size)
{
    return fabs(value) < 1e-12 * size ? 0.0 : value;
}

static struct lab_difference difference_to(const struct lab_race_plan *plan, const struct lab_run *followed,
                                           const struct lab_run *runs)
{
    double difference[LAB_SEEDS_MAX];
    const size_t n = subtract(plan, runs, followed, difference);
    const double size = size_of(plan, runs, size_of(plan, followed, 0.0));
    struct lab_mean test = lab_bootstrap_mean(difference, n, lab_bootstrap_seed(plan));
    test.mean = without_rounding(test.mean, size);
    test.low = without_rounding(test.low, size);
    test.high = without_rounding(test.high, size);
    return (struct lab_difference){
        .pairs = n,
        .test = test,
        .significant = n >= LAB_SEEDS_TO_COMPARE && (test.low > 0.0 || test.high < 0.0),
    };
}

void lab_verdict_tell(struct lab_race *race)
{
    for (size_t i = 0; i < race->entry_count; ++i) {
        struct lab_entry *const entry = &race->entries[i];
        entry->defaults = summarize(race->plan, entry->default_runs);
        entry->tuned_summary = summarize(race->plan, entry->tuned_runs);
        const size_t follows = race->plan->contenders[i].follows;
        if (follows > 0) {
            const struct lab_entry *const followed = &race->entries[follows - 1];
            entry->default_difference = difference_to(race->plan, followed->default_runs, entry->default_runs);
            entry->tuned_difference = difference_to(race->plan, followed->tuned_runs, entry->tuned_runs);
        }
    }
    for (size_t a = 0; a < race->entry_count; ++a)
        for (size_t b = a + 1; b < race->entry_count; ++b)
            race->comparison_count += compare(race, a, b, &race->tuned_comparisons[race->comparison_count]);
}
