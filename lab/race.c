/* The race's protocol: what is checked, and what is run in which order. */
#include "race.h"

#include "random.h"
#include "run.h"
#include "trials.h"
#include "verdict.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#endif

/* Streams of the plan's seed; verdict.c has the next. */
enum { TUNING_STREAM = 1, REPORT_STREAM };

void lab_race_plan_standard(struct lab_race_plan *plan, const struct lab_instance *instance, bool quick)
{
    static const double grid[] = {1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2,
                                  2e-2, 5e-2, 0.1,  0.2,  0.5,  1.0,  2.0,  5.0,  10.0};
    static const rms_rule rules[] = {RMS_SGD, RMS_ADAGRAD, RMS_RMSPROP, RMS_ADAM};
    *plan = (struct lab_race_plan){
        .instance = instance,
        .tuning_seeds = quick ? 1 : 3,
        .report_seeds = quick ? 5 : 10,
        .steps = quick ? instance->quick_steps : instance->steps,
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
    for (size_t i = 1; plan->searched == 0 && i < plan->grid_count; ++i)
        if (!(plan->grid[i] > plan->grid[i - 1]))
            return refuse(error, RMS_ERROR_RANGE, "the learning rates are not in rising order");
    if (plan->steps == 0 || plan->steps % plan->instance->score_every != 0) {
        snprintf(error->message, sizeof error->message, "%zu steps: %.96s takes a positive multiple of %zu",
                 plan->steps, plan->instance->name, plan->instance->score_every);
        return RMS_ERROR_RANGE;
    }
    return plan->threads < 0 ? refuse(error, RMS_ERROR_RANGE, "a negative number of threads") : RMS_OK;
}

/* Whether the library takes the contender's options with this rate and trial, on this machine. */
static rms_status check_contender(const struct lab_contender *contender, double rate, const struct lab_trial *trial,
                                  rms_error *error)
{
    rms_options options = contender->options;
    rms_optimizer *optimizer = NULL;
    rms_error reason = {{0}};
    rms_status status = lab_trial_apply(&options, rate, trial, &reason);
    if (status == RMS_OK)
        status = rms_create(&optimizer, &options, &reason);
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
    if (!plan->instance)
        return refuse(error, RMS_ERROR_ARGUMENT, "a race needs a problem");
    rms_status status = check_counts(plan, error);
    for (size_t i = 0; status == RMS_OK && i < plan->contender_count; ++i) {
        const struct lab_contender *const contender = &plan->contenders[i];
        struct lab_trial trial = lab_trial_none();
        status = check_follower(plan, i, error);
        if (status == RMS_OK)
            status = check_contender(contender, contender->options.lr, &trial, error);
        for (size_t k = 0; status == RMS_OK && k < plan->grid_count; ++k) {
            trial = lab_trial_of(plan, k, &contender->options);
            status = check_contender(contender, plan->grid[k], &trial, error);
        }
    }
    return status;
}

static size_t tuning_runs_each(const struct lab_race_plan *plan)
{
    return plan->grid_count * plan->tuning_seeds;
}

static void prepare_entry(const struct lab_race_plan *plan, size_t index, struct lab_entry *entry)
{
    const struct lab_contender *const contender = &plan->contenders[index];
    entry->name = contender->name;
    for (size_t trial = 0; trial < plan->grid_count; ++trial) {
        entry->tuning_score[trial] = (double)NAN;
        for (size_t i = 0; i < plan->tuning_seeds; ++i) {
            struct lab_run *const run = &entry->tuning[trial * plan->tuning_seeds + i];
            run->learning_rate = plan->grid[trial];
            run->trial = lab_trial_of(plan, trial, &contender->options);
            run->seed = lab_random_bits(plan->seed, TUNING_STREAM, i);
        }
    }
    for (size_t i = 0; i < plan->report_seeds; ++i) {
        const uint64_t seed = lab_random_bits(plan->seed, REPORT_STREAM, i);
        entry->default_runs[i].seed = seed;
        entry->default_runs[i].learning_rate = contender->options.lr;
        entry->default_runs[i].trial = lab_trial_none();
        entry->tuned_runs[i].seed = seed;
        entry->tuned_runs[i].trial = lab_trial_none();
    }
}

/* Lays out all runs: every entry's tuning, then every entry's report at its default rate and at its best.
 * The number of runs is checked and stays far below SIZE_MAX; that of scores may be anything. */
static bool prepare(struct lab_race *race, const struct lab_race_plan *plan)
{
    const size_t scores = plan->steps / plan->instance->score_every + 1;
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
    struct lab_race_hooks hooks;
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
        conduct->error = *error;
        conduct->status = status;
    }
    if (conduct->status != RMS_OK || run->state == LAB_RUN_PENDING)
        return;
    *place = *run;
    ++conduct->race->runs_done;
    if (conduct->hooks.watch)
        conduct->hooks.watch(conduct->hooks.context, conduct->race, place, entry);
}

/* What it does before one: whether there is anything to run. */
static bool is_due(struct conduct *conduct, struct lab_run *place, const struct lab_entry *entry)
{
    const struct lab_race_hooks *const hooks = &conduct->hooks;
    if (conduct->status != RMS_OK || (hooks->stop && *hooks->stop))
        return false;
    struct lab_run run = *place;
    if (!hooks->recall || !hooks->recall(hooks->context, conduct->race, &run, entry) || run.state == LAB_RUN_PENDING)
        return true;
    *place = run;
    ++conduct->race->runs_done;
    return false;
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
    const struct lab_entry *const entry = &race->entries[index];
    bool due;
#ifdef _OPENMP
#pragma omp critical(lab_race_publish)
#endif
    due = is_due(conduct, place, entry);
    if (!due)
        return;

    struct lab_run run = *place;
    rms_error error = {{0}};
    const rms_status status =
        lab_run_train(&run, plan->instance, &plan->contenders[index], plan->steps, conduct->hooks.stop, NULL, &error);
#ifdef _OPENMP
#pragma omp critical(lab_race_publish)
#endif
    publish(conduct, place, &run, entry, status, &error);
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

/* Runs everything. */
static void hold(struct conduct *conduct)
{
    struct lab_race *const race = conduct->race;
    const struct lab_race_plan *const plan = race->plan;
    const size_t each = tuning_runs_each(plan);
    perform(conduct, &(struct stage){race->runs, each, plan->tuning_seeds});
    lab_verdict_choose(race);
    perform(conduct,
            &(struct stage){race->runs + each * race->entry_count, 2 * plan->report_seeds, plan->report_seeds});
    race->interrupted = race->runs_done < race->runs_total;
    lab_verdict_tell(race);
}

rms_status lab_race_run(struct lab_race *race, const struct lab_race_plan *plan, const struct lab_race_hooks *hooks,
                        rms_error *error)
{
    struct conduct conduct = {.race = race};
    if (hooks)
        conduct.hooks = *hooks;
    *race = (struct lab_race){0};
    conduct.status = check_plan(plan, &conduct.error);
    if (conduct.status == RMS_OK && !prepare(race, plan))
        conduct.status = refuse(&conduct.error, RMS_ERROR_MEMORY, "not enough memory for the race's results");
    if (conduct.status == RMS_OK)
        hold(&conduct);
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
