/* The codecs of the optimizer's state, called by themselves: what they make of every code, of floats of all kinds and
 * of random bits is, bit for bit, what the oracle makes of them; and that is right on average. */
#include "oracle_codec.h"
#include "support.h"

#include "kernels/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)STATE_BLOCK == (int)ORACLE_BLOCK, "the oracle's blocks are those of the format");

static const char *const names[] = {"squares", "averages"};
static const uint8_t largest_scale[] = {224, 240}; /* that encoding makes: of infinity */
static const uint8_t least_scale[] = {0, 1};

static const struct codecs *codecs_of(rms_isa isa)
{
    switch (isa) {
#if defined(__x86_64__)
    case RMS_ISA_AVX2:
        return &codecs_avx2;
    case RMS_ISA_AVX512:
        return &codecs_avx512;
#elif defined(__aarch64__)
    case RMS_ISA_NEON:
        return &codecs_neon;
#endif
    default:
        return &codecs_baseline;
    }
}

static const struct state_codec *codec_of(rms_isa isa, enum oracle_state which)
{
    const struct codecs *codecs = codecs_of(isa);
    return which == ORACLE_SQUARES ? &codecs->squares : &codecs->averages;
}

static float float_of(uint32_t bits)
{
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static uint32_t random_word(uint64_t *random)
{
    return (uint32_t)(random_bits(random) >> 32);
}

/* Numbers for a block, of one temper; squares are not negative, but NaN may be. */
enum { TEMPERS = 8 };
static float tempered(size_t temper, uint64_t *random)
{
    const uint32_t bits = random_word(random);
    const uint32_t sign = bits & 0x80000000;
    switch (temper) {
    case 0: /* like one another */
        return float_of((bits & 0x801fffff) | 0x3c000000);
    case 1: /* anything, NaN and infinity too */
        return float_of(bits);
    case 2: /* within 16 octaves */
        return float_of((bits & 0x807fffff) | (uint32_t)(110 + random_below(random, 16)) << 23);
    case 3: /* subnormal or little more */
        return float_of(bits & 0x81ffffff);
    case 4: /* mostly zero */
        return random_below(random, 8) > 0 ? float_of(sign) : float_of(sign | 0x3f000000);
    case 5: /* on both sides of the scale's lower end */
        return float_of(sign | (uint32_t)(90 + random_below(random, 34)) << 23);
    case 6: /* the largest finite numbers */
        return float_of((bits & 0x80ffffff) | 0x7e000000);
    default: /* numbers that 3 bits of mantissa hold */
        return float_of((bits & 0x80700000) | (uint32_t)(100 + random_below(random, 20)) << 23);
    }
}

static void fill(enum oracle_state which, float *numbers, size_t count, uint64_t *random)
{
    for (size_t i = 0; i < count; ++i)
        if (i % STATE_BLOCK == 0 || i == 0) {
            const size_t temper = random_below(random, TEMPERS);
            for (size_t j = i; j < count && j < i + STATE_BLOCK; ++j) {
                const float number = tempered(temper, random);
                numbers[j] = which == ORACLE_SQUARES && !isnan(number) ? fabsf(number) : number;
            }
        }
}

/* ---- Codes to numbers */

static void every_code_of_every_scale_becomes_its_number(void **state)
{
    enum { CODES = 256 };
    const rms_isa isa = isa_of_test(state);
    for (enum oracle_state which = ORACLE_SQUARES; which <= ORACLE_AVERAGES; ++which)
        for (unsigned scale = 0; scale < 256; ++scale)
            for (size_t missing = 0; missing < 2; ++missing) { /* a short block at the end, and none */
                uint8_t codes[CODES], scales[CODES / STATE_BLOCK];
                float numbers[CODES];
                for (size_t i = 0; i < CODES; ++i)
                    codes[i] = (uint8_t)i;
                memset(scales, (int)scale, sizeof scales);
                codec_of(isa, which)->decode(CODES - missing, codes, scales, numbers);
                for (size_t i = 0; i < CODES - missing; ++i, ++numbers_compared) {
                    const double expected = oracle_state_decode(which, codes[i], (uint8_t)scale);
                    if (!same_bits(numbers[i], (float)expected))
                        fail_msg("%s: code %zu of scale %u is %a instead of %a", names[which], i, scale,
                                 (double)numbers[i], expected);
                }
            }
    report_comparisons(rms_isa_name(isa));
}

/* ---- Numbers to codes */

struct encoding {
    rms_isa isa;
    enum oracle_state which;
    const struct random_source *source; /* NULL: to nearest */
    uint64_t element;
    size_t count;
    const float *from;
};

static uint32_t bits_for(const struct encoding *encoding, size_t i)
{
    const struct random_source *source = encoding->source;
    return source ? oracle_random_20(source->key, source->step, encoding->element + i) : 0x80000;
}

static void assert_encoded(const struct encoding *encoding, const uint8_t *codes, const uint8_t *scales)
{
    for (size_t begin = 0; begin < encoding->count; begin += STATE_BLOCK) {
        const size_t left = encoding->count - begin;
        const size_t length = left < STATE_BLOCK ? left : STATE_BLOCK;
        const uint8_t scale = oracle_state_scale(encoding->which, encoding->from + begin, length);
        if (scales[begin / STATE_BLOCK] != scale)
            fail_msg("%s, %s: the scale from element %zu on is %u instead of %u", rms_isa_name(encoding->isa),
                     names[encoding->which], begin, scales[begin / STATE_BLOCK], scale);
        for (size_t i = begin; i < begin + length; ++i, ++numbers_compared) {
            const uint32_t random = bits_for(encoding, i);
            const uint8_t expected = oracle_state_encode(encoding->which, encoding->from[i], scale, random);
            if (codes[i] != expected)
                fail_msg("%s, %s, n = %zu, element %zu: %a with bits 0x%05x in scale "
                         "%u became %u instead of %u",
                         rms_isa_name(encoding->isa), names[encoding->which], encoding->count, i,
                         (double)encoding->from[i], random, scale, codes[i], expected);
        }
    }
}

/* In guarded memory, at any offset. */
static void encode_and_compare(const struct encoding *encoding, size_t offset, uint64_t *random)
{
    const size_t blocks = (encoding->count + STATE_BLOCK - 1) / STATE_BLOCK;
    struct guarded from = guarded_create(encoding->count * sizeof(float), offset * sizeof(float));
    struct guarded codes = guarded_create(encoding->count, offset);
    struct guarded scales = guarded_create(blocks, offset);
    struct encoding placed = *encoding;
    placed.from = from.data;
    fill(encoding->which, from.data, encoding->count, random);
    codec_of(encoding->isa, encoding->which)
        ->encode(encoding->count, from.data, codes.data, scales.data, encoding->source, encoding->element);
    assert_encoded(&placed, codes.data, scales.data);
    assert_true(guarded_breach(&from) == PTRDIFF_MAX);
    assert_true(guarded_breach(&codes) == PTRDIFF_MAX);
    assert_true(guarded_breach(&scales) == PTRDIFF_MAX);
    guarded_destroy(&from);
    guarded_destroy(&codes);
    guarded_destroy(&scales);
}

static void every_length_place_and_source_match_the_oracle(void **state)
{
    enum { SHORT = 200 };
    static const size_t lengths[] = {255, 256, 257, 511, 512, 513, 575, 576, 1023, 1024, 1025, 2049};
    const rms_isa isa = isa_of_test(state);
    uint64_t random = 1;
    for (size_t repetition = 0; repetition < effort(8); ++repetition)
        for (enum oracle_state which = ORACLE_SQUARES; which <= ORACLE_AVERAGES; ++which)
            for (size_t n = 1; n <= SHORT + COUNT_OF(lengths); ++n) {
                const struct random_source source = {.key = random_bits(&random), .step = random_bits(&random) >> 8};
                const uint64_t block =
                    random_below(&random, 2) ? random_below(&random, 20) : random_bits(&random) >> 16;
                const struct encoding encoding = {
                    .isa = isa,
                    .which = which,
                    .source = random_below(&random, 8) > 0 ? &source : NULL,
                    .element = block * STATE_BLOCK,
                    .count = n <= SHORT ? n : lengths[n - SHORT - 1],
                };
                encode_and_compare(&encoding, random_below(&random, 17), &random);
            }
    report_comparisons(rms_isa_name(isa));
}

/* Every upper half of a float as a block's only number: all scales, infinity and NaN among them. */
static void every_upper_half_finds_its_scale(void **state)
{
    const rms_isa isa = isa_of_test(state);
    uint64_t random = 2;
    for (enum oracle_state which = ORACLE_SQUARES; which <= ORACLE_AVERAGES; ++which)
        for (uint32_t half = 0; half < (which == ORACLE_SQUARES ? 0x8000U : 0x10000U); ++half) {
            const struct random_source source = {.key = half, .step = (uint64_t)which};
            const float number = float_of(half << 16 | (uint32_t)random_below(&random, 0x10000));
            const struct encoding encoding = {
                .isa = isa, .which = which, .source = &source, .count = 1, .from = &number};
            uint8_t code, scale;
            codec_of(isa, which)->encode(1, &number, &code, &scale, &source, 0);
            assert_encoded(&encoding, &code, &scale);
        }
    report_comparisons(rms_isa_name(isa));
}

/* ---- What is kept. A block begins with its largest number, which decides the scale. */

/* In a scale, the codes of a number that chooses it. */
static void codes_that_choose(enum oracle_state which, unsigned scale, unsigned *first, unsigned *last)
{
    *first = which == ORACLE_AVERAGES ? (scale == 1 ? 0 : 113) : (scale == 0 ? 0 : 248);
    *last = which == ORACLE_AVERAGES ? 119 : 255;
}

static void keep_block(rms_isa isa, enum oracle_state which, unsigned scale, unsigned largest, uint64_t *random)
{
    uint8_t codes[STATE_BLOCK], again[STATE_BLOCK], scale_again;
    float numbers[STATE_BLOCK];
    const uint8_t as_byte = (uint8_t)scale;
    const struct random_source source = {.key = random_bits(random), .step = scale};
    for (size_t i = 0; i < STATE_BLOCK; ++i) {
        const size_t sign = which == ORACLE_AVERAGES ? random_below(random, 2) << 7 : 0;
        codes[i] = (uint8_t)((i == 0 ? largest : random_below(random, largest + 1)) | sign);
    }
    codec_of(isa, which)->decode(STATE_BLOCK, codes, &as_byte, numbers);
    codec_of(isa, which)->encode(STATE_BLOCK, numbers, again, &scale_again, &source, 0);
    assert_int_equal(scale_again, scale);
    for (size_t i = 0; i < STATE_BLOCK; ++i, ++numbers_compared)
        if (again[i] != codes[i])
            fail_msg("%s: code %u of scale %u became %u", names[which], codes[i], scale, again[i]);
}

static void numbers_that_have_a_code_are_kept(void **state)
{
    const rms_isa isa = isa_of_test(state);
    uint64_t random = 3;
    for (enum oracle_state which = ORACLE_SQUARES; which <= ORACLE_AVERAGES; ++which)
        for (unsigned scale = least_scale[which]; scale < largest_scale[which]; ++scale) {
            unsigned first, last;
            codes_that_choose(which, scale, &first, &last);
            for (unsigned largest = first; largest <= last; ++largest)
                keep_block(isa, which, scale, largest, &random);
        }
    report_comparisons(rms_isa_name(isa));
}

/* The block's largest number grows or shrinks: squares of 30 octaves are where they were, in the new scale's codes. */
static void a_new_scale_moves_no_square(void **state)
{
    const rms_isa isa = isa_of_test(state);
    const struct random_source source = {.key = 5, .step = 6};
    float numbers[STATE_BLOCK], kept[STATE_BLOCK];
    for (int octave = -95; octave <= 125; ++octave) {
        uint8_t codes[STATE_BLOCK], scale;
        for (size_t i = 1; i < STATE_BLOCK; ++i)
            numbers[i] = ldexpf(1 + (float)(i % 8) / 8, octave - (int)(i % 31));
        numbers[0] = ldexpf(1.75F, octave);
        codec_of(isa, ORACLE_SQUARES)->encode(STATE_BLOCK, numbers, codes, &scale, &source, 0);
        codec_of(isa, ORACLE_SQUARES)->decode(STATE_BLOCK, codes, &scale, kept);
        for (size_t i = 0; i < STATE_BLOCK; ++i, ++numbers_compared)
            assert_true(same_bits(numbers[i], kept[i]));
    }
    report_comparisons(rms_isa_name(isa));
}

/* However small: the least code stands for all that is below it. And zero is zero. */
static void only_zero_squares_become_zero(void **state)
{
    const rms_isa isa = isa_of_test(state);
    const struct random_source source = {.key = 7, .step = 8};
    for (int below = 0; below < 140; ++below) {
        float numbers[STATE_BLOCK], found[STATE_BLOCK];
        uint8_t codes[STATE_BLOCK], scale;
        for (size_t i = 0; i < STATE_BLOCK; ++i)
            numbers[i] = i % 3 == 2 ? 0.0F : ldexpf(1, i == 0 ? 0 : -below);
        codec_of(isa, ORACLE_SQUARES)->encode(STATE_BLOCK, numbers, codes, &scale, &source, 0);
        codec_of(isa, ORACLE_SQUARES)->decode(STATE_BLOCK, codes, &scale, found);
        const double floor_of_block = oracle_state_decode(ORACLE_SQUARES, 1, scale);
        for (size_t i = 0; i < STATE_BLOCK; ++i, ++numbers_compared) {
            assert_true((found[i] == 0.0F) == (numbers[i] == 0.0F));
            if (numbers[i] > 0.0F && (double)numbers[i] <= floor_of_block)
                assert_true((double)found[i] == floor_of_block);
        }
    }
    report_comparisons(rms_isa_name(isa));
}

/* ---- Right on average */

/* Over all random bits the mean is the number: exactly, for squares; for averages, the number as its sum with the
 * origin holds it, which is off by half a float's step there at most. */
static void over_all_random_bits_the_mean_is_the_number(void **state)
{
    (void)state;
    enum { TRIES = 40, ALL = 1 << 20 };
    uint64_t random = 9;
    for (size_t t = 0; t < effort(TRIES); ++t)
        for (enum oracle_state which = ORACLE_SQUARES; which <= ORACLE_AVERAGES; ++which) {
            const float largest = ldexpf(1 + random_float(&random) / 4, (int)random_below(&random, 200) - 90);
            const float number =
                fabsf(ldexpf(largest * (1 + random_float(&random) / 2), -(int)random_below(&random, 20)));
            const float both[] = {largest * 4, number};
            const uint8_t scale = oracle_state_scale(which, both, 2);
            const double origin = which == ORACLE_AVERAGES ? ldexp(1, scale - 127) : 0;
            const double expected = (double)(float)((double)number + origin) - origin;
            double sum = 0;
            for (uint32_t bits = 0; bits < ALL; bits += 1)
                sum += oracle_state_decode(which, oracle_state_encode(which, number, scale, bits), scale) / ALL;
            const double rounding = which == ORACLE_AVERAGES ? ldexp((double)number + origin, -24) : 0;
            assert_true(fabs(expected - (double)number) <= rounding);
            assert_true(sum == expected);
            ++numbers_compared;
        }
    report_comparisons("means");
}

/* What the library draws: the share that goes up, of many elements, by Bernstein's inequality; a false alarm has a
 * probability of 1e-12. Of the four elements that share a word each has a covariance of 2^-8 of a variance at most with
 * one other, which adds less than 3/256 to the variance of a sum. */
static double allowance(double n, double probability)
{
    const double logarithm = log(2 / 1e-12);
    const double variance = n * probability * (1 - probability) * (1 + 3.0 / 256);
    return logarithm / 3 + sqrt(logarithm * logarithm / 9 + 2 * variance * logarithm);
}

enum { DRAWN = 1 << 16 };
static uint8_t drawn[DRAWN];

/* Numbers between the codes 200 and 201 of squares' scale 100, or 100 and 101 of averages'; one number of each block
 * chooses the scale. */
static void draw(rms_isa isa, enum oracle_state which, double fraction, uint64_t step)
{
    static float numbers[DRAWN];
    static uint8_t scales[DRAWN / STATE_BLOCK];
    const struct random_source source = {.key = 11, .step = step};
    const uint8_t code = which == ORACLE_SQUARES ? 200 : 100;
    const double low = oracle_state_decode(which, code, 100);
    const double high = oracle_state_decode(which, code + 1, 100);
    for (size_t i = 0; i < DRAWN; ++i)
        numbers[i] = (float)(low + fraction * (high - low));
    for (size_t i = 0; i < DRAWN; i += STATE_BLOCK)
        numbers[i] = (float)oracle_state_decode(which, which == ORACLE_SQUARES ? 254 : 119, 100);
    codec_of(isa, which)->encode(DRAWN, numbers, drawn, scales, &source, 0);
    for (size_t i = 0; i < DRAWN; ++i) {
        assert_int_equal(scales[i / STATE_BLOCK], 100);
        assert_true(i % STATE_BLOCK == 0 || drawn[i] == code || drawn[i] == code + 1);
        drawn[i] = (uint8_t)(drawn[i] - code);
    }
}

static void the_odds_are_the_distances(void **state)
{
    static const double odds[] = {0x1p-13, 0x1p-10, 0x1p-6, 0.25, 0.5, 0.75, 1 - 0x1p-10};
    const rms_isa isa = isa_of_test(state);
    for (enum oracle_state which = ORACLE_SQUARES; which <= ORACLE_AVERAGES; ++which)
        for (size_t q = 0; q < COUNT_OF(odds); ++q) {
            const size_t rounds = effort(8);
            double up = 0, n = 0;
            for (size_t round = 0; round < rounds; ++round) {
                draw(isa, which, odds[q], round);
                for (size_t i = 0; i < DRAWN; ++i)
                    if (i % STATE_BLOCK != 0) {
                        up += drawn[i];
                        ++n;
                    }
            }
            if (fabs(up - n * odds[q]) > allowance(n, odds[q]))
                fail_msg("%s: %g of %g went up, expected %g", names[which], up, n, n * odds[q]);
            ++numbers_compared;
        }
    report_comparisons(rms_isa_name(isa));
}

/* Pairs of which both go up: as many as by chance. Elements that share a word may add 2^-8 of the variance. */
static void elements_are_rounded_independently(void **state)
{
    static const size_t distances[] = {1, 2, 3, 4, 8, 15, 16, 17, 32, 48, 63, 64, 65, 128, 512, 1024, 4096};
    static const double odds[] = {0.5, 0x1p-4};
    const rms_isa isa = isa_of_test(state);
    for (size_t q = 0; q < COUNT_OF(odds); ++q)
        for (size_t d = 0; d < COUNT_OF(distances); ++d) {
            double both = 0, n = 0;
            draw(isa, ORACLE_SQUARES, odds[q], 100 + q);
            for (size_t i = 0; i + distances[d] < DRAWN; ++i)
                if (i % STATE_BLOCK != 0 && (i + distances[d]) % STATE_BLOCK != 0) {
                    both += drawn[i] & drawn[i + distances[d]];
                    ++n;
                }
            const double expected = odds[q] * odds[q];
            if (fabs(both / n - expected) > allowance(n, expected) / n + odds[q] * (1 - odds[q]) / 256)
                fail_msg("at distance %zu %g of %g pairs went up together, expected %g", distances[d], both, n,
                         n * expected);
            ++numbers_compared;
        }
    report_comparisons(rms_isa_name(isa));
}

/* ---- State in 16 bits */

static void floats_become_bf16_of_state(void **state)
{
    enum { COUNT = 0x10000 };
    static float numbers[COUNT];
    static uint16_t codes[COUNT];
    const rms_isa isa = isa_of_test(state);
    uint64_t random = 12;
    for (size_t round = 0; round < 6; ++round) {
        const struct random_source source = {.key = random_bits(&random), .step = round};
        const uint64_t element = random_bits(&random) >> 12;
        const bool nearest = round == 5;
        for (size_t i = 0; i < COUNT; ++i)
            numbers[i] = float_of((uint32_t)i << 16 | (round == 0 ? 0 : random_word(&random) >> 16));
        codecs_of(isa)->encode_state(COUNT, numbers, codes, nearest ? NULL : &source, element);
        for (size_t i = 0; i < COUNT; ++i, ++numbers_compared) {
            const uint16_t bits = nearest ? 0x8000 : oracle_random(source.key, source.step, element + i);
            const uint16_t expected = oracle_encode_state(numbers[i], bits);
            if (codes[i] != expected && !(isnan(numbers[i]) && oracle_is_nan(RMS_BF16, codes[i])))
                fail_msg("%a became 0x%04x instead of 0x%04x", (double)numbers[i], codes[i], expected);
            if (round == 0 && !isnan(numbers[i]))
                assert_int_equal(codes[i], i);
        }
    }
    report_comparisons(rms_isa_name(isa));
}

static void every_length_of_16_bits_matches_the_oracle(void **state)
{
    enum { SHORT = 200, LONG = 1100 };
    const rms_isa isa = isa_of_test(state);
    uint64_t random = 13;
    for (size_t n = 1; n <= SHORT + effort(100); ++n) {
        const size_t count = n <= SHORT ? n : 1 + random_below(&random, LONG);
        const struct random_source source = {.key = random_bits(&random), .step = n};
        const uint64_t element = random_bits(&random) >> 12;
        struct guarded from = guarded_create(count * sizeof(float), random_below(&random, 17) * sizeof(float));
        struct guarded to = guarded_create(count * sizeof(uint16_t), random_below(&random, 33) * sizeof(uint16_t));
        const float *const numbers = from.data;
        const uint16_t *const codes = to.data;
        fill(ORACLE_AVERAGES, from.data, count, &random);
        codecs_of(isa)->encode_state(count, from.data, to.data, &source, element);
        for (size_t i = 0; i < count; ++i, ++numbers_compared)
            if (!isnan(numbers[i]))
                assert_int_equal(codes[i],
                                 oracle_encode_state(numbers[i], oracle_random(source.key, source.step, element + i)));
        assert_true(guarded_breach(&from) == PTRDIFF_MAX && guarded_breach(&to) == PTRDIFF_MAX);
        guarded_destroy(&from);
        guarded_destroy(&to);
    }
    report_comparisons(rms_isa_name(isa));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PER_ISA(every_code_of_every_scale_becomes_its_number),
        PER_ISA(every_length_place_and_source_match_the_oracle),
        PER_ISA(every_upper_half_finds_its_scale),
        PER_ISA(numbers_that_have_a_code_are_kept),
        PER_ISA(a_new_scale_moves_no_square),
        PER_ISA(only_zero_squares_become_zero),
        cmocka_unit_test(over_all_random_bits_the_mean_is_the_number),
        PER_ISA(the_odds_are_the_distances),
        PER_ISA(elements_are_rounded_independently),
        PER_ISA(floats_become_bf16_of_state),
        PER_ISA(every_length_of_16_bits_matches_the_oracle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
