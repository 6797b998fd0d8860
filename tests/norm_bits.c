/* The gradient norm against the oracle on data that feels every order of addition: among large numbers there
 * are many small ones, whose squares are lost when they are added to a large sum one by one, and not when
 * they meet each other first. */
#include "oracle.h"
#include "support.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static void fill_order_sensitive(float *grad, size_t count, uint64_t seed)
{
    uint64_t state = seed;
    for (size_t i = 0; i < count; ++i) {
        const float draw = random_float(&state);
        grad[i] = random_below(&state, 500) == 0 ? 1.0F + draw / 2 : 0x1p-27F * (1.5F + draw);
    }
}

static double oracle_norm(const rms_options *options, rms_dtype dtype, size_t count, void *param, const void *grad)
{
    const struct oracle_tensor x = {
        .options = options, .dtype = dtype, .step = 1, .count = count, .param = param, .grad = grad};
    return oracle_step(&x, 1).norm;
}

static void assert_same_norm(double library, double oracle, const rms_options *options, size_t count)
{
    ++numbers_compared;
    if (bits_of_double(library) != bits_of_double(oracle))
        fail_msg("%s/%s, %d threads, n = %zu: norm %a (library) != %a (oracle)", rms_rule_name(options->rule),
                 rms_isa_name(options->isa), options->threads, count, library, oracle);
}

enum { LONGEST = 65536 * 3 + 100 };
static float param[LONGEST], grad[LONGEST];
static double wide_param[LONGEST], wide_grad[LONGEST];

static rms_options still(rms_isa isa)
{
    rms_options options = rms_options_for(RMS_SGD);
    options.lr = 0;
    options.isa = isa;
    return options;
}

/* If it were not so, the other tests would pass for every order. */
static void the_data_feels_the_order(void **state)
{
    (void)state;
    double forth = 0, back = 0;
    fill_order_sensitive(grad, LONGEST, 1);
    for (size_t i = 0; i < LONGEST; ++i) {
        forth += (double)grad[i] * (double)grad[i];
        back += (double)grad[LONGEST - 1 - i] * (double)grad[LONGEST - 1 - i];
    }
    const rms_options options = still(RMS_ISA_BASELINE);
    const double norm = oracle_norm(&options, RMS_F32, LONGEST, param, grad);
    assert_true(sqrt(forth) != sqrt(back));
    assert_true(norm != sqrt(forth) && norm != sqrt(back));
}

static const size_t lengths[] = {65504,  65535,  65536,  65537,  65567,       65568,
                                 131071, 131072, 131073, 196608, 196608 + 33, LONGEST};

static void norms_match_the_oracle_at_every_length_and_chunk_edge(void **state)
{
    rms_options options = still(isa_of_test(state));
    options.threads = 1;
    for (size_t k = 0; k < 600 + COUNT_OF(lengths) * effort(10); ++k) {
        const size_t n = k < 600 ? k : lengths[k % COUNT_OF(lengths)];
        fill_order_sensitive(grad, n, k);
        rms_report report;
        rms_error error;
        assert_ok(rms_apply(&options, RMS_F32, 1, n, param, grad, NULL, &report, &error), error.message);
        assert_same_norm(report.gradient_norm, oracle_norm(&options, RMS_F32, n, param, grad), &options, n);
    }
    report_comparisons(rms_isa_name(options.isa));
}

static double norm_of_doubles(const rms_options *options, size_t count)
{
    rms_report report;
    rms_error error;
    assert_ok(rms_apply(options, RMS_F64, 1, count, wide_param, wide_grad, NULL, &report, &error), error.message);
    return report.gradient_norm;
}

/* Every other time the squares overflow, and the sum is taken once more. */
static void norms_of_doubles_match_the_oracle_also_where_squares_overflow(void **state)
{
    rms_options options = still(isa_of_test(state));
    options.threads = 1;
    for (size_t k = 0; k < 300 + COUNT_OF(lengths); ++k) {
        const size_t n = k < 300 ? k : lengths[k - 300];
        fill_order_sensitive(grad, n, k);
        for (size_t i = 0; i < n; ++i)
            wide_grad[i] = (double)grad[i] * (k % 2 == 0 ? 1.0 / 3.0 : 0x1.5p600);
        const double norm = norm_of_doubles(&options, n);
        assert_true(isfinite(norm));
        assert_same_norm(norm, oracle_norm(&options, RMS_F64, n, wide_param, wide_grad), &options, n);
    }
    report_comparisons(rms_isa_name(options.isa));
}

