/* Traces: the same run as a race's, and numbers that another way of counting gives, too. */
#include "lab_parabola.h"
#include "run.h"
#include "trace.h"

static struct lab_contender contender_of(rms_rule rule)
{
    struct lab_contender contender = {.name = rms_rule_name(rule), .options = rms_options_for(rule)};
    contender.options.threads = 1;
    return contender;
}

static struct lab_trace_request request_of(const struct lab_instance *instance, const struct lab_contender *contender,
                                           double rate, size_t steps)
{
    return (struct lab_trace_request){.instance = instance,
                                      .contender = contender,
                                      .learning_rate = rate,
                                      .trial = lab_trial_none(),
                                      .seed = 6,
                                      .steps = steps};
}

static struct lab_trace trace_of(const struct lab_trace_request *request)
{
    struct lab_trace trace;
    rms_error error = {{0}};
    assert_ok(lab_trace_run(&trace, request, &error), error.message);
    return trace;
}

static struct lab_instance open_problem(const char *name)
{
    struct lab_instance instance;
    rms_error error = {{0}};
    const struct lab_request request = {.words = name};
    assert_ok(lab_instance_open(&instance, &request, &error), error.message);
    return instance;
}

/* ---- The run */

static uint64_t digest_of_run(const struct lab_trace_request *request)
{
    double curve[64];
    struct lab_run run = {
        .seed = request->seed, .learning_rate = request->learning_rate, .trial = request->trial, .curve = curve};
    assert_true(request->steps / request->instance->score_every < COUNT_OF(curve));
    assert_ok(lab_run_train(&run, request->instance, request->contender, request->steps, NULL, NULL, NULL), "");
    return run.digest;
}

static void a_trace_ends_where_the_run_of_a_race_ends(void **state)
{
    (void)state;
    static const char *const problems[] = {"rosenbrock:noise=0.1", "digits"};
    static const rms_rule rules[] = {RMS_SGD, RMS_RMSPROP, RMS_ADAM};
    for (size_t i = 0; i < COUNT_OF(problems); ++i) {
        struct lab_instance instance = open_problem(problems[i]);
        for (size_t k = 0; k < COUNT_OF(rules); ++k) {
            const struct lab_contender contender = contender_of(rules[k]);
            const struct lab_trace_request request = request_of(&instance, &contender, 0.001, 2 * instance.score_every);
            struct lab_trace trace = trace_of(&request);
            assert_true(trace.digest == digest_of_run(&request));
            assert_int_equal(trace.step_count, request.steps);
            assert_false(trace.diverged);
            lab_trace_free(&trace);
        }
        lab_instance_close(&instance);
    }
}

/* By SGD with a rate of 1/4, p becomes 3/4 p at each step: every number here is exact. */
static void a_trace_of_the_parabola_is_what_one_counts_by_hand(void **state)
{
    (void)state;
    const struct lab_instance instance = instance_of(&parabola);
    const struct lab_contender contender = contender_of(RMS_SGD);
    const struct lab_trace_request request = request_of(&instance, &contender, 0.25, 8);
    struct lab_trace trace = trace_of(&request);
    assert_int_equal(trace.parameter_count, 1);
    assert_int_equal(trace.rate_count, 1);
    assert_false(trace.rate_quantiles);
    double p = 1.0;
    for (size_t step = 0; step < 8; ++step) {
        const struct lab_trace_point *const point = &trace.points[step];
        assert_true(point->position[0] == p && isnan(point->position[1]));
        assert_true(point->loss == 0.5 * p * p);
        assert_true(point->gradient_norm == p);
        assert_true(point->step_length == 0.25 * p);
        assert_true(point->rates[0] == 0.25 && isnan(point->rates[1]));
        p *= 0.75;
    }
    assert_true(trace.points[8].position[0] == p);
    assert_true(isnan(trace.points[8].loss) && isnan(trace.points[8].rates[0]));
    lab_trace_free(&trace);
}

static void a_run_that_diverges_has_fewer_steps_and_nothing_after_them(void **state)
{
    (void)state;
    const struct lab_instance instance = instance_of(&parabola);
    const struct lab_contender contender = contender_of(RMS_SGD);
    const struct lab_trace_request request = request_of(&instance, &contender, 1e20, 8);
    struct lab_trace trace = trace_of(&request);
    assert_true(trace.diverged);
    assert_in_range(trace.step_count, 1, 4);
    assert_true(isfinite(trace.points[0].step_length));
    assert_true(isnan(trace.points[trace.step_count].loss) && isnan(trace.points[8].position[0]));
    assert_true(trace.digest == digest_of_run(&request));
    lab_trace_free(&trace);
    lab_trace_free(&trace);
    assert_null(trace.points);
}

/* ---- Rates, by an optimizer of our own on the same gradients */

