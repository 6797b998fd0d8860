/* A race: several optimizers on one problem under one protocol.
 *
 * 1. Tuning. Every learning rate of the grid is run with the tuning seeds. The best has the least mean
 *    final validation loss among rates of which no run diverged; if every rate diverged somewhere, the one
 *    that diverged least often.
 * 2. Report. The default learning rate and the best one are run with fresh seeds, the same for everyone.
 *
 * A contender may follow another, from which it differs in something that should change nothing, such as the format
 * of its state. It is tuned like everyone, but reported at the best rate of the other, so that the two differ in that
 * alone, and compared with it seed by seed, at the default rate and at that best one.
 *
 * For one seed all optimizers start from the same parameters and see the same batches in the same order.
 * A run diverges when a gradient or its score stops being finite, or its training loss exceeds
 * LAB_DIVERGENCE times that of the start (units that saturate keep numbers finite long after all is lost); it
 * is counted, never dropped: its accuracy is what it was then, its loss infinite. Results do not depend on
 * the number of threads. Seed after seed is run by all optimizers: one that is interrupted has something of
 * everyone.
 */
#ifndef LAB_RACE_H
#define LAB_RACE_H

#include "problem.h"
#include "statistics.h"

#include <stdatomic.h>

#define LAB_GRID_MAX 64
#define LAB_SEEDS_MAX 1000
#define LAB_CONTENDERS_MAX 16
#define LAB_DIVERGENCE 1000.0

struct lab_contender {
    const char *name;    /* what the user types: "rmsprop" */
    rms_options options; /* its default settings, lr included; threads is 1 */
    size_t follows;      /* 0: nobody; else 1 + the place of a contender that follows nobody */
};

struct lab_race_plan {
    const struct lab_problem *problem;
    struct lab_contender contenders[LAB_CONTENDERS_MAX];
    size_t contender_count;
    double grid[LAB_GRID_MAX]; /* learning rates, rising; the same number of trials for everyone */
    size_t grid_count;
    size_t tuning_seeds;
    size_t report_seeds;
    size_t steps;  /* a multiple of the problem's score_every */
    uint64_t seed; /* all seeds of runs follow from it */
    int threads;   /* runs at a time, at most; 0: as many as OpenMP would use; 1 where it is not built in */
    bool quick;    /* indicative: results are labelled so */
};

/* The standard plan: SGD, Adagrad, RMSProp and Adam with their default options; learning rates 1, 2 and 5 times
 * the powers of ten from 1e-5 to 10; 3 tuning seeds and 10 report seeds (quick: fewer of all, and short
 * runs). */
void lab_race_plan_standard(struct lab_race_plan *plan, const struct lab_problem *problem, bool quick);

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
    struct lab_score final;
    size_t steps_to_target; /* step of the first score that met the target; SIZE_MAX if none did */
    uint64_t digest;        /* hash of the final parameters' bits */
    double *curve;          /* training loss at every score, from step 0 on; plan.steps / score_every + 1
                               numbers, NaN after divergence */
};

/* What is told of a set of report runs: medians with 95 % bootstrap intervals over seeds. */
struct lab_summary {
    size_t run_count;
    size_t diverged;
    size_t reached; /* runs that met the target */
    double mean_accuracy;
    struct lab_interval accuracy;
    struct lab_interval training_loss;
    struct lab_interval steps_to_target; /* infinity for runs that missed */
    uint64_t digest;                     /* of all runs' digests, in the order of seeds */
};

/* Of five seeds all favour one side by chance in 1 of 16 races; of six, in 1 of 32, less than 5 %. So no
 * interval of fewer covers a median with 95 %: the widest, from least to largest of five, with 93.75 %. */
#define LAB_SEEDS_TO_COMPARE 6

/* The accuracy of an entry less that of the one it follows, over the seeds of which both runs were made: the mean, since
 * most of these differences are 0 or a few images, of which a median hides the rest. */
struct lab_difference {
    size_t pairs; /* 0: nothing to compare */
    struct lab_mean accuracy;
    bool significant; /* the interval leaves out 0, and rests on LAB_SEEDS_TO_COMPARE or more */
};

struct lab_entry {
    const char *name;
    struct lab_run *tuning;           /* grid_count x tuning_seeds, rate by rate */
    double tuning_loss[LAB_GRID_MAX]; /* mean final validation loss; infinity if a run diverged, NaN if not run */
    size_t best;                      /* index in the grid of the rate that is reported */
    size_t own_best;                  /* the same, unless the entry follows another */
    bool tuned;                       /* false when interrupted before tuning was over */
    bool best_on_edge;                /* first or last: a better rate may lie outside; true for a grid of one */
    double width; /* decades of the grid whose tuning loss is within 10 % of the best; 0 if that diverged */
    struct lab_run *default_runs; /* report_seeds */
    struct lab_run *tuned_runs;   /* report_seeds */
    struct lab_summary defaults;
    struct lab_summary tuned_summary;
    struct lab_difference default_difference; /* to the entry that it follows */
    struct lab_difference tuned_difference;
};

/* A paired comparison of two entries over the same report seeds. */
struct lab_comparison {
    size_t better, worse;           /* indices of entries, better by median accuracy (first on a tie) */
    size_t pairs;                   /* seeds of which both runs were made, at least 1 */
    struct lab_interval difference; /* of accuracy, better minus worse, median over these seeds */
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

/* Called after each run, by one thread at a time, while no other thread changes *race; finished is the run
 * just made, by entry. */
typedef void lab_race_watcher(void *context, const struct lab_race *race, const struct lab_run *finished,
                              const struct lab_entry *entry);

/* Runs the plan. *stop, if not NULL, is looked at between scores: once it is nonzero no run is begun and
 * those under way are dropped; the race then holds what was finished, with interrupted set, and that is
 * RMS_OK. watcher and error may be NULL. *plan must outlive *race.
 *
 * Before the first run it checks the plan, each contender with each rate, and that the instruction set is
 * there, and prepares the problem: one race of a problem at a time. On failure *race is empty: RMS_ERROR_RANGE or
 * ARGUMENT for the plan, RMS_ERROR_MEMORY, what the problem said, or what the library said of a contender, whose name
 * begins the sentence. */
rms_status lab_race_run(struct lab_race *race, const struct lab_race_plan *plan, lab_race_watcher *watcher,
                        void *context, const atomic_int *stop, rms_error *error);

/* Releases what a race holds; an empty one is allowed, and a second time. */
void lab_race_free(struct lab_race *race);

#endif
