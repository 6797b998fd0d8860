/* A problem to optimize: what a race needs to know of it. One file in problems/, a line below and a
 * row in problems.c make a new one; docs/adding-a-problem.md walks through it. */
#ifndef LAB_PROBLEM_H
#define LAB_PROBLEM_H

#include <rmsprop.h>

/* One run's own copy of a problem: parameters, gradients and scratch memory. */
struct lab_task;

/* How good the parameters are now. */
struct lab_score {
    double training_loss;   /* mean over the training part; not negative */
    double validation_loss; /* mean over the validation part, by which learning rates are chosen */
    double test_accuracy;   /* share of the test part that is right, which nothing is chosen by */
};

struct lab_problem {
    const char *name;    /* what the user types */
    const char *title;   /* what a picture's heading says */
    const char *summary; /* one line for `rmsprop list` */
    size_t steps;        /* length of a run */
    size_t quick_steps;  /* length of an indicative run */
    size_t score_every;  /* steps between scores; divides both lengths */
    double target;       /* validation loss that counts as arrived */

    /* Reads what all runs share, once before the first, and lets go of it after the last; both NULL where a
     * problem brings all it needs along. After a failure (RMS_ERROR_FILE, FORMAT, MEMORY), of which a sentence
     * tells, there is nothing to let go of. */
    rms_status (*prepare)(rms_error *error);
    void (*release)(void);

    /* A task whose initial parameters depend on seed alone, so that all optimizers start from the same
     * point; NULL when memory is short. destroy takes NULL. */
    struct lab_task *(*create)(uint64_t seed);
    void (*destroy)(struct lab_task *task);

    /* The task's tensors, for rms_add; they live as long as the task. */
    size_t (*tensors)(const struct lab_task *task, const rms_tensor **tensors);

    /* Fills the gradients for the batch of this step (from 0), which depends on seed and step alone, and
     * returns the batch's mean loss before the update. */
    double (*gradient)(struct lab_task *task, size_t step);

    struct lab_score (*score)(struct lab_task *task);
};

/* The problems, each in its file in problems/, and the table of them in problems.c. */
extern const struct lab_problem lab_problem_digits;
extern const struct lab_problem lab_problem_fashion;

size_t lab_problem_count(void);
const struct lab_problem *lab_problem_at(size_t index);

/* NULL for an unknown name. */
const struct lab_problem *lab_problem_find(const char *name);

#endif
