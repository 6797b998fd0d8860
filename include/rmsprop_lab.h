/* rmsprop_lab.h: what makes a problem that `rmsprop race` can hold.
 *
 * The problems of the command are made of this, and so is one of your own: fill a struct lab_problem, name it with
 * LAB_PLUGIN, compile it to a shared object (cc -shared -fPIC -ffp-contract=off mine.c -o mine.so), and `rmsprop race
 * ./mine.so` races on it. docs/adding-a-problem.md walks through one.
 *
 * Four laws make races comparable and the same bits everywhere: randomness comes from lab_random_*, keyed by seed,
 * stream and index; exp, log and their like from lab_exp and its like, because libms differ in the last bit; what
 * decides is not what is reported; nothing is allocated in gradient and score.
 *
 * Members are only ever added at the end of struct lab_problem and struct lab_instance, and the structs within them stay
 * as they are: an object that was compiled with an older header goes on working. */
#ifndef RMSPROP_LAB_H
#define RMSPROP_LAB_H

#include <rmsprop.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LAB_API __attribute__((visibility("default")))
#else
#define LAB_API
#endif

/* One run's own copy of a problem: parameters, gradients and scratch memory. The problem defines what is in it. */
struct lab_task;

/* How good the parameters are now; the quantities of the problem say what the three numbers are. */
struct lab_score {
    double training;   /* what a curve shows over the steps */
    double validation; /* by which learning rates are chosen, and which the target is of */
    double test;       /* what is reported, which nothing is chosen by */
};

/* What one number of a score is. */
struct lab_quantity {
    const char *name; /* "test accuracy" */
    const char *unit; /* "%", or "" */
    double factor;    /* from the number to the unit: 100 for a share in per cent; 0 means 1 */
    bool rising;      /* larger is better */
};

/* A number that the user may choose, as in `race quadratic:condition=1000`. */
struct lab_setting {
    const char *key;
    const char *summary;
    double value; /* what it is unless chosen */
    double minimum;
    double maximum;
    bool whole; /* only whole numbers */
};
#define LAB_SETTINGS_MAX 8

/* How to draw a problem of two parameters, which are the first two numbers of its first tensor. */
#define LAB_MINIMA_MAX 8
struct lab_view {
    double low[2]; /* the corners of the picture; low < high, or nothing is drawn */
    double high[2];
    double minima[LAB_MINIMA_MAX][2]; /* known minima, best first */
    size_t minimum_count;
};

/* A problem as it was asked for: with its settings, and what all its runs share. */
struct lab_instance {
    const struct lab_problem *problem;
    char name[96];                     /* as the user typed it: "quadratic:condition=1000" */
    double settings[LAB_SETTINGS_MAX]; /* in the order of problem->settings */
    const char *source;                /* the expression of --function, the file of --data; else NULL */
    const char *column;                /* --target's; else NULL */

    /* Begin as the problem says; prepare may change them. */
    char title[160];
    struct lab_quantity training, validation, test;
    size_t steps, quick_steps, score_every;
    double target;
    struct lab_view view;

    /* prepare's: */
    void *shared;       /* what the runs share, which they only read */
    uint64_t data_hash; /* of the data that were read, for whoever reruns it; 0 for none */

    void *opened; /* the lab's own */
};

struct lab_problem {
    size_t struct_size;                 /* sizeof(struct lab_problem) */
    const char *name;                   /* what the user types */
    const char *title;                  /* what a picture's heading says */
    const char *summary;                /* one line for `rmsprop list` */
    const struct lab_setting *settings; /* NULL for none */
    size_t setting_count;
    struct lab_quantity training, validation, test;
    size_t steps;       /* length of a run */
    size_t quick_steps; /* length of an indicative run */
    size_t score_every; /* steps between scores; divides both lengths */
    double target;      /* validation that counts as arrived: at most this, or at least where it is rising */

