/* 16-bit and 8-bit formats and random bits, one number at a time. */
#include "oracle_codec.h"

#include <math.h>
#include <string.h>

/* How many bits a number has, and the exponent of the smallest normal one. */
struct format {
    int precision;
    int least;
};

static struct format format_of(rms_dtype dtype)
{
    return dtype == RMS_F16 ? (struct format){.precision = 11, .least = -14}
                            : (struct format){.precision = 8, .least = -126};
}

/* Numbers of one exponent: all but the leading bit are free. */
static int numbers_per_power(struct format format)
{
    return (int)ldexp(1.0, format.precision - 1);
}

uint16_t oracle_infinity(rms_dtype dtype)
{
    return (uint16_t)(0x8000 - numbers_per_power(format_of(dtype)));
}

bool oracle_is_nan(rms_dtype dtype, uint16_t code)
{
    return code % 0x8000 > oracle_infinity(dtype);
}

static double number_at(struct format format, int code)
{
    const int numbers = numbers_per_power(format);
    const int power = code / numbers;
    const double step = ldexp(1.0, format.least - (format.precision - 1));
    return power == 0 ? code * step : ldexp((numbers + code % numbers) * step, power - 1);
}

double oracle_after_largest(rms_dtype dtype)
{
    return number_at(format_of(dtype), oracle_infinity(dtype));
}

double oracle_decode(rms_dtype dtype, uint16_t code)
{
    const int size = code % 0x8000;
    double number = number_at(format_of(dtype), size);
    if (size == oracle_infinity(dtype))
        number = HUGE_VAL;
    else if (size > oracle_infinity(dtype))
        number = (double)NAN;
    return code >= 0x8000 ? -number : number;
}

/* The exponent of the distance between the neighbours of a number. */
static int step_at(struct format format, double size)
{
    int exponent;
    frexp(size, &exponent); /* size is between 1/2 and 1 of this power, or 0 */
    const int power = size > 0 && exponent - 1 > format.least ? exponent - 1 : format.least;
    return power - (format.precision - 1);
}

/* The code of a multiple of the step: each power of two above the least adds its numbers, the leading bit of a
 * normal number is among the steps already. */
static int code_at(struct format format, double steps, int step)
{
    const int powers = step - (format.least - (format.precision - 1));
    return powers * numbers_per_power(format) + (int)steps;
}

static uint16_t with_sign(float from, int code)
{
    return (uint16_t)(signbit(from) ? 0x8000 + code : code);
}

static uint16_t some_nan(rms_dtype dtype, float from)
{
    return with_sign(from, oracle_infinity(dtype) + 1);
}

/* What is rounded, in steps, by a way to round. */
static uint16_t encode(rms_dtype dtype, float from, double round_steps(double), int too_large)
{
    const struct format format = format_of(dtype);
    if (isnan(from))
        return some_nan(dtype, from);
    if (isinf(from))
        return with_sign(from, oracle_infinity(dtype));
    const double size = fabs((double)from);
    const int step = step_at(format, size);
    const double steps = round_steps(ldexp(size, -step));
    if (ldexp(steps, step) >= oracle_after_largest(dtype))
        return with_sign(from, too_large);
    return with_sign(from, code_at(format, steps, step));
}

uint16_t oracle_encode(rms_dtype dtype, float from)
{
    return encode(dtype, from, nearbyint, oracle_infinity(dtype));
}

uint16_t oracle_encode_at_random(rms_dtype dtype, float from, uint16_t random)
{
    const struct format format = format_of(dtype);
    const int largest = oracle_infinity(dtype) - 1;
    const uint16_t toward_zero = encode(dtype, from, floor, largest);
    const uint16_t away = encode(dtype, from, ceil, largest);
    if (!isfinite(from) || toward_zero == away)
        return toward_zero;
    const double size = fabs((double)from);
    const double steps = ldexp(size, -step_at(format, size));
    return floor((steps - floor(steps)) * 0x1p16) + random >= 0x1p16 ? away : toward_zero;
}

