/* Rounding at random, which is how 16-bit parameters without a master are updated: bit for bit what the oracle makes
 * of the random numbers, whatever the instruction set and whoever steps; never to a number that is not a neighbour;
 * right on average.
 *
 * The rule is SGD without options, so that a parameter to be rounded is p - lr * g in float. */
#include "oracle_codec.h"
#include "support.h"

#include <math.h>
#include <string.h>

/* A tensor of 16-bit numbers, stepped by the library, and what it must become. */
enum { COUNT = 20000, FEW = 70001, MANY = 250001 }; /* enough for one thread, for two, for all that are tried */
struct model {
    rms_dtype dtype;
    rms_options options;
    const char *name;
    size_t count;
    uint64_t step; /* taken so far */
    uint16_t param[MANY], grad[MANY];
    uint16_t expected[MANY];
};

static const rms_dtype dtypes[] = {RMS_F16, RMS_BF16};

static void begin_model(struct model *model, rms_dtype dtype, rms_isa isa)
{
    memset(model, 0, sizeof *model);
    model->dtype = dtype;
    model->options = rms_options_for(RMS_SGD);
    model->options.master = RMS_MASTER_NONE;
    model->options.nonfinite = RMS_NONFINITE_PROPAGATE;
    model->options.isa = isa;
    model->options.seed = 12345;
    model->options.lr = 0x1p-5;
    model->name = "fc1.weight";
    model->count = COUNT;
}

/* Finite numbers of all sizes, and gradients that move them by some of their last bits, or by much more. */
static void fill_model(struct model *model, uint64_t *random)
{
    const uint16_t infinity = oracle_infinity(model->dtype);
    for (size_t i = 0; i < model->count; ++i) {
        const size_t size = random_below(random, infinity);
        size_t change = size + random_below(random, infinity / 8);
        change = random_below(random, 4) == 0 ? random_below(random, infinity) : change;
        change = change < infinity ? change : (size_t)infinity - 1;
        model->param[i] = (uint16_t)(size | random_below(random, 2) << 15);
        model->grad[i] = (uint16_t)(change | random_below(random, 2) << 15);
    }
}

static float updated(const struct model *model, size_t i)
{
    const float param = (float)oracle_decode(model->dtype, model->param[i]);
    const float grad = (float)oracle_decode(model->dtype, model->grad[i]);
    return param - (float)model->options.lr * grad;
}

static void expect_step(struct model *model)
{
    const uint64_t key = oracle_key(model->options.seed, model->name);
    ++model->step;
    for (size_t i = 0; i < model->count; ++i)
        model->expected[i] =
            oracle_encode_at_random(model->dtype, updated(model, i), oracle_random(key, model->step, i));
}

static void assert_expected(const struct model *model, const char *context)
{
    for (size_t i = 0; i < model->count; ++i, ++numbers_compared)
        if (model->param[i] != model->expected[i])
            fail_msg("%s, %s/%s, step %llu, n = %zu, element %zu: 0x%04x (library) != 0x%04x (oracle)", context,
                     rms_dtype_name(model->dtype), rms_isa_name(model->options.isa), (unsigned long long)model->step,
                     model->count, i, model->param[i], model->expected[i]);
}

static void add_model(rms_optimizer *optimizer, struct model *model)
{
    const rms_tensor tensor = {
        .name = model->name, .count = model->count, .param = model->param, .grad = model->grad, .dtype = model->dtype};
    assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
}

/* Expects before it steps, since the step writes over the parameters. */
static void step_model(rms_optimizer *optimizer, struct model *model, const char *context)
{
    expect_step(model);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    assert_expected(model, context);
}

/* Random123's known answers for philox4x32 with 7 rounds. */
static void the_oracle_gives_the_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], answer[4];
    } vectors[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x5f6fb709, 0x0d893f64, 0x4f121f81, 0x4f730a48}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x5207ddc2, 0x45165e59, 0x4d8ee751, 0x8c52f662}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0x4dfccaba, 0x190a87f0, 0xc47362ba, 0xb6b5242a}},
    };
    for (size_t i = 0; i < COUNT_OF(vectors); ++i) {
        uint32_t output[4];
        oracle_philox(vectors[i].counter, vectors[i].key, output);
        assert_memory_equal(output, vectors[i].answer, sizeof output);
    }
}

