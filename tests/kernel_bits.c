/* Kernels against the oracle, bit for bit, through rms_apply: every rule and option, every instruction set,
 * every length up to 200 and around the edges of blocks and chunks, every alignment. */
#include "oracle.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One trajectory: everything about it follows from these. */
struct run {
    rms_options options;
    uint64_t seed;
    uint64_t first_step;
    size_t steps;
    size_t count;
    size_t offset[2 + RMS_SLOTS_MAX]; /* param, grad, slots: elements past a 64-byte boundary */
};

/* The same memory twice: the library's guarded, the oracle's plain. */
struct memory {
    struct guarded param, grad, slots[RMS_SLOTS_MAX];
    float *expected_param, *grad_copy, *expected_slots[RMS_SLOTS_MAX];
};

static struct memory memory_create(const struct run *run)
{
    const size_t n = run->count;
    struct memory m = {.param = guarded_create(n, run->offset[0]),
                       .grad = guarded_create(n, run->offset[1]),
                       .expected_param = floats_create(n),
                       .grad_copy = floats_create(n)};
    fill_parameters(m.param.data, n, run->seed);
    memcpy(m.expected_param, m.param.data, n * sizeof(float));
    const unsigned kept = rms_slots_kept(&run->options);
    for (size_t s = 0; s < RMS_SLOTS_MAX; ++s)
        if (kept >> s & 1) {
            m.slots[s] = guarded_create(n, run->offset[2 + s]);
            m.expected_slots[s] = floats_create(n);
            for (size_t i = 0; i < n; ++i)
                m.slots[s].data[i] = m.expected_slots[s][i] = slot_start(&run->options, s);
        }
    return m;
}

static void memory_destroy(struct memory *m)
{
    guarded_destroy(&m->param);
    guarded_destroy(&m->grad);
    free(m->expected_param);
    free(m->grad_copy);
    for (size_t s = 0; s < RMS_SLOTS_MAX; ++s) {
        guarded_destroy(&m->slots[s]);
        free(m->expected_slots[s]);
    }
}

/* "rmsprop/f32/avx512, seed 0x1, step 3, offsets 0 5 1 0 0" */
static const char *describe(const struct run *run, uint64_t step, const char *array)
{
    static char text[256];
    snprintf(text, sizeof text, "%s/f32/%s, %s after step %llu of seed 0x%llx, offsets %zu %zu %zu %zu %zu",
             rms_rule_name(run->options.rule), rms_isa_name(run->options.isa), array, (unsigned long long)step,
             (unsigned long long)run->seed, run->offset[0], run->offset[1], run->offset[2], run->offset[3],
             run->offset[4]);
    return text;
}

static void assert_unbroken(const struct run *run, uint64_t step, const struct guarded *array, const char *name)
{
    const ptrdiff_t breach = array->memory ? guarded_breach(array) : PTRDIFF_MAX;
    if (breach != PTRDIFF_MAX)
        fail_msg("%s, n = %zu: element %td outside the array was written; options: %s", describe(run, step, name),
                 run->count, breach, describe_options(&run->options));
}

static void assert_same_memory(const struct run *run, uint64_t step, const struct memory *m)
{
    const rms_options *o = &run->options;
    assert_same_floats(m->param.data, m->expected_param, run->count, describe(run, step, "parameter"), o);
    assert_same_floats(m->grad.data, m->grad_copy, run->count, describe(run, step, "gradient"), o);
    assert_unbroken(run, step, &m->param, "parameter");
    assert_unbroken(run, step, &m->grad, "gradient");
    for (size_t s = 0; s < RMS_SLOTS_MAX; ++s)
        if (m->slots[s].memory) {
            const char *name = rms_slot_name(o->rule, s);
            assert_same_floats(m->slots[s].data, m->expected_slots[s], run->count, describe(run, step, name), o);
            assert_unbroken(run, step, &m->slots[s], name);
        }
}

static void assert_same_report(const struct run *run, uint64_t step, const rms_report *got,
                               const struct oracle_report *expected)
{
    const uint64_t steps = expected->skipped ? step - 1 : step;
    const bool same_norm = bits_of_double(got->gradient_norm) == bits_of_double(expected->norm) ||
                           (got->gradient_norm != got->gradient_norm && expected->norm != expected->norm);
    if (!same_norm || bits_of_double(got->clip_factor) != bits_of_double(expected->clip_factor) ||
        got->skipped != expected->skipped || got->steps != steps)
        fail_msg("%s, n = %zu: norm %a, factor %a, skipped %d, steps %llu (library) != %a, %a, %d, %llu (oracle); "
                 "options: %s",
                 describe(run, step, "report"), run->count, got->gradient_norm, got->clip_factor, got->skipped,
                 (unsigned long long)got->steps, expected->norm, expected->clip_factor, expected->skipped,
                 (unsigned long long)steps, describe_options(&run->options));
}