/* Place of a float among the floats of its sign, 0 first. */
static int64_t place(float from)
{
    uint32_t bits;
    memcpy(&bits, &from, sizeof bits);
    return bits % UINT32_C(0x80000000);
}

uint16_t oracle_split(float from, uint16_t *remainder)
{
    const uint16_t code = encode(RMS_BF16, from, round, oracle_infinity(RMS_BF16));
    *remainder = (uint16_t)(place(from) - place((float)oracle_decode(RMS_BF16, code)));
    return code;
}

float oracle_join(uint16_t bf16, uint16_t remainder)
{
    const float nearest = (float)oracle_decode(RMS_BF16, bf16);
    const int64_t distance = remainder < 0x8000 ? remainder : (int64_t)remainder - 0x10000;
    const int64_t at = place(nearest) + distance;
    const uint32_t bits = (uint32_t)(at < 0 ? 0 : at);
    float size;
    memcpy(&size, &bits, sizeof size);
    return isnan(nearest) ? nearest : copysignf(size, nearest);
}

uint16_t oracle_encode_state(float from, uint16_t random)
{
    const uint16_t code = oracle_encode_at_random(RMS_BF16, from, random);
    return from != 0 && code % 0x8000 == 0 ? with_sign(from, 1) : code;
}

/* ---- State in 8 bits */

/* Four bits of precision, an exponent as float's: these are the numbers whose places are counted. */
static const struct format coarse = {.precision = 4, .least = -126};
enum { COARSE_INFINITY = 0x7f8, COARSE_NAN = 0x7fc, AVERAGES_OCTAVES = 14 };

/* The place of the largest number that is not above a positive float, and what is left, in units of 2^-20 of the way to
 * the next. A float has no more bits than that. */
static int place_below(double size, double *units)
{
    const int step = step_at(coarse, size);
    const double steps = ldexp(size, -step);
    *units = ldexp(steps - floor(steps), 20);
    return code_at(coarse, floor(steps), step);
}

static double origin_of(uint8_t scale)
{
    return scale == 0 ? 0 : ldexp(1.0, scale - 127);
}

uint8_t oracle_state_scale(enum oracle_state state, const float *from, size_t count)
{
    double largest = 0;
    bool is_finite = true;
    for (size_t i = 0; i < count; ++i) {
        is_finite = is_finite && isfinite(from[i]);
        largest = fmax(largest, fabs((double)from[i]));
    }
    if (!is_finite)
        return state == ORACLE_SQUARES ? 224 : 240;
    if (state == ORACLE_SQUARES) {
        double units;
        int upper = place_below(largest, &units);
        int scale = 0;
        if (units > 0 && upper < COARSE_INFINITY - 1)
            ++upper;
        while (upper - 8 * scale > 255)
            ++scale;
        return (uint8_t)scale;
    }
    int exponent = -126;
    while (exponent < 127 && ldexp(1.0, exponent + 1) <= largest)
        ++exponent;
    const int scale = exponent + 127 - AVERAGES_OCTAVES;
    return (uint8_t)(scale < 1 ? 1 : scale);
}

/* Where the number is for squares; for averages, where the sum with the origin is, as float rounds it: in double the
 * sum is exact, or far from the middle of two floats. */
uint8_t oracle_state_encode(enum oracle_state state, float from, uint8_t scale, uint32_t random)
{
    const bool is_square = state == ORACLE_SQUARES;
    const double size = fabs((double)from);
    const int sign = !is_square && signbit(from) ? 0x80 : 0;
    if (!isfinite(from))
        return (uint8_t)(sign + (isnan(from) ? COARSE_NAN : COARSE_INFINITY) - 8 * scale);
    double units;
    int place = place_below(is_square ? size : (double)(float)(size + origin_of(scale)), &units);
    if (isinf((float)(size + origin_of(scale))) && !is_square)
        place = COARSE_INFINITY;
    else if (units + random >= 0x1p20)
        ++place;
    if (place >= COARSE_INFINITY)
        place = COARSE_INFINITY - 1;
    const int code = place - 8 * scale;
    return (uint8_t)(is_square && code < 1 ? from != 0 : sign + code);
}

