/* A race: several optimizers on one problem under one protocol.
 *
 * 1. Tuning. Every trial is run with the tuning seeds: the same number of trials for everyone, from the same
 *    space. A trial is a learning rate of the grid; where more is searched (plan.searched), a learning rate with an
 *    epsilon, a rho and a momentum. The best has the best mean final validation score among trials of which no run
 *    diverged; if every trial diverged somewhere, it is the one that diverged least often.
 * 2. Report. The default settings and the best trial are run with fresh seeds, the same for everyone.
 *
 * A contender may follow another, from which it differs in something that should change nothing, such as the format
 * of its state. It is tuned like everyone, but reported at the best rate of the other, so that the two differ in that
 * alone, and compared with it seed by seed, at the default rate and at that best one.
 *
 * For one seed all optimizers start from the same parameters and see the same batches in the same order.
 * A run diverges when a gradient or its score stops being finite, or, where less is better, its training score exceeds
 * LAB_DIVERGENCE times that of the start, taken as magnitude and as 1 at least where scores may be negative (units that
 * saturate keep numbers finite long after all is lost); it is counted, never dropped: its test score is what it was
 * then, the other two are infinitely bad. Results do not depend on
 * the number of threads. Seed after seed is run by all optimizers: one that is interrupted has something of
 * everyone.
 */
#ifndef LAB_RACE_H
#define LAB_RACE_H

#include "instance.h"
#include "statistics.h"

#include <stdatomic.h>

#define LAB_GRID_MAX 64
#define LAB_SEEDS_MAX 1000
#define LAB_CONTENDERS_MAX 16
#define LAB_DIVERGENCE 1000.0

/* What a contender does with its state where lab_problem.changes says so: nothing, forgets all of it, or only its
 * count of steps, as Adam-Rel does (Ellis et al., "Adam on local time", NeurIPS 2024). */
enum lab_reset { LAB_RESET_NOTHING, LAB_RESET_STATE, LAB_RESET_STEPS };

struct lab_contender {
    const char *name;     /* what the user types: "rmsprop" */
    rms_options options;  /* its default settings, lr included; threads is 1 */
    size_t follows;       /* 0: nobody; else 1 + the place of a contender that follows nobody */
    enum lab_reset reset; /* where the problem says that it changes */
};

/* What is searched besides the learning rate; a contender whose rule has no such option leaves it out. */
enum { LAB_SEARCH_EPSILON = 1, LAB_SEARCH_RHO = 2, LAB_SEARCH_MOMENTUM = 4 };

/* What a trial sets besides the learning rate; NaN leaves what the contender has. rho stands for the discount of
 * squared gradients, beta2 of Adam's kin as well; momentum for beta1 as well. */
struct lab_trial {
    double epsilon, rho, momentum;
};

struct lab_race_plan {
    const struct lab_instance *instance; /* open */
    struct lab_contender contenders[LAB_CONTENDERS_MAX];
    size_t contender_count;
    double grid[LAB_GRID_MAX]; /* learning rates, rising; the same number of trials for everyone */
    size_t grid_count;
    unsigned searched;                     /* LAB_SEARCH_..., or 0: then learning rates alone, in rising order */
    struct lab_trial trials[LAB_GRID_MAX]; /* beside each learning rate; read where searched is not 0 */
    size_t tuning_seeds;
    size_t report_seeds;
    size_t steps;  /* a multiple of the instance's score_every */
    uint64_t seed; /* all seeds of runs follow from it */
    int threads;   /* runs at a time, at most; 0: as many as OpenMP would use; 1 where it is not built in */
    bool quick;    /* indicative: results are labelled so */
};

/* The standard plan: SGD, Adagrad, RMSProp and Adam with their default options; learning rates 1, 2 and 5 times
 * the powers of ten from 1e-5 to 10; 3 tuning seeds and 10 report seeds (quick: fewer of all, and short
 * runs). */
void lab_race_plan_standard(struct lab_race_plan *plan, const struct lab_instance *instance, bool quick);

/* Replaces the grid by `count` quasi-random trials (1 to LAB_GRID_MAX) over the learning rates between the ends of the
 * grid and what `searched` names, from declared spaces: docs/cli.md tells them. */
void lab_race_plan_search(struct lab_race_plan *plan, unsigned searched, size_t count);

enum lab_run_state {
    LAB_RUN_PENDING = 0, /* interrupted before it was run */
    LAB_RUN_DONE,
    LAB_RUN_DIVERGED
};

/* One training run. */
struct lab_run {
    enum lab_run_state state; /* while it is pending, what follows learning_rate means nothing */
    uint64_t seed;
    double learning_rate;
    struct lab_trial trial; /* NaN where the contender's own settings stay */
    struct lab_score final;
    size_t steps_to_target;   /* step of the first score that met the target; SIZE_MAX if none did */
    double seconds;           /* of training, scores left out: the only figures here that a rerun changes */
    double seconds_to_target; /* infinity if none met it */
    uint64_t digest;          /* hash of the final parameters' bits */
    double *curve;            /* training score at every score, from step 0 on; plan.steps / score_every + 1
                                 numbers, NaN after divergence */
};