/* What steps with the same options, and tells its rates after each. */
struct walker {
    struct lab_task *task;
    const rms_tensor *tensors;
    size_t tensor_count, parameter_count;
    rms_optimizer *optimizer;
    float *rates;
};

static struct walker start_walking(const struct lab_trace_request *request)
{
    struct walker walker = {.task = request->instance->problem->create(request->instance, request->seed)};
    rms_options options = request->contender->options;
    rms_error error;
    options.lr = request->learning_rate;
    assert_non_null(walker.task);
    walker.tensor_count = request->instance->problem->tensors(walker.task, &walker.tensors);
    assert_ok(rms_create(&walker.optimizer, &options, &error), error.message);
    for (size_t i = 0; i < walker.tensor_count; ++i) {
        assert_ok(rms_add(walker.optimizer, &walker.tensors[i]), rms_message(walker.optimizer));
        walker.parameter_count += walker.tensors[i].count;
    }
    walker.rates = calloc(walker.parameter_count, sizeof *walker.rates);
    assert_non_null(walker.rates);
    return walker;
}

static void walk_on(struct walker *walker, const struct lab_problem *problem, size_t step)
{
    (void)problem->gradient(walker->task, step);
    assert_ok(rms_step(walker->optimizer, NULL), rms_message(walker->optimizer));
    size_t place = 0;
    for (size_t i = 0; i < walker->tensor_count; ++i) {
        assert_ok(rms_effective_lr(walker->optimizer, i, walker->rates + place), rms_message(walker->optimizer));
        place += walker->tensors[i].count;
    }
}

static void stop_walking(struct walker *walker, const struct lab_problem *problem)
{
    rms_free(walker->optimizer);
    problem->destroy(walker->task);
    free(walker->rates);
}

static void rates_of_two_parameters_are_theirs(void **state)
{
    (void)state;
    struct lab_instance instance = open_problem("quadratic");
    const struct lab_contender contender = contender_of(RMS_RMSPROP);
    const struct lab_trace_request request = request_of(&instance, &contender, 0.01, 2 * instance.score_every);
    struct lab_trace trace = trace_of(&request);
    struct walker walker = start_walking(&request);
    assert_int_equal(trace.rate_count, 2);
    bool differ = false;
    for (size_t step = 0; step < request.steps; ++step) {
        walk_on(&walker, instance.problem, step);
        for (size_t i = 0; i < 2; ++i)
            assert_true(trace.points[step].rates[i] == (double)walker.rates[i]);
        differ = differ || walker.rates[0] < walker.rates[1] || walker.rates[0] > walker.rates[1];
    }
    assert_true(differ);
    stop_walking(&walker, instance.problem);
    lab_trace_free(&trace);
    lab_instance_close(&instance);
}

