/* The race's protocol: what is run in which order, what is chosen by, and what is told. */
#include "race.h"

#include "digest.h"
#include "elementary.h"
#include "random.h"
#include "run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#endif

/* Streams of the plan's seed. */
enum { TUNING_STREAM = 1, REPORT_STREAM, BOOTSTRAP_STREAM };

void lab_race_plan_standard(struct lab_race_plan *plan, const struct lab_problem *problem, bool quick)
{
    static const double grid[] = {1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2,
                                  2e-2, 5e-2, 0.1,  0.2,  0.5,  1.0,  2.0,  5.0,  10.0};
    static const rms_rule rules[] = {RMS_SGD, RMS_ADAGRAD, RMS_RMSPROP, RMS_ADAM};
    *plan = (struct lab_race_plan){
        .problem = problem,
        .tuning_seeds = quick ? 1 : 3,
        .report_seeds = quick ? 5 : 10,
        .steps = quick ? problem->quick_steps : problem->steps,
        .seed = 1,
        .quick = quick,
    };
    for (size_t i = 0; i < sizeof grid / sizeof *grid; i += quick ? 3 : 1)
        plan->grid[plan->grid_count++] = grid[i];
    for (size_t i = 0; i < sizeof rules / sizeof *rules; ++i) {
        struct lab_contender *const contender = &plan->contenders[plan->contender_count++];
        *contender = (struct lab_contender){.name = rms_rule_name(rules[i]), .options = rms_options_for(rules[i])};
        contender->options.threads = 1;
    }
}

/* ---------------------------------------------------------------------------------------------------
 * Before the start
 * ------------------------------------------------------------------------------------------------- */

static rms_status refuse(rms_error *error, rms_status status, const char *sentence)
{
    snprintf(error->message, sizeof error->message, "%s", sentence);
    return status;
}

static rms_status check_counts(const struct lab_race_plan *plan, rms_error *error)
{
    const struct {
        const char *name;
        size_t value, most;
    } counts[] = {
        {"contenders", plan->contender_count, LAB_CONTENDERS_MAX},
        {"learning rates", plan->grid_count, LAB_GRID_MAX},
        {"tuning seeds", plan->tuning_seeds, LAB_SEEDS_MAX},
        {"report seeds", plan->report_seeds, LAB_SEEDS_MAX},
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; ++i)
        if (counts[i].value < 1 || counts[i].value > counts[i].most) {
            snprintf(error->message, sizeof error->message, "%zu %s: a race takes 1 to %zu", counts[i].value,
                     counts[i].name, counts[i].most);
            return RMS_ERROR_RANGE;
        }
    for (size_t i = 1; i < plan->grid_count; ++i)
        if (!(plan->grid[i] > plan->grid[i - 1]))
            return refuse(error, RMS_ERROR_RANGE, "the learning rates are not in rising order");
    if (plan->steps == 0 || plan->steps % plan->problem->score_every != 0) {
        snprintf(error->message, sizeof error->message, "%zu steps: %s takes a positive multiple of %zu", plan->steps,
                 plan->problem->name, plan->problem->score_every);
        return RMS_ERROR_RANGE;
    }
    return plan->threads < 0 ? refuse(error, RMS_ERROR_RANGE, "a negative number of threads") : RMS_OK;
}

/* Whether the library takes the contender's options with this rate, on this machine. */
static rms_status check_contender(const struct lab_contender *contender, double rate, rms_error *error)
{
    rms_options options = contender->options;
    options.lr = rate;
    rms_optimizer *optimizer;
    rms_error reason;
    const rms_status status = rms_create(&optimizer, &options, &reason);
    rms_free(optimizer);
    if (status != RMS_OK)
        snprintf(error->message, sizeof error->message, "%.40s: %.200s", contender->name, reason.message);
    return status;
}

/* Whether who is followed is there, and follows nobody. */
static rms_status check_follower(const struct lab_race_plan *plan, size_t follower, rms_error *error)
{
    const size_t follows = plan->contenders[follower].follows;
    if (follows == 0 || (follows <= plan->contender_count && plan->contenders[follows - 1].follows == 0))
        return RMS_OK;
    snprintf(error->message, sizeof error->message, "%.40s: it follows no contender that follows nobody",
             plan->contenders[follower].name);
    return RMS_ERROR_ARGUMENT;
}

