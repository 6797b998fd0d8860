/* Threads without OpenMP, so that ThreadSanitizer sees them all: objects side by side, and one object's step
 * cut into parts by the caller's parallel_for. */
#include "support.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, N = 70000, STEPS = 5 };

struct worker {
    rms_rule rule;
    float *param, *grad;
    rms_status status;
};

static void fill(struct worker *worker)
{
    fill_parameters(worker->param, N, worker->rule);
}

/* One object from creation to release; asserts nothing, since cmocka's assertions belong to the main thread. */
static void *train(void *argument)
{
    struct worker *worker = argument;
    rms_options options = rms_options_for(worker->rule);
    options.clip_norm = 1;
    options.threads = 1;
    rms_optimizer *optimizer = NULL;
    const rms_tensor tensor = {.name = "p", .count = N, .param = worker->param, .grad = worker->grad};
    worker->status = rms_create(&optimizer, &options, NULL);
    if (worker->status == RMS_OK)
        worker->status = rms_add(optimizer, &tensor);
    for (uint64_t step = 1; step <= STEPS && worker->status == RMS_OK; ++step) {
        fill_gradients(worker->grad, N, worker->rule, step);
        worker->status = rms_step(optimizer, NULL);
        (void)rms_set(optimizer, 0, "bogus", 1); /* messages are the object's own, too */
    }
    rms_free(optimizer);
    return NULL;
}

static void objects_side_by_side_do_not_disturb_each_other(void **state)
{
    (void)state;
    struct worker alone[THREADS], together[THREADS];
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; ++i) {
        alone[i] = (struct worker){
            .rule = (rms_rule)(i % RMS_RULE_COUNT), .param = floats_create(N), .grad = floats_create(N)};
        together[i] = (struct worker){.rule = alone[i].rule, .param = floats_create(N), .grad = floats_create(N)};
        fill(&alone[i]);
        fill(&together[i]);
    }
    for (size_t i = 0; i < THREADS; ++i)
        assert_int_equal(pthread_create(&threads[i], NULL, train, &together[i]), 0);
    for (size_t i = 0; i < THREADS; ++i)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < THREADS; ++i) {
        train(&alone[i]);
        assert_ok(alone[i].status, "alone");
        assert_ok(together[i].status, "together");
        const rms_options options = rms_options_for(alone[i].rule);
        assert_same_floats(together[i].param, alone[i].param, N, "side by side", &options);
        free(alone[i].param);
        free(alone[i].grad);
        free(together[i].param);
        free(together[i].grad);
    }
}

/* Steps one object whose work is cut into this many parts; returns its parameters. */
static float *trained(rms_rule rule, int threads, size_t *tasks)
{
    const rms_parallel parallel = {run_on_threads, tasks};
    rms_options options = rms_options_for(rule);
    set_options(&options, "clip_norm=1");
    options.threads = threads;
    options.parallel = &parallel;
    float *param = floats_create(4 * N), *grad = floats_create(4 * N);
    fill_parameters(param, 4 * N, rule);
    rms_optimizer *optimizer = create_optimizer(&options);
    add_tensor(optimizer, "large", param, grad, 3 * N);
    add_tensor(optimizer, "small", param + 3 * N, grad + 3 * N, N);
    for (uint64_t step = 1; step <= STEPS; ++step) {
        fill_gradients(grad, 4 * N, rule, step);
        assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    }
    rms_free(optimizer);
    free(grad);
    return param;
}

static void a_callers_parallel_for_gives_the_same_bits_for_any_number_of_parts(void **state)
{
    (void)state;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule) {
        size_t none = 0;
        float *expected = trained(rule, 1, &none);
        assert_int_equal(none, 0); /* one part needs no other thread */
        for (int threads = 2; threads <= 8; threads += 3) {
            size_t tasks = 0;
            float *param = trained(rule, threads, &tasks);
            const rms_options options = rms_options_for(rule);
            assert_same_floats(param, expected, 4 * N, "parallel_for", &options);
            assert_true(tasks >= 2 * STEPS);
            free(param);
        }
        free(expected);
    }
    report_comparisons("parallel_for");
}

/* Small steps must not pay for threads that they do not need. */
static void small_work_stays_on_the_calling_thread(void **state)
{
    (void)state;
    size_t tasks = 0;
    const rms_parallel parallel = {run_on_threads, &tasks};
    rms_options options = rms_options_for(RMS_RMSPROP);
    options.threads = 8;
    options.parallel = &parallel;
    rms_optimizer *optimizer = create_optimizer(&options);
    static float param[1000], grad[1000];
    add_tensor(optimizer, "small", param, grad, 1000);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    assert_int_equal(tasks, 0);
    rms_free(optimizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_side_by_side_do_not_disturb_each_other),
        cmocka_unit_test(a_callers_parallel_for_gives_the_same_bits_for_any_number_of_parts),
        cmocka_unit_test(small_work_stays_on_the_calling_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
