/* A problem of your own for `rmsprop race`: a line through noisy points, whose slope and height differ in scale.
 *     cc -shared -fPIC -ffp-contract=off line_problem.c -o line.so $(pkg-config --cflags rmsprop)
 *     rmsprop race ./line.so */
#include <rmsprop_lab.h>
#include <stdlib.h>

struct lab_task {
    uint64_t seed;
    float line[2], gradient[2]; /* y = line[0] * x + line[1] */
    rms_tensor tensor;
};

static struct lab_task *create(const struct lab_instance *instance, uint64_t seed)
{
    (void)instance;
    struct lab_task *task = calloc(1, sizeof *task);
    if (task) {
        task->seed = seed;
        task->tensor = (rms_tensor){.name = "line", .count = 2, .param = task->line, .grad = task->gradient};
    }
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

/* One point of y = 0.5 x + 3 each step, with noise of +-1. */
static double gradient(struct lab_task *task, size_t step)
{
    const double x = 20 * lab_random_uniform(task->seed, 0, step);
    const double y = 0.5 * x + 3 + 2 * lab_random_uniform(task->seed, 1, step) - 1;
    const double error = (double)task->line[0] * x + (double)task->line[1] - y;
    task->gradient[0] = (float)(error * x);
    task->gradient[1] = (float)error;
    return 0.5 * error * error;
}

/* The mean over x of half the squared distance to the true line: nothing is drawn, so all three are the same. */
static struct lab_score score(struct lab_task *task)
{
    const double a = (double)task->line[0] - 0.5, b = (double)task->line[1] - 3;
    const double loss = 0.5 * (a * a * 400 / 3 + a * b * 20 + b * b);
    return (struct lab_score){.training = loss, .validation = loss, .test = loss};
}

static const struct lab_problem line = {
    .struct_size = sizeof line,
    .name = "line",
    .title = "A line through noisy points",
    .summary = "two parameters, one noisy point a step",
    .training = {.name = "distance to the true line", .unit = ""},
    .validation = {.name = "distance to the true line", .unit = ""},
    .test = {.name = "distance to the true line", .unit = ""},
    .steps = 1000,
    .quick_steps = 500,
    .score_every = 20,
    .target = 0.05,
    .create = create,
    .destroy = destroy,
    .tensors = tensors,
    .gradient = gradient,
    .score = score,
};

LAB_PLUGIN(line)