static struct model model;

static void every_length_matches_the_oracle(void **state)
{
    static const size_t lengths[] = {511, 512, 513, 519, 520, 1023, 1024, 1025, 1031, 2047, 2049, 4095, 4097, COUNT};
    const rms_isa isa = isa_of_test(state);
    uint64_t random = 1;
    for (size_t k = 0; k < COUNT_OF(dtypes); ++k)
        for (size_t n = 1; n < 140 + COUNT_OF(lengths); ++n) {
            begin_model(&model, dtypes[k], isa);
            model.count = n < 140 ? n : lengths[n - 140];
            rms_optimizer *optimizer = create_optimizer(&model.options);
            add_model(optimizer, &model);
            for (int step = 0; step < 3; ++step) {
                fill_model(&model, &random);
                step_model(optimizer, &model, "lengths");
            }
            rms_free(optimizer);
        }
    report_comparisons(rms_isa_name(isa));
}

/* OpenMP's, and a caller's, and without an object, where the name is empty. Another tensor comes first, so that the
 * parts do not begin where a block of 64 elements does. */
static void threads_and_the_lower_door_change_nothing(void **state)
{
    static const rms_parallel parallel = {.parallel_for = run_on_threads};
    const rms_isa isa = isa_of_test(state);
    uint64_t random = 2;
    for (size_t k = 0; k < COUNT_OF(dtypes); ++k)
        for (int threads = 1; threads <= 7; threads += 2) {
            float other[5] = {0};
            const float other_grad[5] = {0};
            begin_model(&model, dtypes[k], isa);
            model.count = effort(10) < 10 ? FEW : MANY;
            fill_model(&model, &random);
            model.options.threads = threads;
            model.options.parallel = threads == 5 ? &parallel : NULL;
            rms_optimizer *optimizer = create_optimizer(&model.options);
            add_tensor(optimizer, "other", other, other_grad, COUNT_OF(other));
            add_model(optimizer, &model);
            step_model(optimizer, &model, "threads");
            rms_free(optimizer);

            rms_error error;
            fill_model(&model, &random);
            model.name = "";
            expect_step(&model);
            assert_ok(rms_apply(&model.options, model.dtype, model.step, model.count, model.param, model.grad, NULL,
                                NULL, &error),
                      error.message);
            assert_expected(&model, "rms_apply");
        }
    report_comparisons(rms_isa_name(isa));
}

/* Rows begin anywhere within a block of elements. */
static void rows_take_the_bits_of_their_elements(void **state)
{
    enum { WIDTH = 13, ROWS = COUNT / WIDTH, GIVEN = 40 };
    static uint16_t values[GIVEN * WIDTH];
    static int64_t indices[GIVEN];
    const rms_isa isa = isa_of_test(state);
    uint64_t random = 3;
    for (size_t k = 0; k < COUNT_OF(dtypes); ++k) {
        begin_model(&model, dtypes[k], isa);
        model.count = (size_t)ROWS * WIDTH;
        fill_model(&model, &random);
        rms_optimizer *optimizer = create_optimizer(&model.options);
        add_model(optimizer, &model);
        expect_step(&model);
        bool given[ROWS] = {false};
        for (size_t i = 0; i < GIVEN; ++i) {
            indices[i] = (int64_t)(i * 37 % ROWS);
            given[indices[i]] = true;
            memcpy(values + i * WIDTH, model.grad + (size_t)indices[i] * WIDTH, WIDTH * sizeof *values);
        }
        for (size_t i = 0; i < model.count; ++i)
            if (!given[i / WIDTH])
                model.expected[i] = model.param[i];
        const rms_rows rows = {.width = WIDTH, .row_count = GIVEN, .indices = indices, .values = values};
        assert_ok(rms_step_rows(optimizer, &rows, 1, NULL), rms_message(optimizer));
        assert_expected(&model, "rows");
        rms_free(optimizer);
    }
    report_comparisons(rms_isa_name(isa));
}

