/* The 16-bit formats, every case of them, through the public interface: 2^16 codes become floats, 2^32 floats become
 * codes, and 2^32 floats come back from a bf16 and its remainder. The way in and out is rms_swap_averages: it encodes
 * the average, and then the master, with no arithmetic on the way.
 *
 * What to expect follows from the decoded numbers alone: the floats that round to a code are those between the
 * middles to its neighbours. */
#include "oracle_codec.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE_BITS UINT32_C(0x7fffffff)
#define FLOAT_INFINITY UINT32_C(0x7f800000)

/* Which floats are tried, in the order of their bits. */
enum { PATTERNS = 1 << 14 };
struct selection {
    uint32_t length; /* so many neighbours ... */
    uint32_t stride; /* ... around each multiple of this; or from there on, if they are as many */
    size_t chunks;   /* of PATTERNS each */
};

#if OWN_MALLOC && defined(__OPTIMIZE__)
#define IS_FAST true
#else
#define IS_FAST false
#endif

static rms_isa best_isa(void)
{
    rms_options options = rms_options_for(RMS_SGD);
    rms_optimizer *optimizer = create_optimizer(&options);
    const rms_isa best = rms_chosen_isa(optimizer);
    rms_free(optimizer);
    return best;
}

/* All of them by the kernels that run by default; by the others, one in 32. Where machine or build is slow, one in
 * 1024: four around each multiple of 2^12, among which are still all middles of two codes. */
static struct selection selected(rms_isa isa)
{
    if (!IS_FAST || effort(1000) < 1000)
        return (struct selection){.length = 4, .stride = 1 << 12, .chunks = (1 << 22) / PATTERNS};
    if (isa != best_isa())
        return (struct selection){.length = 16, .stride = 1 << 9, .chunks = (1 << 27) / PATTERNS};
    return (struct selection){.length = PATTERNS, .stride = PATTERNS, .chunks = (size_t)(0x100000000 / PATTERNS)};
}

static uint32_t span_of(const struct selection *selection, size_t chunk, size_t span)
{
    const size_t spans = PATTERNS / selection->length;
    const uint32_t before = selection->length < selection->stride ? selection->length / 2 : 0;
    return (uint32_t)(chunk * spans + span) * selection->stride - before;
}

static void fill_patterns(const struct selection *selection, size_t chunk, uint32_t *to)
{
    for (size_t span = 0; span < PATTERNS / selection->length; ++span) {
        const uint32_t first = span_of(selection, chunk, span);
        for (uint32_t i = 0; i < selection->length; ++i)
            *to++ = first + i;
    }
}

/* For each code of a positive number the last float that rounds to it. */
struct borders {
    rms_dtype dtype;
    uint16_t infinity;
    uint32_t last[0x8000];
};

static uint32_t middle_above(rms_dtype dtype, uint16_t code)
{
    const uint16_t above = (uint16_t)(code + 1);
    const double next = above == oracle_infinity(dtype) ? oracle_after_largest(dtype) : oracle_decode(dtype, above);
    const double middle = (oracle_decode(dtype, code) + next) / 2;
    assert_true((double)(float)middle == middle);
    return bits_of((float)middle);
}

static void find_borders(struct borders *borders, rms_dtype dtype, bool ties_away)
{
    borders->dtype = dtype;
    borders->infinity = oracle_infinity(dtype);
    for (uint16_t code = 0; code < borders->infinity; ++code) {
        const bool tie_stays = !ties_away && code % 2 == 0;
        borders->last[code] = middle_above(dtype, code) - (tie_stays ? 0 : 1);
    }
    borders->last[borders->infinity] = FLOAT_INFINITY;
    borders->last[borders->infinity + 1] = SIZE_BITS; /* stands for all NaNs */
}

/* By bisection: the first code whose last float is not smaller. */
static uint16_t code_of(const struct borders *borders, uint32_t size)
{
    size_t low = 0;
    size_t high = (size_t)borders->infinity + 1;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (borders->last[middle] < size)
            low = middle + 1;
        else
            high = middle;
    }
    return (uint16_t)low;
}

