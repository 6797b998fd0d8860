/* rms_step_shared: alone it is rms_step, bit for bit; several threads at once leave nothing that no order of their steps
 * explains. */
#include "storage_reference.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- Alone */

enum { TENSORS = 4, STEPS = 4 };
static const size_t lengths[TENSORS] = {1, 0, 1030, 65541};

struct model {
    rms_options options[2];
    rms_optimizer *optimizer;
    rms_dtype dtypes[TENSORS];
    struct numbers param[TENSORS], grad[TENSORS];
};

static struct model model_create(const rms_options options[2], uint64_t dtypes)
{
    struct model model = {.optimizer = create_optimizer(&options[0])};
    memcpy(model.options, options, sizeof model.options);
    size_t group;
    assert_ok(rms_add_group(model.optimizer, &group), rms_message(model.optimizer));
    set_group(model.optimizer, group, &options[1]);
    for (size_t t = 0; t < TENSORS; ++t) {
        static const char *const names[TENSORS] = {"a", "b", "c", "d"};
        model.dtypes[t] = dtypes >> t & 1 ? RMS_F64 : RMS_F32;
        model.param[t] = numbers_create(model.dtypes[t], lengths[t], t);
        model.grad[t] = numbers_create(model.dtypes[t], lengths[t], 2 * t + 1);
        fill_parameters_of(model.dtypes[t], model.param[t].at, lengths[t], t);
        const rms_tensor tensor = {.name = names[t],
                                   .count = lengths[t],
                                   .param = model.param[t].at,
                                   .grad = model.grad[t].at,
                                   .group = t % 2,
                                   .dtype = model.dtypes[t]};
        assert_ok(rms_add(model.optimizer, &tensor), rms_message(model.optimizer));
    }
    return model;
}

static void model_destroy(struct model *model)
{
    rms_free(model->optimizer);
    for (size_t t = 0; t < TENSORS; ++t) {
        numbers_destroy(&model->param[t]);
        numbers_destroy(&model->grad[t]);
    }
}

static void assert_same_state(const struct model *a, const struct model *b)
{
    for (size_t t = 0; t < TENSORS; ++t) {
        const rms_options *const options = &a->options[t % 2];
        assert_same_numbers(a->dtypes[t], a->param[t].at, b->param[t].at, lengths[t], "shared, param", options);
        for (size_t slot = 0; slot < RMS_RULE_SLOTS; ++slot) {
            const char *const name = rms_slot_name(options->rule, slot);
            if (name && rms_state(a->optimizer, t, name))
                assert_same_numbers(a->dtypes[t], rms_state(a->optimizer, t, name), rms_state(b->optimizer, t, name),
                                    lengths[t], name, options);
        }
    }
}

static void assert_same_reports(const rms_report *a, const rms_report *b)
{
    const bool both_nan = isnan(a->gradient_norm) && isnan(b->gradient_norm);
    assert_true(both_nan || bits_of_double(a->gradient_norm) == bits_of_double(b->gradient_norm));
    assert_true(bits_of_double(a->clip_factor) == bits_of_double(b->clip_factor));
    assert_int_equal(a->skipped, b->skipped);
    assert_int_equal(a->steps, b->steps);
}

/* The gradients of shared steps are not those that the tensors point to, whose are spoilt. */
static void step_both(struct model *shared, struct model *plain, uint64_t seed, uint64_t step)
{
    const void *grads[TENSORS];
    rms_report of_shared = {0}, of_plain = {0};
    rms_error error = {"old"};
    for (size_t t = 0; t < TENSORS; ++t) {
        fill_gradients_of(plain->dtypes[t], plain->grad[t].at, lengths[t], seed + t, step);
        if (step == 2 && seed % 4 == 0 && plain->dtypes[3] == RMS_F64)
            ((double *)plain->grad[3].at)[77] = HUGE_VAL;
        if (lengths[t] > 0)
            memset(shared->grad[t].at, 0xff, lengths[t] * rms_dtype_size(shared->dtypes[t]));
        grads[t] = lengths[t] > 0 ? plain->grad[t].at : NULL;
    }
    const bool asks = step % 2 == 0;
    const rms_status status =
        rms_step_shared(shared->optimizer, grads, TENSORS, asks ? &of_shared : NULL, step % 3 > 0 ? NULL : &error);
    assert_status(rms_step(plain->optimizer, asks ? &of_plain : NULL), status, rms_message(plain->optimizer));
    assert_same_reports(&of_shared, &of_plain);
    assert_string_equal(rms_message(shared->optimizer), "");
    if (step % 3 == 0)
        assert_string_equal(error.message, rms_message(plain->optimizer));
}