/* Seed, name and all 63 bits of the step count enter. */
static void other_seeds_names_and_steps_give_other_bits(void **state)
{
    static const struct {
        const char *name;
        int seed;
        uint64_t steps;
    } sources[] = {{"a", 0, 0},           {"b", 0, 0}, {"a", 1, 0}, {"a", 0, 1}, {"a", 0, UINT64_C(1) << 32},
                   {"a", 2147483647, 41}, {"", 0, 0}};
    static uint16_t results[COUNT_OF(sources)][COUNT];
    const rms_isa isa = isa_of_test(state);
    for (size_t k = 0; k < COUNT_OF(sources); ++k) {
        uint64_t random = 4;
        begin_model(&model, RMS_BF16, isa);
        fill_model(&model, &random);
        model.name = sources[k].name[0] != '\0' ? sources[k].name : "a long name, \xc3\xa9";
        model.options.seed = sources[k].seed;
        model.step = sources[k].steps;
        rms_optimizer *optimizer = create_optimizer(&model.options);
        add_model(optimizer, &model);
        assert_ok(rms_set_steps(optimizer, 0, model.step), rms_message(optimizer));
        step_model(optimizer, &model, "sources");
        rms_free(optimizer);
        memcpy(results[k], model.param, sizeof results[k]);
        for (size_t j = 0; j < k; ++j)
            assert_memory_not_equal(results[j], results[k], sizeof results[k]);
    }
    report_comparisons(rms_isa_name(isa));
}

/* Asks nothing of the oracle but the numbers: what is written has the sign of what was to be rounded, and no other
 * number of the format lies between the two. */
static void a_number_goes_to_one_of_its_neighbours(void **state)
{
    static float wanted[COUNT];
    const rms_isa isa = isa_of_test(state);
    uint64_t random = 5;
    for (size_t k = 0; k < COUNT_OF(dtypes); ++k) {
        const uint16_t largest = (uint16_t)(oracle_infinity(dtypes[k]) - 1);
        begin_model(&model, dtypes[k], isa);
        fill_model(&model, &random);
        for (size_t i = 0; i < COUNT; ++i)
            wanted[i] = updated(&model, i);
        rms_error error;
        assert_ok(rms_apply(&model.options, dtypes[k], 1, COUNT, model.param, model.grad, NULL, NULL, &error),
                  error.message);
        for (size_t i = 0; i < COUNT; ++i, ++numbers_compared) {
            const uint16_t size = model.param[i] & 0x7fff;
            const double number = oracle_decode(dtypes[k], size);
            const double exact = fabs((double)wanted[i]);
            assert_true(size <= largest);
            assert_true(!signbit(wanted[i]) == (model.param[i] < 0x8000));
            if (number < exact && size < largest)
                assert_true(oracle_decode(dtypes[k], (uint16_t)(size + 1)) > exact);
            if (number > exact)
                assert_true(oracle_decode(dtypes[k], (uint16_t)(size - 1)) < exact);
        }
    }
    report_comparisons(rms_isa_name(isa));
}

/* One step of COUNT elements that are all the same; steps counts those before. */
static void step_equals(uint16_t param, uint16_t grad, double lr, uint64_t step)
{
    rms_error error;
    for (size_t i = 0; i < COUNT; ++i) {
        model.param[i] = param;
        model.grad[i] = grad;
    }
    model.options.lr = lr;
    assert_ok(rms_apply(&model.options, model.dtype, step, COUNT, model.param, model.grad, NULL, NULL, &error),
              error.message);
}

static void assert_all(uint16_t expected)
{
    for (size_t i = 0; i < COUNT; ++i, ++numbers_compared)
        assert_int_equal(model.param[i], expected);
}