static void expect_span(const struct borders *borders, uint32_t first, size_t length, uint16_t *codes)
{
    while (length > 0) {
        const uint16_t code = code_of(borders, first & SIZE_BITS);
        const uint32_t left = borders->last[code] - (first & SIZE_BITS);
        const size_t run = left < length ? (size_t)left + 1 : length;
        const uint16_t expected = (uint16_t)(code | (first & ~SIZE_BITS) >> 16);
        for (size_t i = 0; i < run; ++i)
            codes[i] = expected;
        codes += run;
        first += (uint32_t)run;
        length -= run;
    }
}

static void expect_chunk(const struct borders *borders, const struct selection *selection, size_t chunk,
                         uint16_t *codes)
{
    for (size_t span = 0; span < PATTERNS / selection->length; ++span)
        expect_span(borders, span_of(selection, chunk, span), selection->length, codes + span * selection->length);
}

/* One of several threads, each with an object of its own. It may not fail the test, so it writes down why it should
 * be failed. */
struct sweeper {
    const struct borders *borders;
    struct selection selection;
    size_t number, step;
    rms_optimizer *optimizer;
    uint16_t *param, *remainder;
    uint32_t *average, *master;
    uint16_t expected[PATTERNS];
    uint32_t patterns[PATTERNS];
    char failure[160];
};

static bool is_pattern_nan(uint32_t pattern)
{
    return (pattern & SIZE_BITS) > FLOAT_INFINITY;
}

/* A NaN must become a quiet NaN of its sign. */
static bool same_code(const struct borders *borders, uint16_t expected, uint16_t code)
{
    const unsigned quiet = (0x8000U - borders->infinity) / 2;
    if (oracle_is_nan(borders->dtype, expected))
        return oracle_is_nan(borders->dtype, code) && (code & quiet) != 0 && code >> 15 == expected >> 15;
    return code == expected;
}

static bool check_codes(struct sweeper *sweeper)
{
    if (memcmp(sweeper->expected, sweeper->param, sizeof sweeper->expected) == 0)
        return true;
    for (size_t i = 0; i < PATTERNS; ++i)
        if (!same_code(sweeper->borders, sweeper->expected[i], sweeper->param[i])) {
            snprintf(sweeper->failure, sizeof sweeper->failure, "float 0x%08x became 0x%04x instead of 0x%04x",
                     sweeper->patterns[i], sweeper->param[i], sweeper->expected[i]);
            return false;
        }
    return true;
}

/* Numbers come back bit for bit, and so do quiet NaNs. */
static bool check_return(struct sweeper *sweeper)
{
    if (memcmp(sweeper->patterns, sweeper->average, sizeof sweeper->patterns) == 0)
        return true;
    for (size_t i = 0; i < PATTERNS; ++i) {
        const uint32_t quiet = is_pattern_nan(sweeper->patterns[i]) ? UINT32_C(0x00400000) : 0;
        if (sweeper->average[i] != (sweeper->patterns[i] | quiet)) {
            snprintf(sweeper->failure, sizeof sweeper->failure, "float 0x%08x came back as 0x%08x",
                     sweeper->patterns[i], sweeper->average[i]);
            return false;
        }
    }
    return true;
}

/* The distance from the bf16, which has been checked, modulo 2^16. */
static bool check_remainders(struct sweeper *sweeper)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < PATTERNS; ++i)
        wrong |= (sweeper->remainder[i] ^ sweeper->patterns[i]) & 0xffffU;
    if (wrong != 0)
        snprintf(sweeper->failure, sizeof sweeper->failure, "a remainder among floats 0x%08x to 0x%08x is wrong",
                 sweeper->patterns[0], sweeper->patterns[PATTERNS - 1]);
    return wrong == 0;
}

static bool swap(struct sweeper *sweeper)
{
    if (rms_swap_averages(sweeper->optimizer) == RMS_OK)
        return true;
    snprintf(sweeper->failure, sizeof sweeper->failure, "rms_swap_averages: %.100s", rms_message(sweeper->optimizer));
    return false;
}