static void alone_it_is_rms_step_bit_for_bit(void **state)
{
    const rms_isa isa = isa_of_test(state);
    uint64_t seed = 101;
    for (size_t repetition = 0; repetition < effort(10); ++repetition)
        for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule) {
            rms_options options[2];
            for (size_t g = 0; g < 2; ++g) {
                options[g] = storage_options(&seed, rule, RMS_MASTER_F32, 0);
                options[g].isa = isa;
                options[g].threads = 1;
            }
            const uint64_t dtypes = random_bits(&seed), data = random_bits(&seed);
            struct model shared = model_create(options, dtypes), plain = model_create(options, dtypes);
            for (uint64_t step = 0; step < STEPS; ++step)
                step_both(&shared, &plain, data, step);
            assert_same_state(&shared, &plain);
            model_destroy(&shared);
            model_destroy(&plain);
        }
    report_comparisons(rms_isa_name(isa));
}

/* ---- Together */

enum { THREADS = 4, N = 3000 };

struct worker {
    rms_optimizer *optimizer;
    pthread_barrier_t *barrier;
    const void *grads[2];
    size_t steps;
    rms_status expected;
    size_t unexpected; /* statuses, and reports that cannot be */
    uint64_t last_steps;
};

/* Asserts nothing, since cmocka's assertions belong to the main thread. */
static void *work(void *argument)
{
    struct worker *worker = argument;
    pthread_barrier_wait(worker->barrier);
    for (size_t step = 0; step < worker->steps; ++step) {
        rms_report report = {0};
        rms_error error = {""};
        const rms_status status = rms_step_shared(worker->optimizer, worker->grads, 2, &report, &error);
        worker->unexpected += status != worker->expected;
        worker->unexpected += report.skipped != (status == RMS_SKIPPED_NONFINITE);
        worker->unexpected += status == RMS_OK && report.steps <= worker->last_steps;
        worker->unexpected +=
            status != RMS_OK && !strstr(error.message, "\"narrow\": the gradient of element 7 is NaN");
        worker->last_steps = report.steps;
    }
    return NULL;
}

/* An object of one f32 and one f64 tensor, and every thread's gradients. */
struct team {
    rms_optimizer *optimizer;
    float narrow[N], narrow_grad[THREADS][N];
    double wide[N], wide_grad[THREADS][N];
    struct worker workers[THREADS];
};

static struct team *team_create(const rms_options *options)
{
    struct team *team = calloc(1, sizeof *team);
    assert_non_null(team);
    team->optimizer = create_optimizer(options);
    const rms_tensor narrow = {.name = "narrow", .count = N, .param = team->narrow};
    const rms_tensor wide = {.name = "wide", .count = N, .param = team->wide, .dtype = RMS_F64};
    assert_ok(rms_add(team->optimizer, &narrow), rms_message(team->optimizer));
    assert_ok(rms_add(team->optimizer, &wide), rms_message(team->optimizer));
    for (size_t k = 0; k < THREADS; ++k)
        for (size_t i = 0; i < N; ++i)
            team->narrow_grad[k][i] = (float)(team->wide_grad[k][i] = 1);
    return team;
}

static void team_destroy(struct team *team)
{
    rms_free(team->optimizer);
    free(team);
}

static void team_work(struct team *team, size_t steps)
{
    pthread_t threads[THREADS];
    pthread_barrier_t barrier;
    assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    for (size_t k = 0; k < THREADS; ++k) {
        struct worker *const worker = &team->workers[k];
        worker->optimizer = team->optimizer;
        worker->barrier = &barrier;
        worker->grads[0] = team->narrow_grad[k];
        worker->grads[1] = team->wide_grad[k];
        worker->steps = steps;
        assert_int_equal(pthread_create(&threads[k], NULL, work, worker), 0);
    }
    for (size_t k = 0; k < THREADS; ++k)
        assert_int_equal(pthread_join(threads[k], NULL), 0);
    for (size_t k = 0; k < THREADS; ++k)
        assert_int_equal(team->workers[k].unexpected, 0);
    pthread_barrier_destroy(&barrier);
}