    /* Reads or makes what all runs share, once before the first, and lets go of it after the last; NULL where there is
     * nothing to read, or to let go of. After a failure, of which a sentence in *error tells, there is nothing to let
     * go of: RMS_ERROR_FILE, FORMAT or MEMORY, or ARGUMENT and RANGE for what the user asked for. */
    rms_status (*prepare)(struct lab_instance *instance, rms_error *error);
    void (*release)(struct lab_instance *instance);

    /* A task whose initial parameters depend on instance and seed alone, so that all optimizers start from the same
     * point; NULL when memory is short. destroy takes NULL. */
    struct lab_task *(*create)(const struct lab_instance *instance, uint64_t seed);
    void (*destroy)(struct lab_task *task);

    /* The task's tensors, for rms_add; they live as long as the task. */
    size_t (*tensors)(const struct lab_task *task, const rms_tensor **tensors);

    /* Fills the gradients for the batch of this step (from 0), which depends on seed, step and parameters alone, and
     * returns the batch's mean loss before the update. */
    double (*gradient)(struct lab_task *task, size_t step);

    struct lab_score (*score)(struct lab_task *task);

    /* From here on everything may be NULL. */

    /* Where the gradients are rows: those of the step for which gradient was last called, for rms_step_rows. */
    const rms_rows *(*rows)(struct lab_task *task, size_t *count);

    /* Whether what is learnt from changes at this step: a target network is copied, labels are permuted, physics
     * change. A contender may then reset its state, before the gradient of the step. */
    bool (*changes)(const struct lab_task *task, size_t step);

    /* The loss without noise at a point, for contours; with it, instance->view says what to show. */
    double (*value)(const struct lab_instance *instance, double x, double y);
    struct lab_view view;
};

/* In a shared object, once: LAB_PLUGIN(my_problem) */
#define LAB_PLUGIN(problem)                                                                                            \
    LAB_API const struct lab_problem *lab_plugin(void);                                                                \
    LAB_API const struct lab_problem *lab_plugin(void)                                                                 \
    {                                                                                                                  \
        return &(problem);                                                                                             \
    }

/* ---------------------------------------------------------------------------------------------------
 * Randomness by counter: each number is a function of (seed, stream, index) and nothing else, so that runs in any
 * order, on any number of threads, draw the same ones. Philox4x32-10: Salmon, Moraes, Dror and Shaw, "Parallel random
 * numbers: as easy as 1, 2, 3", SC 2011.
 * ------------------------------------------------------------------------------------------------- */

/* 64 uniform bits. Different (seed, stream, index) are different inputs of the cipher: key and counter. */
LAB_API uint64_t lab_random_bits(uint64_t seed, uint64_t stream, uint64_t index);

/* Uniform on the multiples of 2^-53 in [0, 1). */
LAB_API double lab_random_uniform(uint64_t seed, uint64_t stream, uint64_t index);

/* A whole number in [0, bound), 0 < bound <= 2^32; each is met with 1 / bound up to 2^-64. */
LAB_API uint64_t lab_random_below(uint64_t seed, uint64_t stream, uint64_t index, uint64_t bound);

/* Standard normal, by Box and Muller; finite, at most 8.6 in magnitude. */
LAB_API double lab_random_normal(uint64_t seed, uint64_t stream, uint64_t index);

/* Fills order with a permutation of 0 .. count - 1, count < 2^32, after Fisher and Yates. */
LAB_API void lab_random_permutation(uint64_t seed, uint64_t stream, uint32_t *order, size_t count);

/* ---------------------------------------------------------------------------------------------------
 * Functions of + - * / sqrt and bit operations alone: the C library's differ between machines in the last bit, and a
 * training run amplifies one bit to a different curve. Each has the limits of the C standard's function, NaN for NaN,
 * in the default rounding mode; no flags or errno are promised. lab/elementary.c derives their errors and
 * tests/lab_elementary.c measures them.
 * ------------------------------------------------------------------------------------------------- */
LAB_API double lab_exp(double x);
LAB_API double lab_log(double x);
LAB_API double lab_tanh(double x);
LAB_API double lab_sin(double x);
LAB_API double lab_cos(double x);
LAB_API double lab_pow(double x, double y);

#ifdef __cplusplus
}
#endif

#endif