double oracle_state_decode(enum oracle_state state, uint8_t code, uint8_t scale)
{
    const uint8_t largest = state == ORACLE_SQUARES ? 224 : 240;
    const uint8_t known = scale < largest ? scale : largest;
    const int place = (state == ORACLE_SQUARES ? code : code % 0x80) + 8 * known;
    double number = number_at(coarse, place);
    if (state == ORACLE_SQUARES && code == 0)
        number = 0;
    else if (place == COARSE_INFINITY)
        number = HUGE_VAL;
    else if (place > COARSE_INFINITY)
        number = (double)NAN;
    else if (state == ORACLE_AVERAGES)
        number -= origin_of(known);
    return state == ORACLE_AVERAGES && code >= 0x80 ? -number : number;
}

/* ---- Random bits */

uint64_t oracle_key(int seed, const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; name[i] != '\0'; ++i) {
        hash ^= (unsigned char)name[i];
        hash *= UINT64_C(1099511628211);
    }
    const uint64_t folded = hash / 0x100000000 ^ hash % 0x100000000;
    return folded * 0x100000000 + (uint64_t)seed;
}

static void multiply(uint32_t a, uint32_t b, uint32_t *high, uint32_t *low)
{
    const uint64_t product = (uint64_t)a * b;
    *high = (uint32_t)(product / 0x100000000);
    *low = (uint32_t)(product % 0x100000000);
}

/* Section 3.3 of the paper; the multipliers and the key's increments are those of its table. */
void oracle_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t output[4])
{
    uint32_t left[2] = {counter[0], counter[2]};
    uint32_t right[2] = {counter[1], counter[3]};
    for (uint32_t round = 0; round < 7; ++round) {
        uint32_t high[2], low[2];
        multiply(0xD2511F53, left[0], &high[0], &low[0]);
        multiply(0xCD9E8D57, left[1], &high[1], &low[1]);
        left[0] = high[1] ^ right[0] ^ (key[0] + round * 0x9E3779B9);
        left[1] = high[0] ^ right[1] ^ (key[1] + round * 0xBB67AE85);
        right[0] = low[1];
        right[1] = low[0];
    }
    output[0] = left[0];
    output[1] = right[0];
    output[2] = left[1];
    output[3] = right[1];
}

/* Groups of 128 elements take 8 counters: the first half their words 1 and 0, the second half 3 and 2. Each row of 16
 * elements after a half's first turns the words by 8 bits more. */
uint32_t oracle_random_word(uint64_t key, uint64_t step, uint64_t element)
{
    static const unsigned words[2][2] = {{1, 0}, {3, 2}};
    const uint64_t number = element / 128 * 8 + element % 16 / 2;
    const uint32_t counter[4] = {(uint32_t)number, (uint32_t)(number >> 32), (uint32_t)step, (uint32_t)(step >> 32)};
    const uint32_t halves[2] = {(uint32_t)key, (uint32_t)(key >> 32)};
    uint32_t output[4];
    oracle_philox(counter, halves, output);
    uint32_t word = output[words[element / 64 % 2][element % 2]];
    for (uint64_t bit = 0; bit < element % 64 / 16 * 8; ++bit)
        word = word * 2 + word / 0x80000000;
    return word;
}

uint16_t oracle_random(uint64_t key, uint64_t step, uint64_t element)
{
    return (uint16_t)(oracle_random_word(key, step, element) % 0x10000);
}

uint32_t oracle_random_20(uint64_t key, uint64_t step, uint64_t element)
{
    return oracle_random_word(key, step, element) % 0x100000;
}