static void assert_steps(struct team *team, uint64_t expected)
{
    for (size_t t = 0; t < 2; ++t) {
        uint64_t steps;
        assert_ok(rms_get_steps(team->optimizer, t, &steps), rms_message(team->optimizer));
        assert_int_equal(steps, expected);
    }
    uint64_t last = 0;
    for (size_t k = 0; k < THREADS; ++k)
        last = team->workers[k].last_steps > last ? team->workers[k].last_steps : last;
    assert_int_equal(last, expected); /* the object's: whoever came last was told */
}

/* All gradients are 1: every value that a number can have is one step from one that it had, whatever was lost. So it is
 * one of those that steps taken alone go through. */
static void assert_on_the_way(rms_dtype dtype, const void *numbers, const void *way, size_t way_length,
                              const char *what)
{
    for (size_t i = 0; i < N; ++i) {
        size_t k = 1; /* at least one step was not lost */
        while (k <= way_length && number_bits(dtype, way, k) != number_bits(dtype, numbers, i))
            ++k;
        if (k > way_length)
            fail_msg("%s, element %zu: 0x%llx is no value of any order of steps", what, i,
                     (unsigned long long)number_bits(dtype, numbers, i));
    }
    numbers_compared += N;
}

static void hammer(rms_rule rule, const char *slot, const char *assignments, size_t steps)
{
    const size_t all = steps * THREADS;
    float *const narrow = bytes_create((all + 1) * sizeof *narrow);
    double *const wide = bytes_create((all + 1) * sizeof *wide);
    rms_options options = rms_options_for(rule);
    set_options(&options, assignments);
    struct team *alone = team_create(&options), *team = team_create(&options);
    for (size_t k = 0; k <= all; ++k) {
        const void *const grads[] = {alone->narrow_grad[0], alone->wide_grad[0]};
        if (k > 0)
            assert_ok(rms_step_shared(alone->optimizer, grads, 2, NULL, NULL), "alone");
        narrow[k] = slot ? *(float *)rms_state(alone->optimizer, 0, slot) : alone->narrow[0];
        wide[k] = slot ? *(double *)rms_state(alone->optimizer, 1, slot) : alone->wide[0];
    }
    team_work(team, steps);
    assert_steps(team, all);
    assert_on_the_way(RMS_F32, slot ? rms_state(team->optimizer, 0, slot) : team->narrow, narrow, all,
                      rms_rule_name(rule));
    assert_on_the_way(RMS_F64, slot ? rms_state(team->optimizer, 1, slot) : team->wide, wide, all, rms_rule_name(rule));
    for (size_t i = 0; i < N; ++i)
        assert_true(isfinite(team->narrow[i]) && isfinite(team->wide[i]));
    team_destroy(alone);
    team_destroy(team);
    free(narrow);
    free(wide);
}

static void no_value_is_torn_and_every_step_is_counted(void **state)
{
    (void)state;
    for (size_t repetition = 0; repetition < effort(4); ++repetition) {
        hammer(RMS_SGD, NULL, "lr=0.001", effort(300));
        hammer(RMS_RMSPROP, "v", "rho=0.9", effort(300));
        hammer(RMS_ADAGRAD, "sum", "", effort(300));
        hammer(RMS_ADAM, "v", "", effort(300));
        hammer(RMS_ADAM, "mean", "clip_norm=1e10", effort(300));
    }
    report_comparisons("shared");
}

/* Every thread has gradients of its own, between 1/2 and 2 in size: v is an average of their squares and so between 0 and
 * 4, and from the first step on at least (1 - rho) / 4; no parameter moves by more than lr * 2 / sqrt((1 - rho) / 4) at
 * a time. */
