/* The training loop, which is the same for every problem and every optimizer. */
#include "run.h"

#include "digest.h"

#include <math.h>
#include <stdio.h>

/* Scores after so many steps, and tells whether there is hope: false when it has diverged. */
static bool score_at(struct lab_run *run, const struct lab_problem *problem, struct lab_task *task, size_t step)
{
    run->final = problem->score(task);
    if (!isfinite(run->final.training_loss) || !isfinite(run->final.validation_loss) ||
        (step > 0 && run->final.training_loss > LAB_DIVERGENCE * run->curve[0]))
        return false;

    run->curve[step / problem->score_every] = run->final.training_loss;
    if (run->steps_to_target == SIZE_MAX && run->final.validation_loss <= problem->target)
        run->steps_to_target = step;
    return true;
}

/* The accuracy is that of the parameters as they are, which is poor but a fact. */
static void diverge(struct lab_run *run, const struct lab_problem *problem, struct lab_task *task)
{
    run->final = problem->score(task);
    run->final.training_loss = HUGE_VAL;
    run->final.validation_loss = HUGE_VAL;
    run->state = LAB_RUN_DIVERGED;
}

static rms_status train(struct lab_run *run, const struct lab_problem *problem, struct lab_task *task,
                        rms_optimizer *optimizer, size_t steps, const atomic_int *stop)
{
    for (size_t step = 0;; ++step) {
        if (step % problem->score_every == 0) {
            if (stop && *stop)
                return RMS_OK;
            if (!score_at(run, problem, task, step)) {
                diverge(run, problem, task);
                return RMS_OK;
            }
        }
        if (step == steps) {
            run->state = LAB_RUN_DONE;
            return RMS_OK;
        }
        const double loss = problem->gradient(task, step);
        const rms_status status = rms_step(optimizer, NULL);
        if (status < 0)
            return status;
        if (status == RMS_SKIPPED_NONFINITE || !isfinite(loss)) {
            diverge(run, problem, task);
            return RMS_OK;
        }
    }
}

static rms_status out_of_memory(rms_error *error, const struct lab_problem *problem)
{
    if (error)
        snprintf(error->message, sizeof error->message, "not enough memory to train on %s", problem->name);
    return RMS_ERROR_MEMORY;
}

static rms_status said_by(const rms_optimizer *optimizer, rms_status status, rms_error *error)
{
    if (error)
        snprintf(error->message, sizeof error->message, "%s", rms_message(optimizer));
    return status;
}

/* An optimizer of the task's tensors; on failure *optimizer is NULL. */
static rms_status create_optimizer(rms_optimizer **optimizer, const rms_options *options, const rms_tensor *tensors,
                                   size_t tensor_count, rms_error *error)
{
    rms_status status = rms_create(optimizer, options, error);
    for (size_t i = 0; status == RMS_OK && i < tensor_count; ++i)
        status = rms_add(*optimizer, &tensors[i]);
    if (status != RMS_OK && *optimizer) {
        said_by(*optimizer, status, error);
        rms_free(*optimizer);
        *optimizer = NULL;
    }
    return status;
}

rms_status lab_run_train(struct lab_run *run, const struct lab_problem *problem, const rms_options *options,
                         size_t steps, const atomic_int *stop, rms_error *error)
{
    run->state = LAB_RUN_PENDING;
    run->steps_to_target = SIZE_MAX;
    for (size_t i = 0; i <= steps / problem->score_every; ++i)
        run->curve[i] = (double)NAN;

    struct lab_task *const task = problem->create(run->seed);
    if (!task)
        return out_of_memory(error, problem);

    const rms_tensor *tensors;
    const size_t tensor_count = problem->tensors(task, &tensors);
    rms_options with_rate = *options;
    with_rate.lr = run->learning_rate;
    rms_optimizer *optimizer;
    rms_status status = create_optimizer(&optimizer, &with_rate, tensors, tensor_count, error);
    if (status == RMS_OK) {
        status = train(run, problem, task, optimizer, steps, stop);
        if (status != RMS_OK)
            said_by(optimizer, status, error);

        run->digest = LAB_DIGEST_EMPTY;
        for (size_t i = 0; i < tensor_count; ++i)
            run->digest = lab_digest_floats(run->digest, tensors[i].param, tensors[i].count);
    }
    rms_free(optimizer);
    problem->destroy(task);
    return status;
}