static rms_status check_plan(const struct lab_race_plan *plan, rms_error *error)
{
    if (!plan->problem)
        return refuse(error, RMS_ERROR_ARGUMENT, "a race needs a problem");
    rms_status status = check_counts(plan, error);
    for (size_t i = 0; status == RMS_OK && i < plan->contender_count; ++i) {
        const struct lab_contender *const contender = &plan->contenders[i];
        status = check_follower(plan, i, error);
        if (status == RMS_OK)
            status = check_contender(contender, contender->options.lr, error);
        for (size_t rate = 0; status == RMS_OK && rate < plan->grid_count; ++rate)
            status = check_contender(contender, plan->grid[rate], error);
    }
    return status;
}

static size_t tuning_runs_each(const struct lab_race_plan *plan)
{
    return plan->grid_count * plan->tuning_seeds;
}

static void prepare_entry(const struct lab_race_plan *plan, size_t index, struct lab_entry *entry)
{
    entry->name = plan->contenders[index].name;
    for (size_t rate = 0; rate < plan->grid_count; ++rate) {
        entry->tuning_loss[rate] = (double)NAN;
        for (size_t i = 0; i < plan->tuning_seeds; ++i) {
            struct lab_run *const run = &entry->tuning[rate * plan->tuning_seeds + i];
            run->learning_rate = plan->grid[rate];
            run->seed = lab_random_bits(plan->seed, TUNING_STREAM, i);
        }
    }
    for (size_t i = 0; i < plan->report_seeds; ++i) {
        const uint64_t seed = lab_random_bits(plan->seed, REPORT_STREAM, i);
        entry->default_runs[i].seed = seed;
        entry->default_runs[i].learning_rate = plan->contenders[index].options.lr;
        entry->tuned_runs[i].seed = seed;
    }
}

/* Lays out all runs: every entry's tuning, then every entry's report at its default rate and at its best.
 * The number of runs is checked and stays far below SIZE_MAX; that of scores may be anything. */
static bool prepare(struct lab_race *race, const struct lab_race_plan *plan)
{
    const size_t scores = plan->steps / plan->problem->score_every + 1;
    const size_t each = tuning_runs_each(plan);
    const size_t total = plan->contender_count * (each + 2 * plan->report_seeds);
    *race = (struct lab_race){.plan = plan, .entry_count = plan->contender_count, .runs_total = total};
    if (total == 0 || scores > SIZE_MAX / sizeof *race->curves)
        return false;
    race->runs = calloc(total, sizeof *race->runs);
    race->curves = calloc(total, scores * sizeof *race->curves);
    if (!race->runs || !race->curves)
        return false;

    for (size_t i = 0; i < total; ++i)
        race->runs[i].curve = race->curves + i * scores;
    struct lab_run *const report = race->runs + plan->contender_count * each;
    for (size_t i = 0; i < plan->contender_count; ++i) {
        race->entries[i].tuning = race->runs + i * each;
        race->entries[i].default_runs = report + 2 * i * plan->report_seeds;
        race->entries[i].tuned_runs = race->entries[i].default_runs + plan->report_seeds;
        prepare_entry(plan, i, &race->entries[i]);
    }
    return true;
}

/* ---------------------------------------------------------------------------------------------------
 * Running
 * ------------------------------------------------------------------------------------------------- */

struct conduct {
    struct lab_race *race;
    lab_race_watcher *watcher;
    void *context;
    const atomic_int *stop;
    rms_status status;
    rms_error error;
};

#ifdef _OPENMP
static int thread_count(const struct lab_race_plan *plan, size_t runs)
{
    const int wanted = plan->threads > 0 ? plan->threads : omp_get_max_threads();
    return runs < (size_t)wanted ? (int)runs : wanted;
}
#endif

/* What a thread does after a run: nothing of the race changes but here, one thread at a time. */
static void publish(struct conduct *conduct, struct lab_run *place, const struct lab_run *run,
                    const struct lab_entry *entry, rms_status status, const rms_error *error)
{
    if (status != RMS_OK && conduct->status == RMS_OK) {
        snprintf(conduct->error.message, sizeof conduct->error.message, "%.40s: %.200s", entry->name, error->message);
        conduct->status = status;
    }
    if (conduct->status != RMS_OK || run->state == LAB_RUN_PENDING)
        return;
    *place = *run;
    ++conduct->race->runs_done;
    if (conduct->watcher)
        conduct->watcher(conduct->context, conduct->race, place, entry);
}

/* Runs of which each entry has `each`, entry by entry: a number of variants with the same seeds. */
struct stage {
    struct lab_run *runs;
    size_t each;
    size_t seeds;
};