static void v_and_parameters_stay_within_the_bounds_of_any_order(void **state)
{
    (void)state;
    const size_t steps = effort(400);
    const double rho = 0.75, lr = 0.01;
    rms_options options = rms_options_for(RMS_RMSPROP);
    options.rho = rho;
    options.lr = lr;
    struct team *team = team_create(&options);
    uint64_t seed = 5;
    for (size_t k = 0; k < THREADS; ++k)
        for (size_t i = 0; i < N; ++i) {
            const float size = 0.5F + 1.5F * fabsf(random_float(&seed));
            team->narrow_grad[k][i] = random_below(&seed, 2) == 0 ? size : -size;
            team->wide_grad[k][i] = (double)team->narrow_grad[k][i];
        }
    team_work(team, steps);
    assert_steps(team, steps * THREADS);
    const float *const narrow = rms_state(team->optimizer, 0, "v");
    const double *const wide = rms_state(team->optimizer, 1, "v");
    const double most = (double)(steps * THREADS) * lr * 2 / sqrt((1 - rho) / 4) * (1 + 1e-5);
    for (size_t i = 0; i < N; ++i) {
        assert_true((double)narrow[i] >= (1 - rho) / 4 && narrow[i] <= 4);
        assert_true(wide[i] >= (1 - rho) / 4 && wide[i] <= 4);
        assert_true(fabs((double)team->narrow[i]) <= most && fabs(team->wide[i]) <= most);
    }
    team_destroy(team);
}

static void a_gradient_that_is_not_finite_skips_its_own_step_only(void **state)
{
    (void)state;
    const size_t steps = effort(200);
    const rms_options options = rms_options_for(RMS_RMSPROP);
    struct team *team = team_create(&options);
    team->narrow_grad[2][7] = NAN;
    team->workers[2].expected = RMS_SKIPPED_NONFINITE;
    team_work(team, steps);
    team->workers[2].last_steps = 0; /* it saw a count on the way */
    assert_steps(team, steps * (THREADS - 1));
    for (size_t i = 0; i < N; ++i)
        assert_true(isfinite(team->narrow[i]) && team->narrow[i] < 0 && isfinite(team->wide[i]) && team->wide[i] < 0);
    assert_string_equal(rms_message(team->optimizer), "");
    team_destroy(team);
}

static void *allocate_dirty(void *context, size_t bytes, size_t alignment)
{
    (void)context;
    void *const memory = aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    return memory ? memset(memory, 0xa5, bytes) : NULL;
}

static void release(void *context, void *memory, size_t bytes)
{
    (void)context;
    (void)bytes;
    free(memory);
}

/* With gradients of 1/2, rho of 1/2 and a start at 1/4, v is 1/4 whoever steps, unless it was never set, or set after
 * another has read it. */
static void the_first_steps_find_state_at_its_start_whoever_comes_first(void **state)
{
    (void)state;
    const rms_allocator allocator = {allocate_dirty, release, NULL};
    rms_options options = rms_options_for(RMS_RMSPROP);
    set_options(&options, "rho=0.5 initial_accumulator=0.25");
    options.allocator = &allocator;
    for (size_t repetition = 0; repetition < effort(200); ++repetition) {
        struct team *team = team_create(&options);
        for (size_t k = 0; k < THREADS; ++k)
            for (size_t i = 0; i < N; ++i)
                team->narrow_grad[k][i] = (float)(team->wide_grad[k][i] = 0.5);
        team_work(team, 1);
        assert_steps(team, THREADS);
        const float *const narrow = rms_state(team->optimizer, 0, "v");
        const double *const wide = rms_state(team->optimizer, 1, "v");
        for (size_t i = 0; i < N; ++i)
            assert_true(narrow[i] == 0.25F && wide[i] == 0.25);
        team_destroy(team);
    }
}

/* ---- Refusals */

struct call {
    rms_optimizer *optimizer;
    const void *const *grads;
    size_t grads_count;
};

static void assert_refused(const struct call *call, rms_status status, const char *part)
{
    rms_report report = {.steps = 77};
    rms_error error = {""};
    assert_status(status, rms_step_shared(call->optimizer, call->grads, call->grads_count, &report, &error),
                  error.message);
    assert_contains(error.message, part);
    assert_int_equal(report.steps, 77);
    assert_string_equal(rms_message(call->optimizer), "");
    assert_status(status, rms_step_shared(call->optimizer, call->grads, call->grads_count, NULL, NULL), "without");
}

