/* Kernels against the oracle, bit for bit, through rms_apply: every rule and option, every instruction set,
 * every length up to 200 and around the edges of blocks and chunks, every alignment; and every kernel at the lengths
 * around a vector or two with each of its arrays at every place. */
#include "oracle.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The precisions of the computation. */
static const rms_dtype dtypes[] = {RMS_F32, RMS_F64};

/* One trajectory: everything about it follows from these. */
struct run {
    rms_options options;
    rms_dtype dtype;
    uint64_t seed;
    uint64_t first_step;
    size_t steps;
    size_t count;
    size_t offset[2 + RMS_SLOTS_MAX]; /* param, grad, slots: elements past a 64-byte boundary */
};

/* The same memory twice: the library's guarded, the oracle's plain. */
struct memory {
    struct guarded param, grad, slots[RMS_SLOTS_MAX];
    void *expected_param, *grad_copy, *expected_slots[RMS_SLOTS_MAX];
};

static struct memory memory_create(const struct run *run)
{
    const size_t size = rms_dtype_size(run->dtype);
    const size_t bytes = run->count * size;
    struct memory m = {.param = guarded_create(bytes, run->offset[0] * size),
                       .grad = guarded_create(bytes, run->offset[1] * size),
                       .expected_param = bytes_create(bytes),
                       .grad_copy = bytes_create(bytes)};
    fill_parameters_of(run->dtype, m.param.data, run->count, run->seed);
    memcpy(m.expected_param, m.param.data, bytes);
    const unsigned kept = rms_slots_kept(&run->options, run->dtype);
    for (size_t s = 0; s < RMS_SLOTS_MAX; ++s)
        if (kept >> s & 1) {
            m.slots[s] = guarded_create(bytes, run->offset[2 + s] * size);
            m.expected_slots[s] = bytes_create(bytes);
            fill_slot(&run->options, run->dtype, s, m.slots[s].data, run->count);
            memcpy(m.expected_slots[s], m.slots[s].data, bytes);
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

/* "rmsprop/f32/avx512, v after step 3 of seed 0x1, offsets 0 5 1 0 0" */
static const char *describe(const struct run *run, uint64_t step, const char *array)
{
    static char text[256];
    snprintf(text, sizeof text, "%s/%s/%s, %s after step %llu of seed 0x%llx, offsets %zu %zu %zu %zu %zu",
             rms_rule_name(run->options.rule), rms_dtype_name(run->dtype), rms_isa_name(run->options.isa), array,
             (unsigned long long)step, (unsigned long long)run->seed, run->offset[0], run->offset[1], run->offset[2],
             run->offset[3], run->offset[4]);
    return text;
}

static void assert_unbroken(const struct run *run, uint64_t step, const struct guarded *array, const char *name)
{
    const ptrdiff_t breach = array->memory ? guarded_breach(array) : PTRDIFF_MAX;
    if (breach != PTRDIFF_MAX)
        fail_msg("%s, n = %zu: byte %td outside the array was written; options: %s", describe(run, step, name),
                 run->count, breach, describe_options(&run->options));
}

static void assert_same_array(const struct run *run, uint64_t step, const struct guarded *array, const void *expected,
                              const char *name)
{
    assert_same_numbers(run->dtype, array->data, expected, run->count, describe(run, step, name), &run->options);
    assert_unbroken(run, step, array, name);
}

static void assert_same_memory(const struct run *run, uint64_t step, const struct memory *m)
{
    assert_same_array(run, step, &m->param, m->expected_param, "parameter");
    assert_same_array(run, step, &m->grad, m->grad_copy, "gradient");
    for (size_t s = 0; s < RMS_SLOTS_MAX; ++s)
        if (m->slots[s].memory)
            assert_same_array(run, step, &m->slots[s], m->expected_slots[s], rms_slot_name(run->options.rule, s));
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
    fill_gradients_of(run->dtype, m->grad.data, run->count, run->seed, step);
    memcpy(m->grad_copy, m->grad.data, m->grad.bytes);
    void *slots[RMS_SLOTS_MAX];
    struct oracle_tensor x = {.options = &run->options,
                              .dtype = run->dtype,
                              .step = step,
                              .count = run->count,
                              .param = m->expected_param,
                              .grad = m->grad_copy};
    for (size_t s = 0; s < RMS_SLOTS_MAX; ++s) {
        slots[s] = m->slots[s].data;
        x.slots[s] = m->expected_slots[s];
    }
    rms_report report;
    rms_error error;
    const rms_status status =
        rms_apply(&run->options, run->dtype, step, run->count, m->param.data, m->grad.data, slots, &report, &error);
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

static struct run random_run(uint64_t *state, rms_rule rule, rms_dtype dtype, rms_isa isa)
{
    static const uint64_t first_steps[] = {1, 1, 1, 2, 1000, UINT64_C(1) << 40};
    struct run run = {.dtype = dtype, .seed = random_bits(state), .steps = 3};
    run.options = random_options(state, rule);
    run.options.isa = isa;
    run.options.threads = 1;
    run.first_step = first_steps[random_below(state, COUNT_OF(first_steps))];
    for (size_t i = 0; i < COUNT_OF(run.offset); ++i)
        run.offset[i] = random_below(state, 16);
    return run;
}

/* Each repetition covers every rule in both precisions, with options of their own. */
static void compare_all(const rms_isa *isa, uint64_t seed, size_t repetitions,
                        void compare_one(uint64_t *state, rms_rule rule, rms_dtype dtype, rms_isa isa))
{
    uint64_t state = seed;
    for (size_t repetition = 0; repetition < repetitions; ++repetition)
        for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
            for (size_t d = 0; d < COUNT_OF(dtypes); ++d)
                compare_one(&state, rule, dtypes[d], *isa);
    report_comparisons(rms_isa_name(*isa));
}

/* The tail is where vector code goes wrong: all lengths up to several vectors, each with options of its own. */
static void compare_every_length(uint64_t *state, rms_rule rule, rms_dtype dtype, rms_isa isa)
{
    const size_t stride = effort(100) > 1 ? 1 : 7; /* an emulator has no time for each of them */
    for (size_t n = 0; n <= 200; n += stride) {
        struct run run = random_run(state, rule, dtype, isa);
        run.count = n;
        compare(&run);
    }
}

static void kernels_match_the_oracle_at_every_length_up_to_200(void **argument)
{
    const rms_isa isa = isa_of_test(argument);
    compare_all(&isa, 1, effort(4), compare_every_length);
}

/* Chunks of the norm are 65536 long, parts are cut at pages, blocks at 1024, loops at lanes. */
static void compare_around_edges(uint64_t *state, rms_rule rule, rms_dtype dtype, rms_isa isa)
{
    static const size_t lengths[] = {255,  256,   257,   1023,  1024,  1025,   4095,   4096,
                                     4097, 32768, 65535, 65536, 65537, 131071, 131072, 131105};
    for (size_t k = 0; k < COUNT_OF(lengths); ++k) {
        struct run run = random_run(state, rule, dtype, isa);
        run.steps = lengths[k] < 10000 ? 2 : 1;
        run.count = lengths[k];
        compare(&run);
    }
}

static void kernels_match_the_oracle_around_the_edges_of_blocks(void **argument)
{
    const rms_isa isa = isa_of_test(argument);
    compare_all(&isa, 2, 1, compare_around_edges);
}

/* Every pair of parameter and gradient alignment, with the slots going round as well. */
static void compare_every_alignment(uint64_t *state, rms_rule rule, rms_dtype dtype, rms_isa isa)
{
    const size_t places = 64 / rms_dtype_size(dtype);
    for (size_t param = 0; param < places; ++param)
        for (size_t grad = 0; grad < places; ++grad) {
            struct run run = random_run(state, rule, dtype, isa);
            run.offset[0] = param;
            run.offset[1] = grad;
            run.count = 64 + random_below(state, 64);
            compare(&run);
        }
}

static void kernels_match_the_oracle_at_every_alignment(void **argument)
{
    const rms_isa isa = isa_of_test(argument);
    compare_all(&isa, 3, 1, compare_every_alignment);
}

/* Sets the options that ask for optional slots; false if the rule has no such variant. */
static bool set_variant(rms_options *options, unsigned variant)
{
    switch (options->rule) {
    case RMS_RMSPROP:
        options->centered = variant & 1;
        options->momentum = variant & 2 ? 0.9 : 0.0;
        return variant < 4;
    case RMS_SGD:
        options->momentum = variant & 1 ? 0.9 : 0.0;
        return variant < 2;
    case RMS_ADAM:
        options->amsgrad = variant & 1;
        return variant < 2;
    default:
        return variant == 0;
    }
}

/* Gradients as they come, and gradients that options change, have loops of their own. */
static struct run short_run(uint64_t *state, const rms_options *options, rms_dtype dtype)
{
    struct run run = {.options = *options, .dtype = dtype, .seed = random_bits(state), .first_step = 1, .steps = 2};
    if (random_below(state, 2) == 0) {
        run.options.grad_scale = 0.75;
        run.options.clip_value = random_below(state, 2) == 0 ? 0.125 : 0.0;
    }
    for (size_t i = 0; i < COUNT_OF(run.offset); ++i)
        run.offset[i] = random_below(state, 16);
    return run;
}

/* Each array in turn goes through all places within 64 bytes while the others lie anywhere. */
static void compare_short_lengths(uint64_t *state, const rms_options *options, rms_dtype dtype)
{
    const size_t places = 64 / rms_dtype_size(dtype);
    const size_t arrays = 2 + (size_t)__builtin_popcount(rms_slots_kept(options, dtype));
    const size_t stride = effort(100) > 1 ? 1 : 5;
    for (size_t count = 0; count <= 2 * places + 3; count += stride)
        for (size_t array = 0; array < arrays; ++array)
            for (size_t place = 0; place < places; place += stride) {
                struct run run = short_run(state, options, dtype);
                run.count = count;
                run.offset[array] = place;
                compare(&run);
            }
}

static void kernels_match_the_oracle_at_every_place_of_short_arrays(void **argument)
{
    const rms_isa isa = isa_of_test(argument);
    uint64_t state = 5;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule)
        for (unsigned variant = 0; variant < 4; ++variant)
            for (size_t d = 0; d < COUNT_OF(dtypes); ++d) {
                rms_options options = rms_options_for(rule);
                options.isa = isa;
                options.threads = 1;
                if (set_variant(&options, variant))
                    compare_short_lengths(&state, &options, dtypes[d]);
            }
    report_comparisons(rms_isa_name(isa));
}

/* Long enough for momentum, averages and AMSGrad's maximum to settle, die out or overflow. */
static void compare_one_option_set(uint64_t *state, rms_rule rule, rms_dtype dtype, rms_isa isa)
{
    struct run run = random_run(state, rule, dtype, isa);
    run.steps = 20;
    run.count = 1 + random_below(state, 300);
    compare(&run);
}

static void kernels_match_the_oracle_over_hundreds_of_option_sets(void **argument)
{
    const rms_isa isa = isa_of_test(argument);
    compare_all(&isa, 4, effort(200), compare_one_option_set);
}

/* The formulas of the books, in float, without any option. */
struct bare {
    float lr;
    float g;
    float *p, *a, *b; /* parameter, first and second slot */
    uint64_t step;
};

static void bare_sgd(const struct bare *x)
{
    *x->p = *x->p - x->lr * x->g;
}

static void bare_adagrad(const struct bare *x)
{
    *x->a = *x->a + x->g * x->g;
    *x->p = *x->p - x->lr * (x->g / (sqrtf(*x->a) + 1e-10F));
}

static void bare_rmsprop(const struct bare *x)
{
    *x->a = 0.99F * *x->a + 0.01F * (x->g * x->g);
    *x->p = *x->p - x->lr * (x->g / (sqrtf(*x->a) + 1e-8F));
}

static void bare_means(const struct bare *x)
{
    *x->a = 0.9F * *x->a + 0.1F * x->g;
    *x->b = 0.999F * *x->b + 0.001F * (x->g * x->g);
}

static void bare_adam(const struct bare *x)
{
    bare_means(x);
    *x->p = *x->p - x->lr * (*x->a / (sqrtf(*x->b) + 1e-8F));
}

static void bare_rprop(const struct bare *x)
{
    if (x->g * *x->a < 0) {
        *x->b = fmaxf(*x->b * 0.5F, 1e-6F);
        *x->a = 0;
        return;
    }
    if (x->g * *x->a > 0)
        *x->b = fminf(*x->b * 1.2F, 50);
    *x->a = x->g;
    *x->p = *x->p - copysignf(*x->b, x->g);
}

static void bare_adadelta(const struct bare *x)
{
    *x->a = 0.9F * *x->a + 0.1F * (x->g * x->g);
    const float move = sqrtf(*x->b + 1e-6F) / sqrtf(*x->a + 1e-6F) * x->g;
    *x->b = 0.9F * *x->b + 0.1F * (move * move);
    *x->p = *x->p - x->lr * move;
}

static void bare_adamax(const struct bare *x)
{
    *x->a = 0.9F * *x->a + 0.1F * x->g;
    *x->b = fmaxf(0.999F * *x->b, fabsf(x->g) + 1e-8F);
    *x->p = *x->p - x->lr * (*x->a / *x->b);
}

/* Powers by the C library: the coefficients made of them may differ by 1e-15 from the library's, which rounding to
 * float hides. */
static void bare_nadam(const struct bare *x)
{
    const double t = (double)x->step;
    double momentum = 0;
    double product = 1;
    for (uint64_t i = 1; i <= x->step; ++i)
        product *= momentum = 0.9 * (1 - 0.5 * pow(0.96, (double)i * 0.004));
    const double next = 0.9 * (1 - 0.5 * pow(0.96, (t + 1) * 0.004));
    const float fresh = (float)(0.002 * (1 - momentum) / (1 - product));
    const float held = (float)(0.002 * next / (1 - product * next));
    const float correction = (float)(1 / (1 - pow(0.999, t)));
    bare_means(x);
    *x->p = *x->p - (fresh * x->g + held * *x->a) / (sqrtf(*x->b * correction) + 1e-8F);
}

static void bare_radam(const struct bare *x)
{
    const double t = (double)x->step;
    const double power = pow(0.999, t);
    const double length = 1999 - 2 * t * power / (1 - power);
    const double rate = 0.001 / (1 - pow(0.9, t));
    bare_means(x);
    if (length <= 5) {
        *x->p = *x->p - (float)rate * *x->a;
        return;
    }
    const double rectification = sqrt((length - 4) * (length - 2) * 1999 / (1995.0 * 1997.0 * length));
    const float all = (float)(rate * rectification * sqrt(1 - power));
    *x->p = *x->p - all * (*x->a / (sqrtf(*x->b) + 1e-8F));
}

static void bare_lion(const struct bare *x)
{
    *x->p = *x->p - copysignf(x->lr, 0.9F * *x->a + 0.1F * x->g);
    *x->a = 0.99F * *x->a + 0.01F * x->g;
}

static void (*const bare_formulas[RMS_RULE_COUNT])(const struct bare *x) = {
    [RMS_SGD] = bare_sgd,     [RMS_ADAGRAD] = bare_adagrad,   [RMS_RMSPROP] = bare_rmsprop, [RMS_ADAM] = bare_adam,
    [RMS_RPROP] = bare_rprop, [RMS_ADADELTA] = bare_adadelta, [RMS_ADAMAX] = bare_adamax,   [RMS_NADAM] = bare_nadam,
    [RMS_RADAM] = bare_radam, [RMS_LION] = bare_lion,
};

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
        if (!bare_formulas[rule])
            fail_msg("%s has no bare formula here", rms_rule_name(rule));
        for (size_t i = 0; i < N; ++i) {
            p[i] = expected[i] = 1.0F + random_float(&state) / 2;
            a[i] = expected_a[i] = 0;
            b[i] = expected_b[i] = (float)slot_start(&options, 1);
        }
        for (uint64_t step = 1; step <= 100; ++step) {
            for (size_t i = 0; i < N; ++i) {
                g[i] = random_float(&state) + 0x1p-30F;
                const struct bare x = {(float)options.lr, g[i], &expected[i], &expected_a[i], &expected_b[i], step};
                bare_formulas[rule](&x);
            }
            void *slots[] = {a, b, NULL, NULL, NULL, NULL};
            rms_error error;
            assert_ok(rms_apply(&options, RMS_F32, step, N, p, g, slots, NULL, &error), error.message);
        }
        assert_same_floats(p, expected, N, "bare formula", &options);
        assert_same_floats(a, expected_a, N, "bare formula, first slot", &options);
        assert_same_floats(b, expected_b, N, "bare formula, second slot", &options);
    }
    report_comparisons(rms_isa_name(isa));
}