/* Puts a chunk of patterns into an array of state, and looks at what it is once swapped in. */
static bool sweep_chunk(struct sweeper *sweeper, size_t chunk, uint32_t *slot)
{
    fill_patterns(&sweeper->selection, chunk, sweeper->patterns);
    expect_chunk(sweeper->borders, &sweeper->selection, chunk, sweeper->expected);
    memcpy(slot, sweeper->patterns, sizeof sweeper->patterns);
    return swap(sweeper) && check_codes(sweeper);
}

static void sweep(void *context, size_t index)
{
    struct sweeper *sweeper = (struct sweeper *)context + index;
    bool good = true;
    for (size_t chunk = sweeper->number; good && chunk < sweeper->selection.chunks; chunk += sweeper->step) {
        if (sweeper->remainder)
            good = sweep_chunk(sweeper, chunk, sweeper->average) && check_remainders(sweeper) && swap(sweeper) &&
                   check_return(sweeper);
        else
            good =
                sweep_chunk(sweeper, chunk, rms_averages_in(sweeper->optimizer) ? sweeper->master : sweeper->average);
    }
}

static rms_options still(rms_isa isa, rms_master master)
{
    rms_options options = rms_options_for(RMS_SGD);
    options.lr = 0;
    options.isa = isa;
    options.threads = 1;
    options.master = master;
    options.nonfinite = RMS_NONFINITE_PROPAGATE;
    return options;
}

static void add(rms_optimizer *optimizer, rms_dtype dtype, size_t count, uint16_t *param, const uint16_t *grad)
{
    const rms_tensor tensor = {.name = "w", .count = count, .param = param, .grad = grad, .dtype = dtype};
    assert_ok(rms_add(optimizer, &tensor), rms_message(optimizer));
}

/* An optimizer of one tensor of zeros that has stepped, so that it has an average. */
static rms_optimizer *stepped(rms_isa isa, rms_dtype dtype, rms_master master, size_t count, uint16_t *param)
{
    static const uint16_t grad[0x10000];
    assert_true(count <= COUNT_OF(grad));
    rms_options options = still(isa, master);
    options.average_decay = 0.5;
    rms_optimizer *optimizer = create_optimizer(&options);
    add(optimizer, dtype, count, param, grad);
    assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
    return optimizer;
}

static void *state_of(rms_optimizer *optimizer, const char *slot)
{
    void *state = rms_state(optimizer, 0, slot);
    assert_non_null(state);
    return state;
}

static void sweep_all(rms_isa isa, rms_dtype dtype, rms_master master)
{
    enum { SWEEPERS_MAX = 8 };
    static uint16_t params[SWEEPERS_MAX][PATTERNS];
    static struct sweeper sweepers[SWEEPERS_MAX];
    static struct borders borders;
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t count = online > SWEEPERS_MAX ? SWEEPERS_MAX : online < 1 ? 1 : (size_t)online;
    const struct selection selection = selected(isa);
    find_borders(&borders, dtype, master == RMS_MASTER_REMAINDER);
    for (size_t i = 0; i < count; ++i) {
        memset(params[i], 0, sizeof params[i]);
        struct sweeper *sweeper = &sweepers[i];
        *sweeper = (struct sweeper){.borders = &borders, .selection = selection, .number = i, .step = count};
        sweeper->optimizer = stepped(isa, dtype, master, PATTERNS, params[i]);
        sweeper->param = params[i];
        sweeper->average = state_of(sweeper->optimizer, "average");
        if (master == RMS_MASTER_REMAINDER)
            sweeper->remainder = state_of(sweeper->optimizer, "remainder");
        else
            sweeper->master = state_of(sweeper->optimizer, "master");
    }
    run_on_threads(NULL, count, sweep, sweepers);
    for (size_t i = 0; i < count; ++i) {
        if (sweepers[i].failure[0] != '\0')
            fail_msg("%s, %s, master %s: %s", rms_isa_name(isa), rms_dtype_name(dtype), rms_master_name(master),
                     sweepers[i].failure);
        rms_free(sweepers[i].optimizer);
    }
    numbers_compared += selection.chunks * PATTERNS;
    report_comparisons(rms_isa_name(isa));
}