static void perform_one(struct conduct *conduct, struct lab_run *place, size_t index)
{
    struct lab_race *const race = conduct->race;
    const struct lab_race_plan *const plan = race->plan;
    rms_status so_far;
#ifdef _OPENMP
#pragma omp critical(lab_race_publish)
#endif
    so_far = conduct->status;
    if (so_far != RMS_OK || (conduct->stop && *conduct->stop))
        return;

    struct lab_run run = *place;
    rms_error error;
    const rms_status status =
        lab_run_train(&run, plan->problem, &plan->contenders[index].options, plan->steps, conduct->stop, &error);
#ifdef _OPENMP
#pragma omp critical(lab_race_publish)
#endif
    publish(conduct, place, &run, &race->entries[index], status, &error);
}

/* Every thread takes the next run when it is free; which one takes it changes nothing. Entries take turns,
 * and one seed is done with before the next. */
static void perform(struct conduct *conduct, const struct stage *stage)
{
    struct lab_race *const race = conduct->race;
    const size_t entries = race->entry_count;
    const size_t variants = stage->each / stage->seeds;
    int threads = 1;
#ifdef _OPENMP
#pragma omp parallel num_threads(thread_count(race->plan, entries * stage->each))
#endif
    {
#ifdef _OPENMP
#pragma omp master
        threads = omp_get_num_threads(); /* which may be fewer than asked for */
#pragma omp for schedule(monotonic : dynamic, 1)
#endif
        for (size_t i = 0; i < entries * stage->each; ++i) {
            const size_t entry = i % entries;
            const size_t variant = i / entries % variants;
            const size_t seed = i / entries / variants;
            perform_one(conduct, stage->runs + entry * stage->each + variant * stage->seeds + seed, entry);
        }
    }
    if (threads > race->threads)
        race->threads = threads;
}

/* ---------------------------------------------------------------------------------------------------
 * Choosing and telling
 * ------------------------------------------------------------------------------------------------- */

/* Fills tuning_loss of one rate; returns how many of its runs diverged, SIZE_MAX if not all were made. */
static size_t judge_rate(const struct lab_race_plan *plan, struct lab_entry *entry, size_t rate)
{
    const struct lab_run *const runs = entry->tuning + rate * plan->tuning_seeds;
    size_t diverged = 0;
    double sum = 0.0;
    for (size_t i = 0; i < plan->tuning_seeds; ++i) {
        if (runs[i].state == LAB_RUN_PENDING)
            return SIZE_MAX;
        diverged += runs[i].state == LAB_RUN_DIVERGED;
        sum += runs[i].final.validation_loss;
    }
    entry->tuning_loss[rate] = sum / (double)plan->tuning_seeds;
    return diverged;
}

/* Decades around the best rate in which no rate's loss is more than a tenth above the best. */
static double width_of_best(const struct lab_race_plan *plan, const struct lab_entry *entry)
{
    const double ceiling = 1.1 * entry->tuning_loss[entry->best];
    if (!isfinite(ceiling))
        return 0.0;
    size_t low = entry->best;
    size_t high = entry->best;
    while (low > 0 && entry->tuning_loss[low - 1] <= ceiling)
        --low;
    while (high + 1 < plan->grid_count && entry->tuning_loss[high + 1] <= ceiling)
        ++high;
    return low == high ? 0.0 : (lab_log(plan->grid[high]) - lab_log(plan->grid[low])) / lab_log(10.0);
}

static void choose_own_rate(const struct lab_race_plan *plan, struct lab_entry *entry)
{
    size_t least_diverged = SIZE_MAX;
    entry->tuned = true;
    for (size_t rate = 0; rate < plan->grid_count; ++rate) {
        const size_t diverged = judge_rate(plan, entry, rate);
        entry->tuned = entry->tuned && diverged != SIZE_MAX;
        if (diverged < least_diverged ||
            (diverged == least_diverged && entry->tuning_loss[rate] < entry->tuning_loss[entry->own_best])) {
            least_diverged = diverged;
            entry->own_best = rate;
        }
    }
    entry->best = entry->own_best;
}

static void choose_rates(struct lab_race *race)
{
    const struct lab_race_plan *const plan = race->plan;
    for (size_t i = 0; i < race->entry_count; ++i)
        choose_own_rate(plan, &race->entries[i]);
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
        for (size_t seed = 0; seed < plan->report_seeds; ++seed)
            entry->tuned_runs[seed].learning_rate = plan->grid[entry->best];
    }
}

static uint64_t bootstrap_seed(const struct lab_race_plan *plan)
{
    return lab_random_bits(plan->seed, BOOTSTRAP_STREAM, 0);
}