static void step_both(const struct run *run, uint64_t step, struct memory *m)
{
    fill_gradients(m->grad.data, run->count, run->seed, step);
    memcpy(m->grad_copy, m->grad.data, run->count * sizeof(float));
    void *slots[RMS_SLOTS_MAX];
    struct oracle_tensor x = {
        .options = &run->options, .step = step, .count = run->count, .param = m->expected_param, .grad = m->grad_copy};
    for (size_t s = 0; s < RMS_SLOTS_MAX; ++s) {
        slots[s] = m->slots[s].data;
        x.slots[s] = m->expected_slots[s];
    }
    rms_report report;
    rms_error error;
    const rms_status status =
        rms_apply(&run->options, step, run->count, m->param.data, m->grad.data, slots, &report, &error);
    const struct oracle_report expected = oracle_step(&x, 1);
    assert_status(expected.skipped ? RMS_SKIPPED_NONFINITE : RMS_OK, status, error.message);
    assert_same_report(run, step, &report, &expected);
    assert_same_memory(run, step, m);
}

static void compare(const struct run *run)
{
    struct memory memory = memory_create(run);
    for (uint64_t i = 0; i < run->steps; ++i)
        step_both(run, run->first_step + i, &memory);
    memory_destroy(&memory);
}

static struct run random_run(uint64_t *state, rms_rule rule, rms_isa isa)
{
    static const uint64_t first_steps[] = {1, 1, 1, 2, 1000, UINT64_C(1) << 40};
    struct run run = {.seed = random_bits(state), .steps = 3};
    run.options = random_options(state, rule);
    run.options.isa = isa;
    run.options.threads = 1;
    run.first_step = first_steps[random_below(state, COUNT_OF(first_steps))];
    for (size_t i = 0; i < COUNT_OF(run.offset); ++i)
        run.offset[i] = random_below(state, 16);
    return run;
}

/* The tail is where vector code goes wrong: all lengths up to several vectors, each with options of its own. */
static void kernels_match_the_oracle_at_every_length_up_to_200(void **argument)
{
    const rms_isa isa = isa_of_test(argument);
    uint64_t state = 1;
    for (size_t repetition = 0; repetition < effort(8); ++repetition)
        for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
            for (size_t n = 0; n <= 200; ++n) {
                struct run run = random_run(&state, rule, isa);
                run.count = n;
                compare(&run);
            }
    report_comparisons(rms_isa_name(isa));
}

/* Chunks of the norm are 65536 long, parts are cut at pages, loops at lanes. */
static void kernels_match_the_oracle_around_the_edges_of_blocks(void **argument)
{
    static const size_t lengths[] = {255,  256,   257,   1023,  1024,  1025,   4095,   4096,
                                     4097, 32768, 65535, 65536, 65537, 131071, 131072, 131105};
    const rms_isa isa = isa_of_test(argument);
    uint64_t state = 2;
    for (size_t repetition = 0; repetition < effort(2); ++repetition)
        for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
            for (size_t k = 0; k < COUNT_OF(lengths); ++k) {
                struct run run = random_run(&state, rule, isa);
                run.steps = 2;
                run.count = lengths[k];
                compare(&run);
            }
    report_comparisons(rms_isa_name(isa));
}

/* Every pair of parameter and gradient alignment, with the slots going round as well. */
static void kernels_match_the_oracle_at_every_alignment(void **argument)
{
    const rms_isa isa = isa_of_test(argument);
    uint64_t state = 3;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
        for (size_t param = 0; param < 16; ++param)
            for (size_t grad = 0; grad < 16; ++grad) {
                struct run run = random_run(&state, rule, isa);
                run.offset[0] = param;
                run.offset[1] = grad;
                run.count = 64 + random_below(&state, 64);
                compare(&run);
            }
    report_comparisons(rms_isa_name(isa));
}

