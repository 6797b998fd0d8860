/* How each parameter of a problem moves in the first steps of training. */
#include "claims/experiment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A task under way: its tensors, and where the parameters stood before the step. */
struct training {
    const struct lab_problem *problem;
    struct lab_task *task;
    rms_optimizer *optimizer;
    const rms_tensor *tensors;
    size_t tensor_count;
    float *before;
};

static void end_training(struct training *training)
{
    rms_free(training->optimizer);
    if (training->task)
        training->problem->destroy(training->task);
    free(training->before);
}

static rms_status begin_training(struct training *training, const struct lab_instance *instance,
                                 const rms_options *options, uint64_t seed, rms_error *error)
{
    *training = (struct training){.problem = instance->problem};
    const rms_status created = rms_create(&training->optimizer, options, error);
    if (created != RMS_OK)
        return created;
    training->task = instance->problem->create(instance, seed);
    if (!training->task)
        return lab_out_of_memory(error);
    training->tensor_count = instance->problem->tensors(training->task, &training->tensors);
    for (size_t i = 0; i < training->tensor_count; ++i) {
        const rms_status status = rms_add(training->optimizer, &training->tensors[i]);
        if (status != RMS_OK) {
            snprintf(error->message, sizeof error->message, "%s", rms_message(training->optimizer));
            return status;
        }
    }
    return RMS_OK;
}

static size_t count_parameters(const struct training *training)
{
    size_t count = 0;
    for (size_t i = 0; i < training->tensor_count; ++i)
        count += training->tensors[i].count;
    return count;
}

static bool allocate(struct lab_movement *movement, struct training *training)
{
    const size_t count = count_parameters(training);
    if (count == 0)
        return false;
    movement->count = count;
    movement->path = calloc(count, sizeof *movement->path);
    movement->gradient_size = calloc(count, sizeof *movement->gradient_size);
    training->before = calloc(count, sizeof *training->before);
    return movement->path && movement->gradient_size && training->before;
}

static rms_status train_step(struct lab_movement *movement, struct training *training, size_t step, rms_error *error)
{
    (void)training->problem->gradient(training->task, step);
    size_t place = 0;
    for (size_t i = 0; i < training->tensor_count; place += training->tensors[i++].count) {
        const rms_tensor *const tensor = &training->tensors[i];
        const float *const gradients = tensor->grad;
        memcpy(training->before + place, tensor->param, tensor->count * sizeof *training->before);
        for (size_t j = 0; j < tensor->count; ++j)
            movement->gradient_size[place + j] += (double)gradients[j] * (double)gradients[j];
    }
    const rms_status status = rms_step(training->optimizer, NULL);
    if (status < 0) {
        snprintf(error->message, sizeof error->message, "%s", rms_message(training->optimizer));
        return status;
    }
    place = 0;
    for (size_t i = 0; i < training->tensor_count; place += training->tensors[i++].count) {
        const float *const parameters = training->tensors[i].param;
        for (size_t j = 0; j < training->tensors[i].count; ++j)
            movement->path[place + j] += fabs((double)parameters[j] - (double)training->before[place + j]);
    }
    return RMS_OK;
}

rms_status lab_movement_measure(struct lab_movement *movement, const struct lab_instance *instance,
                                const rms_options *options, uint64_t seed, size_t steps, rms_error *error)
{
    struct training training;
    *movement = (struct lab_movement){.count = 0};
    rms_status status = begin_training(&training, instance, options, seed, error);
    if (status == RMS_OK && !allocate(movement, &training))
        status = lab_out_of_memory(error);
    for (size_t step = 0; status == RMS_OK && step < steps; ++step)
        status = train_step(movement, &training, step, error);
    for (size_t i = 0; status == RMS_OK && i < movement->count; ++i)
        movement->gradient_size[i] = sqrt(movement->gradient_size[i] / (double)steps);
    end_training(&training);
    if (status != RMS_OK)
        lab_movement_free(movement);
    return status;
}

void lab_movement_free(struct lab_movement *movement)
{
    free(movement->path);
    free(movement->gradient_size);
    *movement = (struct lab_movement){.count = 0};
}