static void floats_round_to_the_nearest_f16(void **state)
{
    sweep_all(isa_of_test(state), RMS_F16, RMS_MASTER_F32);
}

static void floats_round_to_the_nearest_bf16(void **state)
{
    sweep_all(isa_of_test(state), RMS_BF16, RMS_MASTER_F32);
}

static void floats_come_back_from_bf16_and_remainder(void **state)
{
    sweep_all(isa_of_test(state), RMS_BF16, RMS_MASTER_REMAINDER);
}

static void same_number_or_nan(const char *what, unsigned code, float library, double oracle)
{
    ++numbers_compared;
    const bool same = isnan(oracle) ? isnan(library) : (double)library == oracle;
    if (!same || !signbit(library) != !signbit(oracle))
        fail_msg("%s 0x%04x: %a (library) != %a (oracle)", what, code, (double)library, oracle);
}

enum { CODES = 0x10000 };
static uint16_t all_codes[CODES];

static void fill_all_codes(void)
{
    for (size_t code = 0; code < CODES; ++code)
        all_codes[code] = (uint16_t)code;
}

static void every_code_becomes_its_number(void **state)
{
    static const uint16_t grad[CODES];
    static const rms_dtype dtypes[] = {RMS_F16, RMS_BF16};
    const rms_options options = still(isa_of_test(state), RMS_MASTER_F32);
    for (size_t k = 0; k < COUNT_OF(dtypes); ++k) {
        rms_optimizer *optimizer = create_optimizer(&options);
        fill_all_codes();
        add(optimizer, dtypes[k], CODES, all_codes, grad);
        const float *master = state_of(optimizer, "master");
        for (size_t code = 0; code < CODES; ++code)
            same_number_or_nan(rms_dtype_name(dtypes[k]), (unsigned)code, master[code],
                               oracle_decode(dtypes[k], (uint16_t)code));
        rms_free(optimizer);
    }
    report_comparisons(rms_isa_name(options.isa));
}

/* Also of pairs that no float leaves, such as a parameter that the caller has set to zero and an old remainder: a
 * number and any remainder are a number, infinity's upper neighbours apart. */
static void any_bf16_and_any_remainder_join(void **state)
{
    static const uint16_t remainders[] = {0, 1, 0x1234, 0x7ffe, 0x7fff, 0x8000, 0x8001, 0xabcd, 0xffff};
    const rms_isa isa = isa_of_test(state);
    for (size_t k = 0; k < COUNT_OF(remainders); ++k) {
        fill_all_codes();
        rms_optimizer *optimizer = stepped(isa, RMS_BF16, RMS_MASTER_REMAINDER, CODES, all_codes);
        fill_all_codes();
        uint16_t *remainder = state_of(optimizer, "remainder");
        for (size_t code = 0; code < CODES; ++code)
            remainder[code] = remainders[k];
        assert_ok(rms_swap_averages(optimizer), rms_message(optimizer));
        const float *joined = state_of(optimizer, "average");
        for (size_t code = 0; code < CODES; ++code)
            same_number_or_nan("joined bf16", (unsigned)code, joined[code],
                               (double)oracle_join((uint16_t)code, remainders[k]));
        rms_free(optimizer);
    }
    report_comparisons(rms_isa_name(isa));
}