static void exact_numbers_are_never_changed(void **state)
{
    const rms_isa isa = isa_of_test(state);
    for (size_t k = 0; k < COUNT_OF(dtypes); ++k) {
        begin_model(&model, dtypes[k], isa);
        model.options.lr = 0;
        for (uint64_t begin = 0; begin < 0x10000; begin += COUNT / 2) {
            for (size_t i = 0; i < COUNT; ++i)
                model.expected[i] = model.param[i] = (uint16_t)(begin + i);
            rms_error error;
            assert_ok(
                rms_apply(&model.options, dtypes[k], begin + 1, COUNT, model.param, model.grad, NULL, NULL, &error),
                error.message);
            for (size_t i = 0; i < COUNT; ++i, ++numbers_compared)
                if (oracle_is_nan(dtypes[k], model.expected[i]))
                    assert_true(oracle_is_nan(dtypes[k], model.param[i]));
                else if (model.expected[i] % 0x8000 < oracle_infinity(dtypes[k]))
                    assert_int_equal(model.param[i], model.expected[i]);
        }
    }
    report_comparisons(rms_isa_name(isa));
}

static void only_infinity_becomes_infinite(void **state)
{
    const rms_isa isa = isa_of_test(state);
    for (size_t k = 0; k < COUNT_OF(dtypes); ++k) {
        const uint16_t infinity = oracle_infinity(dtypes[k]);
        const uint16_t largest = (uint16_t)(infinity - 1);
        begin_model(&model, dtypes[k], isa);
        step_equals(largest, largest | 0x8000, 0x1p-10, 1); /* a little more than the largest, no more than a float */
        assert_all(largest);
        step_equals(largest | 0x8000, largest, 0x1p-10, 2);
        assert_all(largest | 0x8000);
        step_equals(1, infinity | 0x8000, 1, 3);
        assert_all(infinity);
        step_equals(1, infinity, 1, 4);
        assert_all(infinity | 0x8000);
        step_equals(1, infinity + 1, 1, 5);
        for (size_t i = 0; i < COUNT; ++i)
            assert_true(oracle_is_nan(dtypes[k], model.param[i]));
    }
    begin_model(&model, RMS_F16, isa);
    step_equals(0x7bff, 0xfbff, 1e30, 6); /* a float far beyond f16 */
    assert_all(0x7bff);
    report_comparisons(rms_isa_name(isa));
}

/* How far the number of successes in n trials may be from what is expected: by Bernstein's inequality, farther with
 * a probability below 1e-12 if the bits are random. The bits are fixed: what passes once, passes always. */
static double allowance(double n, double probability)
{
    const double logarithm = log(2 / 1e-12);
    const double variance = n * probability * (1 - probability);
    return logarithm / 3 + sqrt(logarithm * logarithm / 9 + 2 * variance * logarithm);
}

static void assert_frequency(size_t successes, size_t n, double probability, const char *what)
{
    const double expected = (double)n * probability;
    if (fabs((double)successes - expected) > allowance((double)n, probability))
        fail_msg("%s: %zu of %zu rounded away from zero, expected %g", what, successes, n, expected);
    ++numbers_compared;
}

static size_t count_of(uint16_t code)
{
    size_t count = 0;
    for (size_t i = 0; i < COUNT; ++i)
        count += model.param[i] == code;
    return count;
}

static const struct {
    rms_dtype dtype;
    uint16_t code, minus_one;
    double step; /* to the neighbour */
} places[] = {
    {RMS_BF16, 0x3f80, 0xbf80, 0x1p-7},   /* 1 */
    {RMS_BF16, 0x0003, 0xbf80, 0x1p-133}, /* subnormal */
    {RMS_F16, 0x3c00, 0xbc00, 0x1p-10},   /* 1 */
    {RMS_F16, 0x0003, 0xbc00, 0x1p-24},   /* subnormal */
    {RMS_F16, 0x0000, 0xbc00, 0x1p-24},
};

