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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_data_feels_the_order),
        PER_ISA(norms_match_the_oracle_at_every_length_and_chunk_edge),
        PER_ISA(norms_of_doubles_match_the_oracle_also_where_squares_overflow),
        cmocka_unit_test(huge_doubles_have_the_norm_of_the_books),
        PER_ISA(norms_over_many_tensors_match_the_oracle_for_every_number_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