static int by_value(const void *left, const void *right)
{
    const float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

static void rates_of_many_parameters_are_quantiles_as_sorting_gives_them(void **state)
{
    (void)state;
    struct lab_instance instance = open_problem("digits");
    const struct lab_contender contender = contender_of(RMS_ADAM);
    const struct lab_trace_request request = request_of(&instance, &contender, 0.01, instance.score_every);
    struct lab_trace trace = trace_of(&request);
    struct walker walker = start_walking(&request);
    assert_true(trace.rate_quantiles);
    assert_int_equal(trace.rate_count, LAB_TRACE_RATES);
    assert_int_equal(trace.parameter_count, walker.parameter_count);
    for (size_t step = 0; step < request.steps; ++step) {
        walk_on(&walker, instance.problem, step);
        qsort(walker.rates, walker.parameter_count, sizeof *walker.rates, by_value);
        for (size_t i = 0; i < LAB_TRACE_RATES; ++i)
            assert_true(trace.points[step].rates[i] == (double)walker.rates[(walker.parameter_count - 1) * i / 4]);
    }
    stop_walking(&walker, instance.problem);
    lab_trace_free(&trace);
    lab_instance_close(&instance);
}

/* ---- Parameters of every dtype */

static rms_dtype pair_dtype;
static union {
    float f32[2];
    double f64[2];
    uint16_t half[2];
} pair_start;

struct pair_task {
    unsigned char params[16], grads[16];
    rms_tensor tensor;
};

static struct lab_task *pair_create(const struct lab_instance *instance, uint64_t seed)
{
    (void)instance;
    (void)seed;
    struct pair_task *const task = calloc(1, sizeof *task);
    if (!task)
        return NULL;
    memcpy(task->params, &pair_start, sizeof task->params);
    task->tensor =
        (rms_tensor){.name = "pair", .dtype = pair_dtype, .count = 2, .param = task->params, .grad = task->grads};
    return (struct lab_task *)(void *)task;
}

static size_t pair_tensors(const struct lab_task *task, const rms_tensor **tensors)
{
    *tensors = &((const struct pair_task *)(const void *)task)->tensor;
    return 1;
}

static double pair_gradient(struct lab_task *task, size_t step)
{
    (void)task;
    (void)step;
    return 0.0;
}

static struct lab_score pair_score(struct lab_task *task)
{
    (void)task;
    return (struct lab_score){1.0, 1.0, 1.0};
}

static void positions_are_read_in_every_dtype(void **state)
{
    (void)state;
    struct lab_problem problem = parabola;
    problem.create = pair_create;
    problem.tensors = pair_tensors;
    problem.gradient = pair_gradient;
    problem.score = pair_score;
    const struct lab_instance instance = instance_of(&problem);
    const struct lab_contender contender = contender_of(RMS_SGD);
    const struct lab_trace_request request = request_of(&instance, &contender, 0.5, 2);
    for (int dtype = RMS_F32; dtype <= RMS_BF16; ++dtype) {
        /* 1.5 and -2; as f16 the second is 3 * 2^-24, a subnormal. */
        const double expected[2] = {1.5, dtype == RMS_F16 ? 3.0 / 16777216.0 : -2.0};
        memset(&pair_start, 0, sizeof pair_start);
        pair_dtype = (rms_dtype)dtype;
        for (size_t i = 0; i < 2; ++i) {
            if (dtype == RMS_F32)
                pair_start.f32[i] = (float)expected[i];
            if (dtype == RMS_F64)
                pair_start.f64[i] = expected[i];
            if (dtype == RMS_F16)
                pair_start.half[i] = i == 0 ? 0x3e00 : 0x0003;
            if (dtype == RMS_BF16)
                pair_start.half[i] = i == 0 ? 0x3fc0 : 0xc000;
        }
        struct lab_trace trace = trace_of(&request);
        for (size_t i = 0; i < 2; ++i)
            assert_true(trace.points[0].position[i] == expected[i] && trace.points[2].position[i] == expected[i]);
        assert_true(trace.points[0].step_length == 0.0);
        lab_trace_free(&trace);
    }
}

/* ---- Several at a time */

static void traces_made_at_the_same_time_are_those_made_alone(void **state)
{
    (void)state;
    struct lab_instance instance = open_problem("rosenbrock:noise=0.1");
    struct lab_contender contenders[3];
    struct lab_trace_request requests[3];
    struct lab_trace traces[3];
    for (size_t i = 0; i < 3; ++i) {
        contenders[i] = contender_of(i == 0 ? RMS_SGD : i == 1 ? RMS_RMSPROP : RMS_ADAM);
        requests[i] = request_of(&instance, &contenders[i], 0.001, instance.score_every);
    }
    assert_ok(lab_traces_run(traces, requests, 3, 3, NULL, NULL), "");
    for (size_t i = 0; i < 3; ++i) {
        struct lab_trace alone = trace_of(&requests[i]);
        assert_true(alone.digest == traces[i].digest);
        assert_memory_equal(alone.points, traces[i].points, (requests[i].steps + 1) * sizeof *alone.points);
        lab_trace_free(&alone);
        lab_trace_free(&traces[i]);
    }
    const atomic_int stop = 1;
    assert_ok(lab_traces_run(traces, requests, 3, 2, &stop, NULL), "");
    for (size_t i = 0; i < 3; ++i)
        assert_null(traces[i].points);
    lab_instance_close(&instance);
}

static void a_trace_that_cannot_be_made_says_why_and_is_empty(void **state)
{
    (void)state;
    const struct lab_instance instance = instance_of(&parabola);
    struct lab_contender contender = contender_of(RMS_ADAM);
    contender.options.beta2 = 2.0;
    const struct lab_trace_request request = request_of(&instance, &contender, 0.1, 8);
    struct lab_trace traces[1];
    rms_error error = {{0}};
    assert_int_equal(lab_traces_run(traces, &request, 1, 1, NULL, &error), RMS_ERROR_RANGE);
    assert_non_null(strstr(error.message, "beta2"));
    assert_null(traces[0].points);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trace_ends_where_the_run_of_a_race_ends),
        cmocka_unit_test(a_trace_of_the_parabola_is_what_one_counts_by_hand),
        cmocka_unit_test(a_run_that_diverges_has_fewer_steps_and_nothing_after_them),
        cmocka_unit_test(rates_of_two_parameters_are_theirs),
        cmocka_unit_test(rates_of_many_parameters_are_quantiles_as_sorting_gives_them),
        cmocka_unit_test(positions_are_read_in_every_dtype),
        cmocka_unit_test(traces_made_at_the_same_time_are_those_made_alone),
        cmocka_unit_test(a_trace_that_cannot_be_made_says_why_and_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
