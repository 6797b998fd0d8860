/* A problem whose every number is known: a parabola p^2 / 2 from p = 1, or 2 for odd seeds. By SGD, p becomes (1 - lr) p
 * at each step. */
#ifndef LAB_PARABOLA_H
#define LAB_PARABOLA_H

#include "race.h"
#include "support.h"
#include "trials.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define INF ((double)INFINITY)
#define NOT_A_NUMBER ((double)NAN)

struct lab_task {
    float param, grad;
    rms_tensor tensor;
};

static struct lab_task *parabola_create(const struct lab_instance *instance, uint64_t seed)
{
    (void)instance;
    struct lab_task *const task = calloc(1, sizeof *task);
    if (task) {
        task->param = seed % 2 ? 2.0F : 1.0F;
        task->tensor = (rms_tensor){.name = "p", .count = 1, .param = &task->param, .grad = &task->grad};
    }
    return task;
}

static void parabola_destroy(struct lab_task *task)
{
    free(task);
}

static size_t parabola_tensors(const struct lab_task *task, const rms_tensor **tensors)
{
    *tensors = &task->tensor;
    return 1;
}

static double parabola_gradient(struct lab_task *task, size_t step)
{
    (void)step;
    task->grad = task->param;
    return 0.5 * (double)task->param * (double)task->param;
}

static struct lab_score parabola_score(struct lab_task *task)
{
    const double p = (double)task->param;
    return (struct lab_score){0.5 * p * p, p * p, isfinite(p) ? 1.0 / (1.0 + fabs(p)) : 0.0};
}

static const struct lab_problem parabola = {
    .struct_size = sizeof(struct lab_problem),
    .name = "parabola",
    .title = "A parabola",
    .summary = "p^2 / 2",
    .training = {"training loss", "", 1.0, false},
    .validation = {"validation loss", "", 1.0, false},
    .test = {"closeness", "", 1.0, true},
    .steps = 8,
    .quick_steps = 4,
    .score_every = 2,
    .target = 0.01,
    .create = parabola_create,
    .destroy = parabola_destroy,
    .tensors = parabola_tensors,
    .gradient = parabola_gradient,
    .score = parabola_score,
};

/* Problems of the tests share nothing, so that nobody has to close them. */
static inline struct lab_instance instance_of(const struct lab_problem *problem)
{
    struct lab_instance instance;
    rms_error error;
    assert_ok(lab_instance_open_problem(&instance, problem, &error), error.message);
    return instance;
}

/* SGD alone, with these rates. */
static inline struct lab_race_plan plan_of(const struct lab_instance *instance, const double *grid, size_t grid_count,
                                           double default_rate)
{
    struct lab_race_plan plan = {.instance = instance,
                                 .contender_count = 1,
                                 .grid_count = grid_count,
                                 .tuning_seeds = 2,
                                 .report_seeds = 4,
                                 .steps = 8,
                                 .seed = 5,
                                 .threads = 1};
    plan.contenders[0] = (struct lab_contender){.name = "sgd", .options = rms_options_for(RMS_SGD)};
    plan.contenders[0].options.lr = default_rate;
    plan.contenders[0].options.threads = 1;
    memcpy(plan.grid, grid, grid_count * sizeof *grid);
    return plan;
}

static inline void run_race(struct lab_race *race, const struct lab_race_plan *plan)
{
    rms_error error;
    assert_ok(lab_race_run(race, plan, NULL, &error), error.message);
    assert_int_equal(race->runs_done, race->runs_total);
    assert_false(race->interrupted);
    assert_string_equal(error.message, "");
}

/* Bit for bit the same, but for what the clock says. */
static inline void assert_same_race(const struct lab_race *a, const struct lab_race *b)
{
    assert_int_equal(a->runs_total, b->runs_total);
    const size_t scores = a->plan->steps / a->plan->instance->score_every + 1;
    for (size_t i = 0; i < a->runs_total; ++i) {
        assert_true(a->runs[i].digest == b->runs[i].digest);
        assert_int_equal(a->runs[i].state, b->runs[i].state);
        assert_int_equal(a->runs[i].steps_to_target, b->runs[i].steps_to_target);
        assert_memory_equal(&a->runs[i].final, &b->runs[i].final, sizeof a->runs[i].final);
        assert_memory_equal(&a->runs[i].trial, &b->runs[i].trial, sizeof a->runs[i].trial);
        assert_memory_equal(a->runs[i].curve, b->runs[i].curve, scores * sizeof *a->curves);
    }
    for (size_t e = 0; e < a->entry_count; ++e) {
        struct lab_summary one = a->entries[e].tuned_summary, other = b->entries[e].tuned_summary;
        one.seconds_to_target = other.seconds_to_target;
        assert_int_equal(a->entries[e].best, b->entries[e].best);
        assert_memory_equal(&one, &other, sizeof one);
    }
}

#endif