/* What a step writes is what the sweeps have seen: finite masters, a step that moves nothing. */
static void a_step_rounds_its_master(void **state)
{
    static const uint16_t grad[PATTERNS];
    static uint16_t param[PATTERNS];
    static const rms_dtype dtypes[] = {RMS_F16, RMS_BF16};
    const rms_options options = still(isa_of_test(state), RMS_MASTER_F32);
    uint64_t random = 5;
    for (size_t k = 0; k < COUNT_OF(dtypes); ++k) {
        rms_optimizer *optimizer = create_optimizer(&options);
        add(optimizer, dtypes[k], PATTERNS, param, grad);
        float *master = state_of(optimizer, "master");
        static float before[PATTERNS];
        for (size_t i = 0; i < PATTERNS; ++i)
            before[i] = ldexpf(random_float(&random), (int)random_below(&random, 280) - 160);
        memcpy(master, before, sizeof before);
        assert_ok(rms_step(optimizer, NULL), rms_message(optimizer));
        assert_memory_equal(master, before, sizeof before);
        for (size_t i = 0; i < PATTERNS; ++i, ++numbers_compared)
            assert_int_equal(param[i], oracle_encode(dtypes[k], before[i]));
        rms_free(optimizer);
    }
    report_comparisons(rms_isa_name(options.isa));
}

/* The gradient norm of 16-bit gradients is that of the same numbers as floats, bit for bit. */
static void the_norm_decodes_on_the_way(void **state)
{
    static const size_t counts[] = {0, 1, 7, 8, 31, 32, 33, 63, 64, 65, 100, 1000, 1023, 1024, 1025, 0xf000};
    static const rms_dtype dtypes[] = {RMS_F16, RMS_BF16};
    static uint16_t codes[CODES], param[CODES];
    static float numbers[CODES], float_param[CODES];
    rms_options options = still(isa_of_test(state), RMS_MASTER_NONE);
    options.grad_scale = 1.0 / 3.0;
    uint64_t random = 6;
    for (size_t k = 0; k < COUNT_OF(dtypes); ++k)
        for (size_t c = 0; c < COUNT_OF(counts); ++c) {
            for (size_t i = 0; i < counts[c]; ++i) {
                const size_t size = random_below(&random, oracle_infinity(dtypes[k]));
                codes[i] = (uint16_t)(size | random_below(&random, 2) << 15);
                numbers[i] = (float)oracle_decode(dtypes[k], codes[i]);
            }
            rms_report report, float_report;
            rms_error error;
            assert_ok(rms_apply(&options, dtypes[k], 1, counts[c], param, codes, NULL, &report, &error), error.message);
            assert_ok(rms_apply(&options, RMS_F32, 1, counts[c], float_param, numbers, NULL, &float_report, &error),
                      error.message);
            assert_true(bits_of_double(report.gradient_norm) == bits_of_double(float_report.gradient_norm));
            ++numbers_compared;
        }
    report_comparisons(rms_isa_name(options.isa));
}

/* The sweeps trust the middles, other tests the oracle that rounds in steps; here they meet. */
static void the_oracle_rounds_as_the_middles_say(void **state)
{
    (void)state;
    static const rms_dtype dtypes[] = {RMS_F16, RMS_BF16, RMS_BF16};
    static struct borders borders;
    for (size_t k = 0; k < COUNT_OF(dtypes); ++k) {
        find_borders(&borders, dtypes[k], k == 2);
        for (uint16_t code = 0; code < borders.infinity; ++code)
            for (uint32_t above = 0; above < 2; ++above) {
                float border;
                uint16_t remainder;
                const uint32_t bits = borders.last[code] + above;
                memcpy(&border, &bits, sizeof border);
                assert_int_equal(k < 2 ? oracle_encode(dtypes[k], border) : oracle_split(border, &remainder),
                                 code + above);
                ++numbers_compared;
            }
    }
    report_comparisons("oracle");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oracle_rounds_as_the_middles_say),
        PER_ISA(every_code_becomes_its_number),
        PER_ISA(floats_round_to_the_nearest_f16),
        PER_ISA(floats_round_to_the_nearest_bf16),
        PER_ISA(floats_come_back_from_bf16_and_remainder),
        PER_ISA(any_bf16_and_any_remainder_join),
        PER_ISA(a_step_rounds_its_master),
        PER_ISA(the_norm_decodes_on_the_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
