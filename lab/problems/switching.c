/* Digits whose labels change their meaning again and again: every so many steps a new permutation of the ten, drawn from
 * the seed. What counts is how good the net was all along, not how good it is in the end. */
#include "supervised.h"

#include <rmsprop_lab.h>

#include <math.h>
#include <stdlib.h>

#define CLASSES 10
#define PHASES 8       /* in a run */
#define QUICK_PHASES 4 /* in an indicative run */
#define EVERY_DEFAULT 200
#define SCORE_EVERY 20
#define SCORED 400 /* training images that the training loss is taken of */
#define SWITCH_STREAM (UINT64_C(2) << 32)

static const struct lab_setting settings[] = {
    {"every", "steps between two permutations of the labels", EVERY_DEFAULT, 20, 100000, true},
};
enum { EVERY };

struct lab_task {
    struct lab_learner learner;
    struct lab_dataset data;          /* the images, with labels of this run's own */
    const struct lab_dataset *digits; /* with the labels as they are */
    uint8_t *labels;                  /* of the three parts */
    uint64_t seed;
    size_t every;
    size_t phase;
    size_t steps; /* taken */

    /* The sums over the scores since the start, of which there is one after each of so many steps. */
    size_t scored_after;
    double scores, validation, test;
};

static size_t rounded_up(size_t steps)
{
    return (steps + SCORE_EVERY - 1) / SCORE_EVERY * SCORE_EVERY;
}

static rms_status prepare(struct lab_instance *instance, rms_error *error)
{
    const size_t every = (size_t)instance->settings[EVERY];
    instance->steps = rounded_up(PHASES * every);
    instance->quick_steps = rounded_up(QUICK_PHASES * every);
    return lab_problem_digits.prepare(instance, error);
}

static void release(struct lab_instance *instance)
{
    lab_problem_digits.release(instance);
}

/* Gives each digit its name of this phase; in the first that is its own. */
static void relabel(struct lab_task *task, size_t phase)
{
    uint32_t names[CLASSES];
    lab_random_permutation(task->seed, SWITCH_STREAM + phase, names, CLASSES);
    const struct lab_part parts[] = {task->digits->training, task->digits->validation, task->digits->test};
    uint8_t *label = task->labels;
    for (size_t p = 0; p < sizeof parts / sizeof *parts; ++p)
        for (size_t i = 0; i < parts[p].count; ++i)
            *label++ = phase == 0 ? parts[p].labels[i] : (uint8_t)names[parts[p].labels[i]];
    task->phase = phase;
}

static void destroy(struct lab_task *task)
{
    if (!task)
        return;
    lab_learner_free(&task->learner);
    free(task->labels);
    free(task);
}

static struct lab_task *create(const struct lab_instance *instance, uint64_t seed)
{
    const struct lab_dataset *const digits = instance->shared;
    struct lab_task *const task = calloc(1, sizeof *task);
    if (!task)
        return NULL;
    task->labels = calloc(digits->training.count + digits->validation.count + digits->test.count, 1);
    task->digits = digits;
    task->seed = seed;
    task->every = (size_t)instance->settings[EVERY];
    task->data = *digits;
    task->data.scored = SCORED;
    task->data.training.labels = task->labels;
    task->data.validation.labels = task->labels + digits->training.count;
    task->data.test.labels = task->data.validation.labels + digits->validation.count;
    if (!task->labels || !lab_learner_create(&task->learner, &task->data, seed)) {
        destroy(task);
        return NULL;
    }
    relabel(task, 0);
    return task;
}

static size_t tensors(const struct lab_task *task, const rms_tensor **tensors)
{
    *tensors = task->learner.tensors;
    return task->learner.tensor_count;
}

static bool changes(const struct lab_task *task, size_t step)
{
    return step > 0 && step % task->every == 0;
}

static double gradient(struct lab_task *task, size_t step)
{
    if (step / task->every != task->phase)
        relabel(task, step / task->every);
    task->steps = step + 1;
    return lab_learner_gradient(&task->learner, step);
}

/* The loss of now; of the other two parts the mean of all scores since the first step. */
static struct lab_score score(struct lab_task *task)
{
    struct lab_score score = lab_learner_score(&task->learner);
    if (task->steps == 0)
        return score;
    if (task->steps != task->scored_after) {
        task->scored_after = task->steps;
        task->scores += 1.0;
        task->validation += score.validation;
        task->test += score.test;
    }
    score.validation = task->validation / task->scores;
    score.test = task->test / task->scores;
    return score;
}

const struct lab_problem lab_problem_switching = {
    .struct_size = sizeof(struct lab_problem),
    .name = "switching",
    .title = "Digits whose labels are permuted again and again, 64-32-10 net",
    .summary = "the digits, but every 200 steps their labels are permuted: who finds back soonest?",
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .training = LAB_TRAINING_LOSS,
    .validation = {.name = "mean validation loss", .unit = "", .factor = 1.0},
    .test = {.name = "mean test accuracy", .unit = "%", .factor = 100.0, .rising = true},
    .steps = (size_t)PHASES * EVERY_DEFAULT,
    .quick_steps = (size_t)QUICK_PHASES * EVERY_DEFAULT,
    .score_every = SCORE_EVERY,
    .target = -HUGE_VAL, /* none: a mean over the run is met early and lost again */
    .prepare = prepare,
    .release = release,
    .create = create,
    .destroy = destroy,
    .tensors = tensors,
    .gradient = gradient,
    .score = score,
    .changes = changes,
};