/* What is told of a set of report runs: medians with 95 % bootstrap intervals over seeds. */
struct lab_summary {
    size_t run_count;
    size_t diverged;
    size_t reached; /* runs that met the target */
    double mean_test;
    struct lab_interval test;
    struct lab_mean test_middle; /* mean of the middle half (IQM) */
    struct lab_interval training;
    struct lab_interval steps_to_target;   /* infinity for runs that missed */
    struct lab_interval seconds_to_target; /* likewise; varies from run to run */
    uint64_t digest;                       /* of all runs' digests, in the order of seeds */
};

/* Of five seeds all favour one side by chance in 1 of 16 races; of six, in 1 of 32, less than 5 %. So no
 * interval of fewer covers a median with 95 %: the widest, from least to largest of five, with 93.75 %. */
#define LAB_SEEDS_TO_COMPARE 6

/* The test score of an entry less that of the one it follows, over the seeds of which both runs were made: the mean, since
 * most of these differences are 0 or a few images, of which a median hides the rest. */
struct lab_difference {
    size_t pairs; /* 0: nothing to compare */
    struct lab_mean test;
    bool significant; /* the interval leaves out 0, and rests on LAB_SEEDS_TO_COMPARE or more */
};

struct lab_entry {
    const char *name;
    struct lab_run *tuning; /* grid_count x tuning_seeds, rate by rate */
    double
        tuning_score[LAB_GRID_MAX]; /* mean final validation score; infinitely bad if a run diverged, NaN if not run */
    size_t best;                    /* index in the grid of the trial that is reported */
    size_t own_best;                /* the same, unless the entry follows another */
    bool tuned;                     /* false when interrupted before tuning was over */
    bool best_on_edge;              /* first or last: a better rate may lie outside; true for a grid of one */
    double width; /* decades of the grid whose tuning score is within 10 % of the best; 0 if that diverged or more
                     than the rate is searched */
    struct lab_run *default_runs; /* report_seeds */
    struct lab_run *tuned_runs;   /* report_seeds */
    struct lab_summary defaults;
    struct lab_summary tuned_summary;
    struct lab_difference default_difference; /* to the entry that it follows */
    struct lab_difference tuned_difference;
};

/* A paired comparison of two entries over the same report seeds. */
struct lab_comparison {
    size_t better, worse;           /* indices of entries, better by median test score (first on a tie) */
    size_t pairs;                   /* seeds of which both runs were made, at least 1 */
    struct lab_interval difference; /* by how much better is better, median over these seeds; rarely below 0 */
    struct lab_mean improvement;    /* probability that a run of better beats a run of worse, ties counting half */
    bool significant;               /* the interval lies above 0, and rests on LAB_SEEDS_TO_COMPARE or more */
};

struct lab_race {
    const struct lab_race_plan *plan;
    struct lab_run *runs; /* all of them, tuning before report; entries point into it */
    double *curves;       /* of all runs */
    struct lab_entry entries[LAB_CONTENDERS_MAX];
    size_t entry_count;
    size_t runs_total;
    size_t runs_done;
    int threads; /* the most runs there were at a time, set when the race is over */
    bool interrupted;
    struct lab_comparison tuned_comparisons[LAB_CONTENDERS_MAX * LAB_CONTENDERS_MAX / 2]; /* every pair once */
    size_t comparison_count;
};

/* What a race asks of its caller; any member may be NULL. */
struct lab_race_hooks {
    void *context;

    /* Called after each run, by one thread at a time, while no other thread changes *race; finished is the run just
     * made, by entry. */
    void (*watch)(void *context, const struct lab_race *race, const struct lab_run *finished,
                  const struct lab_entry *entry);

    /* Whether this run, of the entry's contender with run->seed, learning_rate and trial, was made before: then it
     * fills the rest of it. Called like watch, before the run; watch is not called for it then. */
    bool (*recall)(void *context, const struct lab_race *race, struct lab_run *run, const struct lab_entry *entry);

    /* Looked at between scores: once it is nonzero no run is begun and those under way are dropped; the race then
     * holds what was finished, with interrupted set, and that is RMS_OK. */
    const atomic_int *stop;
};

/* Runs the plan. hooks and error may be NULL. *plan must outlive *race.
 *
 * Before the first run it checks the plan, each contender with each trial, and that the instruction set is there. On
 * failure *race is empty: RMS_ERROR_RANGE or ARGUMENT for the plan, RMS_ERROR_MEMORY, RMS_ERROR_FORMAT for a problem
 * whose first score is not finite, or what the library said of a contender, whose name begins the sentence. */
rms_status lab_race_run(struct lab_race *race, const struct lab_race_plan *plan, const struct lab_race_hooks *hooks,
                        rms_error *error);

/* Releases what a race holds; an empty one is allowed, and a second time. */
void lab_race_free(struct lab_race *race);

#endif