/* Long enough for momentum, averages and AMSGrad's maximum to settle, die out or overflow. */
static void kernels_match_the_oracle_over_hundreds_of_option_sets(void **argument)
{
    const rms_isa isa = isa_of_test(argument);
    uint64_t state = 4;
    for (size_t repetition = 0; repetition < effort(200); ++repetition)
        for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule) {
            struct run run = random_run(&state, rule, isa);
            run.steps = 20;
            run.count = 1 + random_below(&state, 300);
            compare(&run);
        }
    report_comparisons(rms_isa_name(isa));
}

/* The formulas of the books, without any option. */
static void bare_step(rms_rule rule, float lr, float g, float *p, float *slot0, float *slot1)
{
    switch (rule) {
    case RMS_SGD:
        *p = *p - lr * g;
        break;
    case RMS_ADAGRAD:
        *slot0 = *slot0 + g * g;
        *p = *p - lr * (g / (sqrtf(*slot0) + 1e-10F));
        break;
    case RMS_RMSPROP:
        *slot0 = 0.99F * *slot0 + 0.01F * (g * g);
        *p = *p - lr * (g / (sqrtf(*slot0) + 1e-8F));
        break;
    case RMS_ADAM: /* bias_correction is off */
        *slot0 = 0.9F * *slot0 + 0.1F * g;
        *slot1 = 0.999F * *slot1 + 0.001F * (g * g);
        *p = *p - lr * (*slot0 / (sqrtf(*slot1) + 1e-8F));
        break;
    }
}

/* Options that are off are neutral elements: no bit of the bare formula changes. Gradients and parameters
 * are not zero: a zero may lose its sign. */
static void options_that_are_off_leave_the_bare_formula(void **argument)
{
    enum { N = 1000 };
    static float p[N], g[N], a[N], b[N], expected[N], expected_a[N], expected_b[N];
    const rms_isa isa = isa_of_test(argument);
    uint64_t state = 6;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule) {
        rms_options options = rms_options_for(rule);
        options.bias_correction = false;
        options.isa = isa;
        for (size_t i = 0; i < N; ++i) {
            p[i] = expected[i] = 1.0F + random_float(&state) / 2;
            a[i] = b[i] = expected_a[i] = expected_b[i] = 0;
        }
        for (uint64_t step = 1; step <= 100; ++step) {
            for (size_t i = 0; i < N; ++i) {
                g[i] = random_float(&state) + 0x1p-30F;
                bare_step(rule, (float)options.lr, g[i], &expected[i], &expected_a[i], &expected_b[i]);
            }
            void *slots[] = {a, b, NULL};
            rms_error error;
            assert_ok(rms_apply(&options, step, N, p, g, slots, NULL, &error), error.message);
        }
        assert_same_floats(p, expected, N, "bare formula", &options);
        assert_same_floats(a, expected_a, N, "bare formula, first slot", &options);
        assert_same_floats(b, expected_b, N, "bare formula, second slot", &options);
    }
    report_comparisons(rms_isa_name(isa));
}

/* The random draw must not have a blind spot: over the sets above, every option of every rule is changed. */
static void random_option_sets_change_every_option(void **argument)
{
    (void)argument;
    uint64_t state = 4;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule) {
        size_t changed[64] = {0};
        for (size_t i = 0; i < 200; ++i) {
            const rms_options options = random_options(&state, rule);
            rms_option_info info;
            for (size_t k = 0; rms_option_at(rule, k, &info); ++k) {
                double value;
                assert_ok(rms_options_get(&options, info.key, &value, NULL), info.key);
                changed[k] += value != info.default_value;
            }
        }
        rms_option_info info;
        for (size_t k = 0; rms_option_at(rule, k, &info); ++k) {
            const bool numeric = strcmp(info.key, "isa") != 0 && strcmp(info.key, "threads") != 0;
            if (numeric && changed[k] < 10)
                fail_msg("%s: %s was changed in only %zu of 200 sets", rms_rule_name(rule), info.key, changed[k]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PER_ISA(kernels_match_the_oracle_at_every_length_up_to_200),
        PER_ISA(kernels_match_the_oracle_around_the_edges_of_blocks),
        PER_ISA(kernels_match_the_oracle_at_every_alignment),
        PER_ISA(kernels_match_the_oracle_over_hundreds_of_option_sets),
        PER_ISA(options_that_are_off_leave_the_bare_formula),
        cmocka_unit_test(random_option_sets_change_every_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
