/* Tasks that minimize a function of a few numbers. */
#include "surface.h"

#include <math.h>
#include <stdlib.h>

enum { NOISE, SPREAD };              /* the first settings */
enum { START_STREAM, NOISE_STREAM }; /* of the seed */

struct lab_task {
    const struct lab_instance *instance;
    lab_surface *surface;
    uint64_t seed;
    double start; /* the loss before the first step */
    float numbers[LAB_SURFACE_NUMBERS_MAX];
    float gradient[LAB_SURFACE_NUMBERS_MAX];
    rms_tensor tensor;
};

static double evaluate(const struct lab_task *task, double *gradient)
{
    double point[LAB_SURFACE_NUMBERS_MAX] = {0};
    for (size_t i = 0; i < task->tensor.count; ++i)
        point[i] = (double)task->numbers[i];
    return task->surface(task->instance, point, gradient);
}

struct lab_task *lab_surface_create(const struct lab_instance *instance, lab_surface *surface, const double *start,
                                    size_t count, uint64_t seed)
{
    struct lab_task *const task = calloc(1, sizeof *task);
    if (!task)
        return NULL;
    task->instance = instance;
    task->surface = surface;
    task->seed = seed;
    for (size_t i = 0; i < count; ++i) {
        const double draw = 2.0 * lab_random_uniform(seed, START_STREAM, i) - 1.0;
        task->numbers[i] = (float)(start[i] + instance->settings[SPREAD] * draw);
    }
    task->tensor = (rms_tensor){.name = "point", .count = count, .param = task->numbers, .grad = task->gradient};
    task->start = evaluate(task, NULL);
    return task;
}

void lab_surface_destroy(struct lab_task *task)
{
    free(task);
}

size_t lab_surface_tensors(const struct lab_task *task, const rms_tensor **tensors)
{
    *tensors = &task->tensor;
    return 1;
}

double lab_surface_gradient(struct lab_task *task, size_t step)
{
    double gradient[LAB_SURFACE_NUMBERS_MAX];
    const size_t count = task->tensor.count;
    const double noise = task->instance->settings[NOISE];
    const double loss = evaluate(task, gradient);
    for (size_t i = 0; i < count; ++i) {
        if (noise > 0.0)
            gradient[i] += noise * lab_random_normal(task->seed, NOISE_STREAM, step * count + i);
        task->gradient[i] = (float)gradient[i];
    }
    return loss;
}

/* To 40 bits of the larger of the loss and its start: what lies below is the rounding of numbers in f32, and would pass
 * for a difference between optimizers. */
static double rounded(double loss, double start)
{
    int exponent = 0;
    (void)frexp(fmax(fabs(loss), fabs(start)), &exponent);
    const double unit = ldexp(1.0, exponent - 40);
    const double units = loss / unit;
    return fabs(units) <= 0x1p40 ? rint(units) * unit : loss;
}

struct lab_score lab_surface_score(struct lab_task *task)
{
    const double loss = rounded(evaluate(task, NULL), task->start);
    return (struct lab_score){.training = loss, .validation = loss, .test = loss};
}

struct lab_score lab_surface_score_above_minimum(struct lab_task *task)
{
    const double loss = evaluate(task, NULL);
    const double told = loss < LAB_SURFACE_LEAST ? LAB_SURFACE_LEAST : loss;
    return (struct lab_score){.training = told, .validation = told, .test = told};
}