static struct lab_summary summarize(const struct lab_race_plan *plan, const struct lab_run *runs)
{
    double accuracy[LAB_SEEDS_MAX], loss[LAB_SEEDS_MAX], steps[LAB_SEEDS_MAX];
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
        accuracy[n] = run->final.test_accuracy;
        loss[n] = run->final.training_loss;
        steps[n] = reached ? (double)run->steps_to_target : HUGE_VAL;
        sum += accuracy[n++];
    }
    const uint64_t seed = bootstrap_seed(plan);
    summary.run_count = n;
    summary.mean_accuracy = sum / (double)n;
    summary.accuracy = lab_bootstrap_median(accuracy, n, seed);
    summary.training_loss = lab_bootstrap_median(loss, n, seed);
    summary.steps_to_target = lab_bootstrap_median(steps, n, seed);
    return summary;
}

/* The accuracy of runs less that of others, paired by seed; returns how many seeds have both. */
static size_t subtract(const struct lab_race_plan *plan, const struct lab_run *runs, const struct lab_run *others,
                       double difference[LAB_SEEDS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < plan->report_seeds; ++i)
        if (runs[i].state != LAB_RUN_PENDING && others[i].state != LAB_RUN_PENDING)
            difference[n++] = runs[i].final.test_accuracy - others[i].final.test_accuracy;
    return n;
}

/* Compares the tuned runs of two entries; false when no seed has both. */
static bool compare(const struct lab_race *race, size_t a, size_t b, struct lab_comparison *comparison)
{
    const bool a_leads =
        race->entries[a].tuned_summary.accuracy.median >= race->entries[b].tuned_summary.accuracy.median;
    comparison->better = a_leads ? a : b;
    comparison->worse = a_leads ? b : a;

    double difference[LAB_SEEDS_MAX];
    const size_t n = subtract(race->plan, race->entries[comparison->better].tuned_runs,
                              race->entries[comparison->worse].tuned_runs, difference);
    comparison->pairs = n;
    comparison->difference = lab_bootstrap_median(difference, n, bootstrap_seed(race->plan));
    comparison->significant = n >= LAB_SEEDS_TO_COMPARE && comparison->difference.low > 0.0;
    return n > 0;
}

/* Shares that cancel leave roundings, which are no difference: the least there is, one image of one run, is more than
 * 1e-12 of all. */
static double without_rounding(double value)
{
    return fabs(value) < 1e-12 ? 0.0 : value;
}

static struct lab_difference difference_to(const struct lab_race_plan *plan, const struct lab_run *followed,
                                           const struct lab_run *runs)
{
    double difference[LAB_SEEDS_MAX];
    const size_t n = subtract(plan, runs, followed, difference);
    struct lab_mean accuracy = lab_bootstrap_mean(difference, n, bootstrap_seed(plan));
    accuracy.mean = without_rounding(accuracy.mean);
    accuracy.low = without_rounding(accuracy.low);
    accuracy.high = without_rounding(accuracy.high);
    return (struct lab_difference){
        .pairs = n,
        .accuracy = accuracy,
        .significant = n >= LAB_SEEDS_TO_COMPARE && (accuracy.low > 0.0 || accuracy.high < 0.0),
    };
}

static void tell(struct lab_race *race)
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

/* Runs everything, the problem being ready. */
static void hold(struct conduct *conduct)
{
    struct lab_race *const race = conduct->race;
    const struct lab_race_plan *const plan = race->plan;
    const size_t each = tuning_runs_each(plan);
    perform(conduct, &(struct stage){race->runs, each, plan->tuning_seeds});
    choose_rates(race);
    perform(conduct,
            &(struct stage){race->runs + each * race->entry_count, 2 * plan->report_seeds, plan->report_seeds});
    race->interrupted = race->runs_done < race->runs_total;
    tell(race);
}

rms_status lab_race_run(struct lab_race *race, const struct lab_race_plan *plan, lab_race_watcher *watcher,
                        void *context, const atomic_int *stop, rms_error *error)
{
    struct conduct conduct = {.race = race, .watcher = watcher, .context = context, .stop = stop};
    *race = (struct lab_race){0};
    conduct.status = check_plan(plan, &conduct.error);
    if (conduct.status == RMS_OK && !prepare(race, plan))
        conduct.status = refuse(&conduct.error, RMS_ERROR_MEMORY, "not enough memory for the race's results");
    if (conduct.status == RMS_OK && plan->problem->prepare)
        conduct.status = plan->problem->prepare(&conduct.error);

    if (conduct.status == RMS_OK) {
        hold(&conduct);
        if (plan->problem->release)
            plan->problem->release();
    }
    if (conduct.status != RMS_OK)
        lab_race_free(race);
    if (error)
        *error = conduct.error;
    return conduct.status;
}

void lab_race_free(struct lab_race *race)
{
    free(race->runs);
    free(race->curves);
    *race = (struct lab_race){0};
}