static void refuse_for_options(const char *assignments, rms_dtype dtype, rms_status status, const char *part)
{
    uint64_t param[2] = {0}, grad[2] = {0};
    const void *const grads[] = {grad};
    rms_options options = rms_options_for(RMS_RMSPROP);
    set_options(&options, assignments);
    rms_optimizer *optimizer = create_optimizer(&options);
    const rms_tensor tensor = {.name = "w", .count = 2, .param = param, .grad = grad, .dtype = dtype};
    assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
    assert_refused(&(struct call){optimizer, grads, 1}, status, part);
    uint64_t steps;
    assert_ok(rms_get_steps(optimizer, 0, &steps), rms_message(optimizer));
    assert_int_equal(steps, 0);
    rms_free(optimizer);
}

static void what_cannot_be_shared_is_refused(void **state)
{
    (void)state;
    refuse_for_options("", RMS_F16, RMS_ERROR_UNSUPPORTED, "\"w\": shared steps take f32 and f64, not f16");
    refuse_for_options("", RMS_BF16, RMS_ERROR_UNSUPPORTED, "not bf16");
    refuse_for_options("state_format=8-bit", RMS_F32, RMS_ERROR_UNSUPPORTED, "state_format");
    refuse_for_options("state_format=16-bit", RMS_F32, RMS_ERROR_UNSUPPORTED, "state_format");
    refuse_for_options("average_decay=0.5", RMS_F64, RMS_ERROR_UNSUPPORTED, "average_decay");
    refuse_for_options("zero_grad=true", RMS_F32, RMS_ERROR_UNSUPPORTED, "zero_grad");
}

static void calls_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    float param[2][4] = {{0}}, grad[8] = {0};
    const void *const grads[] = {grad, grad + 4};
    const void *const missing[] = {grad, NULL};
    const void *const crooked[] = {grad, (const char *)grad + 1};
    const rms_options options = rms_options_for(RMS_RMSPROP);
    rms_optimizer *optimizer = create_optimizer(&options);
    assert_ok(rms_step_shared(optimizer, NULL, 0, NULL, NULL), "no tensors");
    add_tensor(optimizer, "a", param[0], NULL, 4);
    add_tensor(optimizer, "b", param[1], NULL, 4);
    assert_refused(&(struct call){NULL, grads, 2}, RMS_ERROR_ARGUMENT, "optimizer: NULL");
    assert_refused(&(struct call){optimizer, grads, 1}, RMS_ERROR_ARGUMENT, "one for each of 2 tensors");
    assert_refused(&(struct call){optimizer, grads, 3}, RMS_ERROR_ARGUMENT, "one for each of 2 tensors");
    assert_refused(&(struct call){optimizer, NULL, 2}, RMS_ERROR_ARGUMENT, "NULL");
    assert_refused(&(struct call){optimizer, missing, 2}, RMS_ERROR_ARGUMENT, "grads[1] is NULL, but tensor \"b\"");
    assert_refused(&(struct call){optimizer, crooked, 2}, RMS_ERROR_ARGUMENT, "grads[1] is not aligned to 4 bytes");
    assert_ok(rms_swap_averages(optimizer), rms_message(optimizer));
    assert_refused(&(struct call){optimizer, grads, 2}, RMS_ERROR_ARGUMENT, "averages are swapped in");
    assert_ok(rms_swap_averages(optimizer), rms_message(optimizer));
    assert_ok(rms_step_shared(optimizer, grads, 2, NULL, NULL), "at last");
    rms_free(optimizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PER_ISA(alone_it_is_rms_step_bit_for_bit),
        cmocka_unit_test(no_value_is_torn_and_every_step_is_counted),
        cmocka_unit_test(v_and_parameters_stay_within_the_bounds_of_any_order),
        cmocka_unit_test(a_gradient_that_is_not_finite_skips_its_own_step_only),
        cmocka_unit_test(the_first_steps_find_state_at_its_start_whoever_comes_first),
        cmocka_unit_test(what_cannot_be_shared_is_refused),
        cmocka_unit_test(calls_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