/* To within the rounding of four squares, three sums, a root and two scalings, each half of 2^-52 at most. */
static void huge_doubles_have_the_norm_of_the_books(void **state)
{
    (void)state;
    rms_options options = still(RMS_ISA_BASELINE);
    const double sizes[] = {1, 1e150, 1e155, 1e200, 1e300, 8e307};
    for (size_t k = 0; k < COUNT_OF(sizes); ++k) {
        for (size_t i = 0; i < 4; ++i)
            wide_grad[i] = i % 2 == 0 ? sizes[k] : -sizes[k];
        assert_true(fabs(norm_of_doubles(&options, 4) / (2 * sizes[k]) - 1) < 10 * 0x1p-53);
    }

    /* The norm itself is too large for a double: nothing is skipped, and clipping goes by the largest there is. */
    for (size_t i = 0; i < 64; ++i)
        wide_grad[i] = 1e308;
    options.clip_norm = 1;
    assert_true(norm_of_doubles(&options, 64) == DBL_MAX);

    wide_grad[7] = HUGE_VAL;
    assert_status(RMS_SKIPPED_NONFINITE, rms_apply(&options, RMS_F64, 1, 64, wide_param, wide_grad, NULL, NULL, NULL),
                  "infinite");
}

/* More chunks than any buffer of chunks holds, in tensors of all sizes, on any number of threads. */
static void norms_over_many_tensors_match_the_oracle_for_every_number_of_threads(void **state)
{
    enum { TENSORS = 700 };
    static const int threads[] = {1, 2, 3, 7};
    static char names[TENSORS][16];
    static struct oracle_tensor x[TENSORS];
    rms_options options = still(isa_of_test(state));
    fill_order_sensitive(grad, LONGEST, 7);
    for (size_t i = 0; i < COUNT_OF(threads); ++i) {
        options.threads = threads[i];
        rms_optimizer *optimizer = create_optimizer(&options);
        size_t used = 0;
        uint64_t seed = 8;
        for (size_t t = 0; t < TENSORS; ++t) {
            const size_t count = t == 300 ? 70000 : random_below(&seed, 300);
            snprintf(names[t], sizeof names[t], "t%zu", t);
            add_tensor(optimizer, names[t], param + used, grad + used, count);
            x[t] = (struct oracle_tensor){
                .options = &options, .step = 1, .count = count, .param = param + used, .grad = grad + used};
            used += count;
        }
        assert_true(used <= LONGEST);
        rms_report report;
        assert_ok(rms_step(optimizer, &report), rms_message(optimizer));
        assert_same_norm(report.gradient_norm, oracle_step(x, TENSORS).norm, &options, used);
        rms_free(optimizer);
    }
    report_comparisons(rms_isa_name(options.isa));
}

/* ---- Where only the report asks for it, the norm is summed up in the pass that updates. */

static rms_optimizer *norm_of_parts(const char *assignments, rms_isa isa, int threads, const size_t *counts,
                                    size_t tensor_count, float *moved, rms_report *report)
{
    rms_options options = rms_options_for(RMS_RMSPROP);
    set_options(&options, assignments);
    options.isa = isa;
    options.threads = threads;
    rms_optimizer *optimizer = create_optimizer(&options);
    size_t used = 0;
    for (size_t t = 0; t < tensor_count; ++t) {
        char name[32];
        snprintf(name, sizeof name, "t%zu", t);
        add_tensor(optimizer, name, moved + used, grad + used, counts[t]);
        used += counts[t];
    }
    assert_true(used <= LONGEST);
    fill_parameters(moved, used, 5);
    assert_ok(rms_step(optimizer, report), rms_message(optimizer));
    return optimizer;
}

