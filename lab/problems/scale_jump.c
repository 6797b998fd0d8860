/* Gradients whose scale jumps: a linear regression whose weights are found, and then, at one step, are others, while the
 * loss is multiplied by a factor. Whoever divides by what gradients used to be steps too far when they grow a
 * thousandfold, and creeps when they shrink. */
#include "problem.h"

#include <rmsprop_lab.h>

#include <math.h>
#include <stdlib.h>

enum { WEIGHTS = 8, BATCH = 16, VALIDATION = 64, TEST = 256, HELD_OUT = VALIDATION + TEST };
#define NOISE 0.03 /* deviation of what no weights explain */
#define SCORE_EVERY 10
#define AT 400

/* Streams of the seed. */
enum { TRUTH, INPUTS, NOISES, HELD_OUT_INPUTS };

static const struct lab_setting settings[] = {
    {"at", "the step of the jump, half of the run", AT, 10, 1000000, true},
    {"factor", "by which the loss is multiplied from then on; below 1: gradients shrink", 1000, 1e-6, 1e6, false},
};
enum { SETTING_AT, SETTING_FACTOR };

struct lab_task {
    uint64_t seed;
    size_t at;
    double before, after; /* what the loss is multiplied by */
    float weights[WEIGHTS], gradient[WEIGHTS];
    float truth[2][WEIGHTS]; /* before the jump and after it */
    float held_out[HELD_OUT][WEIGHTS];
    rms_tensor tensor;

    size_t phase;

    /* The steps, and the sums of the errors before each. */
    double steps, validation, test;
};

static rms_status prepare(struct lab_instance *instance, rms_error *error)
{
    (void)error;
    const size_t steps = 2 * (size_t)instance->settings[SETTING_AT];
    instance->steps = (steps + SCORE_EVERY - 1) / SCORE_EVERY * SCORE_EVERY;
    instance->quick_steps = instance->steps;
    return RMS_OK;
}

/* The weights to be found are of length 1 before the jump, and 1 away from there after it, in directions of chance. */
static void draw_truth(struct lab_task *task)
{
    for (size_t phase = 0; phase < 2; ++phase) {
        double direction[WEIGHTS], squares = 0.0;
        for (size_t i = 0; i < WEIGHTS; ++i) {
            direction[i] = lab_random_normal(task->seed, TRUTH, phase * WEIGHTS + i);
            squares += direction[i] * direction[i];
        }
        for (size_t i = 0; i < WEIGHTS; ++i)
            task->truth[phase][i] =
                (float)((phase == 0 ? 0.0 : (double)task->truth[0][i]) + direction[i] / sqrt(squares));
    }
}

static struct lab_task *create(const struct lab_instance *instance, uint64_t seed)
{
    struct lab_task *const task = calloc(1, sizeof *task);
    if (!task)
        return NULL;
    const double factor = instance->settings[SETTING_FACTOR];
    task->seed = seed;
    task->at = (size_t)instance->settings[SETTING_AT];
    task->before = factor > 1.0 ? 1.0 / factor : 1.0;
    task->after = factor > 1.0 ? 1.0 : factor;
    draw_truth(task);
    for (size_t sample = 0; sample < HELD_OUT; ++sample)
        for (size_t i = 0; i < WEIGHTS; ++i)
            task->held_out[sample][i] = (float)lab_random_normal(seed, HELD_OUT_INPUTS, sample * WEIGHTS + i);
    task->tensor = (rms_tensor){.name = "weights", .count = WEIGHTS, .param = task->weights, .grad = task->gradient};
    return task;
}

static void destroy(struct lab_task *task)
{
    free(task);
}

static size_t tensors(const struct lab_task *task, const rms_tensor **tensors)
{
    *tensors = &task->tensor;
    return 1;
}

static bool changes(const struct lab_task *task, size_t step)
{
    return step == task->at;
}

/* The mean of squared errors over held-out samples, of which the truth is known without noise. */
static double error_on(const struct lab_task *task, size_t first, size_t count)
{
    double sum = 0.0;
    for (size_t sample = first; sample < first + count; ++sample) {
        double error = 0.0;
        for (size_t i = 0; i < WEIGHTS; ++i)
            error +=
                (double)task->held_out[sample][i] * ((double)task->weights[i] - (double)task->truth[task->phase][i]);
        sum += error * error;
    }
    return sum / (double)count;
}

static void begin_step(struct lab_task *task, size_t step)
{
    task->phase = step >= task->at;
    task->steps += 1.0;
    task->validation += error_on(task, 0, VALIDATION);
    task->test += error_on(task, VALIDATION, TEST);
}

/* Half the mean of squared errors, times the factor of the phase, on fresh samples. */
static double gradient(struct lab_task *task, size_t step)
{
    double slope[WEIGHTS] = {0.0}, loss = 0.0;
    begin_step(task, step);
    for (uint64_t sample = (uint64_t)step * BATCH; sample < (uint64_t)(step + 1) * BATCH; ++sample) {
        double inputs[WEIGHTS], error = -NOISE * lab_random_normal(task->seed, NOISES, sample);
        for (size_t i = 0; i < WEIGHTS; ++i) {
            inputs[i] = lab_random_normal(task->seed, INPUTS, sample * WEIGHTS + i);
            error += inputs[i] * ((double)task->weights[i] - (double)task->truth[task->phase][i]);
        }
        loss += 0.5 * error * error / BATCH;
        for (size_t i = 0; i < WEIGHTS; ++i)
            slope[i] += error * inputs[i] / BATCH;
    }
    const double factor = task->phase == 0 ? task->before : task->after;
    for (size_t i = 0; i < WEIGHTS; ++i)
        task->gradient[i] = (float)(factor * slope[i]);
    return factor * loss;
}

/* The error of now, without the factor; of the other two the mean over all steps: whoever is to do well must find both
 * truths at one learning rate. */
static struct lab_score score(struct lab_task *task)
{
    const double now = error_on(task, 0, HELD_OUT);
    if (task->steps == 0.0)
        return (struct lab_score){now, error_on(task, 0, VALIDATION), error_on(task, VALIDATION, TEST)};
    return (struct lab_score){now, task->validation / task->steps, task->test / task->steps};
}

const struct lab_problem lab_problem_scale_jump = {
    .struct_size = sizeof(struct lab_problem),
    .name = "scale-jump",
    .title = "A regression whose gradients jump in scale",
    .summary =
        "8 weights are found, then gradients grow a thousandfold (factor) and the weights are others: overshoot, "
        "recovery",
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .training = {.name = "error", .unit = "", .factor = 1.0},
    .validation = {.name = "mean validation error", .unit = "", .factor = 1.0},
    .test = {.name = "mean test error", .unit = "", .factor = 1.0},
    .steps = (size_t)2 * AT,
    .quick_steps = (size_t)2 * AT,
    .score_every = SCORE_EVERY,
    .target = -HUGE_VAL, /* none: a mean over the run is met early and lost again */
    .prepare = prepare,
    .create = create,
    .destroy = destroy,
    .tensors = tensors,
    .gradient = gradient,
    .score = score,
    .changes = changes,
};
