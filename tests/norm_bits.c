/* The gradient norm against the oracle on data that feels every order of addition: among large numbers there
 * are many small ones, whose squares are lost when they are added to a large sum one by one, and not when
 * they meet each other first. */
#include "oracle.h"
#include "support.h"

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

static double oracle_norm(const rms_options *options, size_t count, float *param, const float *grad)
{
    const struct oracle_tensor x = {.options = options, .step = 1, .count = count, .param = param, .grad = grad};
    return oracle_step(&x, 1).norm;
}

static void assert_same_norm(double library, double oracle, const rms_options *options, size_t count)
{
    ++numbers_compared;
    if (bits_of_double(library) != bits_of_double(oracle))
        fail_msg("%s/f32/%s, %d threads, n = %zu: norm %a (library) != %a (oracle)", rms_rule_name(options->rule),
                 rms_isa_name(options->isa), options->threads, count, library, oracle);
}

enum { LONGEST = 65536 * 3 + 100 };
static float param[LONGEST], grad[LONGEST];

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
    const double norm = oracle_norm(&options, LONGEST, param, grad);
    assert_true(sqrt(forth) != sqrt(back));
    assert_true(norm != sqrt(forth) && norm != sqrt(back));
}

static void norms_match_the_oracle_at_every_length_and_chunk_edge(void **state)
{
    static const size_t lengths[] = {65504,  65535,  65536,  65537,  65567,       65568,
                                     131071, 131072, 131073, 196608, 196608 + 33, LONGEST};
    rms_options options = still(isa_of_test(state));
    options.threads = 1;
    for (size_t k = 0; k < 600 + COUNT_OF(lengths) * effort(10); ++k) {
        const size_t n = k < 600 ? k : lengths[k % COUNT_OF(lengths)];
        fill_order_sensitive(grad, n, k);
        rms_report report;
        rms_error error;
        assert_ok(rms_apply(&options, 1, n, param, grad, NULL, &report, &error), error.message);
        assert_same_norm(report.gradient_norm, oracle_norm(&options, n, param, grad), &options, n);
    }
    report_comparisons(rms_isa_name(options.isa));
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
        PER_ISA(norms_over_many_tensors_match_the_oracle_for_every_number_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