/* Numbers that lie a fraction of the way to the neighbour farther from zero go there that often. */
static void the_odds_are_the_distances(void **state)
{
    static const double odds[] = {0x1p-13, 0x29p-13, 0.125, 0.25, 0.5, 0.75, 1 - 0x1p-13};
    const rms_isa isa = isa_of_test(state);
    const size_t rounds = effort(10);
    uint64_t step = 0;
    for (size_t k = 0; k < COUNT_OF(places); ++k)
        for (size_t q = 0; q < COUNT_OF(odds); ++q)
            for (uint16_t sign = 0; sign < 2; ++sign) {
                const uint16_t flip = (uint16_t)(sign << 15);
                const uint16_t code = places[k].code | flip;
                size_t away = 0, stayed = 0;
                begin_model(&model, places[k].dtype, isa);
                for (size_t round = 0; round < rounds; ++round) {
                    step_equals(code, places[k].minus_one ^ flip, odds[q] * places[k].step, ++step);
                    away += count_of((uint16_t)(code + 1));
                    stayed += count_of(code);
                }
                assert_int_equal(away + stayed, rounds * COUNT);
                assert_frequency(away, rounds * COUNT, odds[q], rms_dtype_name(places[k].dtype));
            }
    report_comparisons(rms_isa_name(isa));
}

/* Among so many elements some have just the random number on which the last unit of the fraction decides. */
static void the_last_unit_decides(void **state)
{
    static const double units[] = {1, 0x5555, 0x8001, 0xfffd};
    const rms_isa isa = isa_of_test(state);
    for (size_t k = 0; k < COUNT_OF(places); ++k)
        for (size_t u = 0; u < COUNT_OF(units); ++u) {
            rms_error error;
            begin_model(&model, places[k].dtype, isa);
            model.count = effort(MANY);
            model.name = "";
            model.step = 10 * k + u;
            model.options.lr = units[u] * 0x1p-16 * places[k].step;
            for (size_t i = 0; i < model.count; ++i) {
                model.param[i] = places[k].code;
                model.grad[i] = places[k].minus_one;
            }
            expect_step(&model);
            assert_ok(rms_apply(&model.options, model.dtype, model.step, model.count, model.param, model.grad, NULL,
                                NULL, &error),
                      error.message);
            assert_expected(&model, "last unit");
        }
    report_comparisons(rms_isa_name(isa));
}

/* What the mode is for: updates of 1/64 of a parameter's last bit, which rounding to nearest would lose, add up. */
static void small_updates_add_up(void **state)
{
    enum { STEPS = 640 };
    const rms_isa isa = isa_of_test(state);
    begin_model(&model, RMS_BF16, isa);
    model.options.lr = 0x1p-13;
    for (size_t i = 0; i < COUNT; ++i) {
        model.param[i] = 0x3f80;
        model.grad[i] = 0xbf80;
    }
    rms_optimizer *optimizer = create_optimizer(&model.options);
    add_model(optimizer, &model);
    const size_t steps = effort(STEPS);
    for (size_t step = 0; step < steps; ++step)
        assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    rms_free(optimizer);
    size_t away = 0;
    for (size_t i = 0; i < COUNT; ++i)
        away += (size_t)(model.param[i] - 0x3f80);
    assert_frequency(away, steps * COUNT, 1.0 / 64, "small updates");
    report_comparisons(rms_isa_name(isa));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oracle_gives_the_known_answers),
        PER_ISA(every_length_matches_the_oracle),
        PER_ISA(threads_and_the_lower_door_change_nothing),
        PER_ISA(rows_take_the_bits_of_their_elements),
        PER_ISA(other_seeds_names_and_steps_give_other_bits),
        PER_ISA(a_number_goes_to_one_of_its_neighbours),
        PER_ISA(exact_numbers_are_never_changed),
        PER_ISA(only_infinity_becomes_infinite),
        PER_ISA(the_odds_are_the_distances),
        PER_ISA(the_last_unit_decides),
        PER_ISA(small_updates_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
