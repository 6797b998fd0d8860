/* The training loop, which is the same for every problem and every optimizer. */
#include "run.h"

#include "digest.h"
#include "trials.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

/* A run under way. */
struct training {
    struct lab_run *run;
    const struct lab_instance *instance;
    const struct lab_problem *problem;
    const struct lab_contender *contender;
    struct lab_task *task;
    const rms_tensor *tensors;
    size_t tensor_count;
    rms_optimizer *optimizer;
    const struct lab_run_watcher *watcher; /* may be NULL */
    rms_error *error;                      /* likewise */
};

static rms_status refuse(rms_error *error, rms_status status, const char *who, const char *sentence)
{
    if (error)
        snprintf(error->message, sizeof error->message, "%.96s: %.300s", who, sentence);
    return status;
}

double lab_infinitely_bad(const struct lab_quantity *quantity)
{
    return quantity->rising ? -HUGE_VAL : HUGE_VAL;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* ---------------------------------------------------------------------------------------------------
 * Scores
 * ------------------------------------------------------------------------------------------------- */

static bool is_finite(const struct lab_score *score)
{
    return isfinite(score->training) && isfinite(score->validation) && isfinite(score->test);
}

/* What exceeds this has diverged. A start of 0 or less says nothing of the size of what may follow. */
static double ceiling(double start)
{
    const double size = fabs(start);
    return LAB_DIVERGENCE * (start > 0.0 || size > 1.0 ? size : 1.0);
}

static bool meets_target(const struct lab_instance *instance, double validation)
{
    return instance->validation.rising ? validation >= instance->target : validation <= instance->target;
}

/* Scores after so many steps, and tells whether there is hope: false when it has diverged. */
static bool score_at(const struct training *training, size_t step)
{
    struct lab_run *const run = training->run;
    const struct lab_instance *const instance = training->instance;
    run->final = training->problem->score(training->task);
    if (!is_finite(&run->final))
        return false;
    if (step > 0 && !instance->training.rising && run->final.training > ceiling(run->curve[0]))
        return false;

    run->curve[step / instance->score_every] = run->final.training;
    if (run->steps_to_target == SIZE_MAX && meets_target(instance, run->final.validation)) {
        run->steps_to_target = step;
        run->seconds_to_target = run->seconds;
    }
    return true;
}

/* The test score is that of the parameters as they are, which is poor but a fact, unless it is no number. */
static void diverge(const struct training *training)
{
    struct lab_run *const run = training->run;
    const struct lab_instance *const instance = training->instance;
    run->final = training->problem->score(training->task);
    run->final.training = lab_infinitely_bad(&instance->training);
    run->final.validation = lab_infinitely_bad(&instance->validation);
    if (!isfinite(run->final.test))
        run->final.test = lab_infinitely_bad(&instance->test);
    run->state = LAB_RUN_DIVERGED;
}

/* A problem that is broken before anything was learnt is not the optimizer's failure. */
static rms_status refuse_start(const struct training *training)
{
    const struct lab_instance *const instance = training->instance;
    const struct lab_score *const score = &training->run->final;
    const struct {
        const struct lab_quantity *quantity;
        double value;
    } parts[] = {
        {&instance->training, score->training},
        {&instance->validation, score->validation},
        {&instance->test, score->test},
    };
    size_t i = 0;
    while (isfinite(parts[i].value) && i + 1 < sizeof parts / sizeof *parts)
        ++i;
    const char *const name = parts[i].quantity->name;
    char sentence[200];
    snprintf(sentence, sizeof sentence, "the score before the first step is not finite (%.60s %s)",
             name ? name : "a score",
             isnan(parts[i].value)  ? "nan"
             : parts[i].value > 0.0 ? "inf"
                                    : "-inf");
    return refuse(training->error, RMS_ERROR_FORMAT, instance->name, sentence);
}

/* ---------------------------------------------------------------------------------------------------
 * Steps
 * ------------------------------------------------------------------------------------------------- */

/* Where the problem says that it changes, what the contender does about it. */
static rms_status face_changes(const struct training *training, size_t step)
{
    const enum lab_reset reset = training->contender->reset;
    if (reset == LAB_RESET_NOTHING || !training->problem->changes || !training->problem->changes(training->task, step))
        return RMS_OK;
    if (reset == LAB_RESET_STATE)
        return rms_reset(training->optimizer);
    rms_status status = RMS_OK;
    for (size_t i = 0; status == RMS_OK && i < training->tensor_count; ++i)
        status = rms_set_steps(training->optimizer, i, 0);
    return status;
}

/* One step; RMS_SKIPPED_NONFINITE also where the loss alone was not finite. */
static rms_status take_step(const struct training *training, size_t step)
{
    const struct lab_problem *const problem = training->problem;
    const struct lab_run_watcher *const watcher = training->watcher;
    rms_status status = face_changes(training, step);
    if (status < 0)
        return status;
    const double loss = problem->gradient(training->task, step);
    if (watcher && watcher->before)
        watcher->before(watcher->context, step, loss, training->tensors, training->tensor_count);

    rms_report report;
    rms_report *const wanted = watcher && watcher->after ? &report : NULL;
    if (problem->rows) {
        size_t count = 0;
        const rms_rows *const rows = problem->rows(training->task, &count);
        status = rms_step_rows(training->optimizer, rows, count, wanted);
    } else {
        status = rms_step(training->optimizer, wanted);
    }
    if (status >= 0 && wanted)
        watcher->after(watcher->context, step, training->optimizer, wanted, status);
    return status == RMS_OK && !isfinite(loss) ? RMS_SKIPPED_NONFINITE : status;
}

/* The steps from one score to the next, which are what is timed. */
static rms_status take_steps(const struct training *training, size_t first, size_t count)
{
    const double started = now();
    rms_status status = RMS_OK;
    for (size_t i = 0; status == RMS_OK && i < count; ++i)
        status = take_step(training, first + i);
    training->run->seconds += now() - started;
    return status;
}

static rms_status train(const struct training *training, size_t steps, const atomic_int *stop)
{
    struct lab_run *const run = training->run;
    const size_t score_every = training->instance->score_every;
    for (size_t step = 0;; step += score_every) {
        if (stop && *stop)
            return RMS_OK;
        if (!score_at(training, step)) {
            if (step == 0)
                return refuse_start(training);
            diverge(training);
            return RMS_OK;
        }
        if (step == steps) {
            run->state = LAB_RUN_DONE;
            return RMS_OK;
        }
        const rms_status status = take_steps(training, step, score_every);
        if (status < 0)
            return refuse(training->error, status, training->contender->name, rms_message(training->optimizer));
        if (status == RMS_SKIPPED_NONFINITE) {
            diverge(training);
            return RMS_OK;
        }
    }
}

/* ---------------------------------------------------------------------------------------------------
 * A run
 * ------------------------------------------------------------------------------------------------- */

/* An optimizer of the task's tensors; on failure it is NULL. */
static rms_status create_optimizer(struct training *training)
{
    const struct lab_run *const run = training->run;
    rms_options options = training->contender->options;
    rms_error reason = {{0}};
    rms_status status = lab_trial_apply(&options, run->learning_rate, &run->trial, &reason);
    if (status == RMS_OK)
        status = rms_create(&training->optimizer, &options, &reason);
    if (status != RMS_OK)
        return refuse(training->error, status, training->contender->name, reason.message);
    for (size_t i = 0; status == RMS_OK && i < training->tensor_count; ++i)
        status = rms_add(training->optimizer, &training->tensors[i]);
    if (status != RMS_OK) {
        refuse(training->error, status, training->contender->name, rms_message(training->optimizer));
        rms_free(training->optimizer);
        training->optimizer = NULL;
    }
    return status;
}

rms_status lab_run_train(struct lab_run *run, const struct lab_instance *instance,
                         const struct lab_contender *contender, size_t steps, const atomic_int *stop,
                         const struct lab_run_watcher *watcher, rms_error *error)
{
    run->state = LAB_RUN_PENDING;
    run->steps_to_target = SIZE_MAX;
    run->seconds = 0.0;
    run->seconds_to_target = HUGE_VAL;
    for (size_t i = 0; i <= steps / instance->score_every; ++i)
        run->curve[i] = (double)NAN;

    struct training training = {
        .run = run,
        .instance = instance,
        .problem = instance->problem,
        .contender = contender,
        .task = instance->problem->create(instance, run->seed),
        .watcher = watcher,
        .error = error,
    };
    if (!training.task)
        return refuse(error, RMS_ERROR_MEMORY, instance->name, "not enough memory to train on it");
    training.tensor_count = training.problem->tensors(training.task, &training.tensors);
    rms_status status = training.tensor_count > 0
                            ? create_optimizer(&training)
                            : refuse(error, RMS_ERROR_FORMAT, instance->name, "it has no tensors: nothing to learn");
    if (status == RMS_OK) {
        status = train(&training, steps, stop);
        run->digest = LAB_DIGEST_EMPTY;
        for (size_t i = 0; i < training.tensor_count; ++i)
            run->digest = lab_digest_tensor(run->digest, &training.tensors[i]);
    }
    rms_free(training.optimizer);
    training.problem->destroy(training.task);
    return status;
}