static void compare_passes(rms_isa isa, int threads, const size_t *counts, size_t tensor_count)
{
    static float separately[LONGEST], on_the_way[LONGEST];
    static const char *const formats[] = {"full", "16-bit", "8-bit"};
    for (size_t format = 0; format < COUNT_OF(formats); ++format) {
        char skip[64], propagate[64];
        rms_report a, b;
        snprintf(skip, sizeof skip, "state_format=%s grad_scale=0.3 nonfinite=skip", formats[format]);
        snprintf(propagate, sizeof propagate, "state_format=%s grad_scale=0.3 nonfinite=propagate", formats[format]);
        rms_optimizer *first = norm_of_parts(skip, isa, 1, counts, tensor_count, separately, &a);
        rms_optimizer *second = norm_of_parts(propagate, isa, threads, counts, tensor_count, on_the_way, &b);
        const rms_options options = {.rule = RMS_RMSPROP, .isa = isa, .threads = threads};
        assert_same_norm(b.gradient_norm, a.gradient_norm, &options, counts[0]);
        size_t used = 0;
        for (size_t t = 0; t < tensor_count; ++t) {
            assert_same_floats(on_the_way + used, separately + used, counts[t], formats[format], &options);
            if (counts[t] > 0)
                assert_memory_equal(rms_state(first, t, "v"), rms_state(second, t, "v"), rms_state_size(first, t, "v"));
            used += counts[t];
        }
        rms_free(first);
        rms_free(second);
    }
}

static void the_norm_summed_up_on_the_way_is_that_of_a_pass_of_its_own(void **state)
{
    static const size_t single[] = {1, 1000, 65535, 65536, 65537, 131072, 131073, LONGEST};
    static const size_t several[][4] = {
        {65535, 0, 65537, 1}, {7, 65536, 65536, 100}, {65537, 1, 1, 65537}, {100, 131071, 3, 65000}};
    static size_t many[600];
    const rms_isa isa = isa_of_test(state);
    fill_order_sensitive(grad, LONGEST, 12);
    for (size_t i = 0; i < COUNT_OF(many); ++i)
        many[i] = i == 300 ? 70000 : i * 17 % 301;
    for (size_t k = 0; k < effort(8); ++k) {
        const int threads = 1 + (int)((3 * k + 2) % 8);
        for (size_t i = 0; i < COUNT_OF(single); ++i)
            if ((i + (size_t)threads) % 4 == 0 || threads == 3)
                compare_passes(isa, threads, &single[i], 1);
        compare_passes(isa, threads, several[threads % 4], 4);
        compare_passes(isa, threads, many, COUNT_OF(many));
    }
    report_comparisons(rms_isa_name(isa));
}

/* Squares overflow after the gradients have been used: the sum is taken once more. Infinite ones are reported so. */
static void a_norm_summed_up_on_the_way_may_overflow(void **state)
{
    (void)state;
    rms_options options = still(RMS_ISA_BASELINE);
    options.nonfinite = RMS_NONFINITE_PROPAGATE;
    rms_optimizer *optimizer = create_optimizer(&options);
    const rms_tensor tensor = {.name = "w", .count = 140000, .param = wide_param, .grad = wide_grad, .dtype = RMS_F64};
    assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
    for (size_t i = 0; i < 140000; ++i)
        wide_grad[i] = i % 70000 == 0 ? 3e200 : 0;
    rms_report report;
    assert_ok(rms_step(optimizer, &report), rms_message(optimizer));
    assert_true(fabs(report.gradient_norm / (3e200 * sqrt(2)) - 1) < 10 * 0x1p-53);
    assert_true(report.clip_factor == 1 && !report.skipped);
    wide_grad[99999] = -HUGE_VAL;
    assert_ok(rms_step(optimizer, &report), rms_message(optimizer));
    assert_true(isinf(report.gradient_norm) && report.clip_factor == 1 && !report.skipped);
    assert_int_equal(report.steps, 2);
    rms_free(optimizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_data_feels_the_order),
        PER_ISA(norms_match_the_oracle_at_every_length_and_chunk_edge),
        PER_ISA(norms_of_doubles_match_the_oracle_also_where_squares_overflow),
        cmocka_unit_test(huge_doubles_have_the_norm_of_the_books),
        PER_ISA(norms_over_many_tensors_match_the_oracle_for_every_number_of_threads),
        PER_ISA(the_norm_summed_up_on_the_way_is_that_of_a_pass_of_its_own),
        cmocka_unit_test(a_norm_summed_up_on_the_way_may_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