/* Options that change no bits in float, or that tests of their own set. */
static bool is_left_alone(const char *key)
{
    static const char *const keys[] = {"isa", "threads", "state_format", "zero_grad"};
    for (size_t i = 0; i < COUNT_OF(keys); ++i)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

/* The random draw must not have a blind spot: over the sets above, every option of every rule is changed. */
static void random_option_sets_change_every_option(void **argument)
{
    (void)argument;
    uint64_t state = 4;
    for (rms_rule rule = 0; rule < RMS_RULE_COUNT; ++rule) {
        size_t changed[64] = {0};
        for (size_t i = 0; i < 400; ++i) {
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
            if (!is_left_alone(info.key) && changed[k] < 10)
                fail_msg("%s: %s was changed in only %zu of 400 sets", rms_rule_name(rule), info.key, changed[k]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PER_ISA(kernels_match_the_oracle_at_every_length_up_to_200),
        PER_ISA(kernels_match_the_oracle_around_the_edges_of_blocks),
        PER_ISA(kernels_match_the_oracle_at_every_alignment),
        PER_ISA(kernels_match_the_oracle_at_every_place_of_short_arrays),
        PER_ISA(kernels_match_the_oracle_over_hundreds_of_option_sets),
        PER_ISA(options_that_are_off_leave_the_bare_formula),
        cmocka_unit_test(random_option_sets_change_every_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
