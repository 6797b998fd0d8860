/* One number of a 16-bit format to float and back, on its bits: integer operations, but for the additions and the
 * conversion by which f16 rounds its subnormals along with the rest. No branches and no tables, so that the loops
 * around it become vectors. Sizes are signed, because SSE2 compares no other integers.
 *
 * Decoding is exact and keeps a NaN's bits. Encoding keeps a NaN's sign and the upper bits of its payload, and
 * makes it quiet. */
#ifndef KERNELS_CODEC_H
#define KERNELS_CODEC_H

#include <stdint.h>
#include <string.h>

/* The bits of a power of two. */
#define FLOAT_POWER(exponent) (((exponent) + 127) * (1 << 23))

enum {
    FLOAT_INFINITY = 0x7f800000,
    FLOAT_QUIET = 0x00400000,
    BF16_LARGEST = 0x7f7f,
    F16_INFINITY = 0x7c00,
    F16_LARGEST = 0x7bff,
    F16_QUIET = 0x0200,
    F16_EXPONENT_SHIFT = 112 * (1 << 23), /* between the exponent fields of a float and of an f16 that was widened */
    F16_LEAST = FLOAT_POWER(-14),         /* the smallest normal f16, as a float */
    F16_TOO_LARGE = FLOAT_POWER(16)
};

static inline uint32_t codec_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float codec_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The bits without the sign: they are ordered like the numbers. */
static inline int32_t codec_size(uint32_t bits)
{
    return (int32_t)(bits & 0x7fffffff);
}

static inline float codec_number(int32_t size)
{
    return codec_float((uint32_t)size);
}

static inline uint16_t codec_signed(uint32_t bits, int32_t size)
{
    return (uint16_t)((bits >> 16 & 0x8000) | (uint32_t)size);
}

/* ---- bf16: the upper half of a float. */

static inline float bf16_decode(uint16_t from)
{
    return codec_float((uint32_t)from << 16);
}

static inline uint16_t bf16_nan(uint32_t bits)
{
    return (uint16_t)((bits | FLOAT_QUIET) >> 16);
}

static inline uint16_t bf16_encode(float from)
{
    const uint32_t bits = codec_bits(from);
    const uint32_t nearest = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return codec_size(bits) > FLOAT_INFINITY ? bf16_nan(bits) : (uint16_t)nearest;
}

/* Away from zero with the probability that the lower half is of 2^16, exactly. Finite numbers stop at the largest. */
static inline uint16_t bf16_encode_at_random(float from, uint16_t random)
{
    const uint32_t bits = codec_bits(from);
    const int32_t size = codec_size(bits);
    const int32_t rounded = (int32_t)(((uint32_t)size + random) >> 16);
    const int32_t largest = size < FLOAT_INFINITY ? BF16_LARGEST : FLOAT_INFINITY >> 16;
    const uint16_t number = codec_signed(bits, rounded < largest ? rounded : largest);
    return size > FLOAT_INFINITY ? bf16_nan(bits) : number;
}

/* ---- A float as the nearest bf16 and a remainder of 16 bits: its distance from the bf16, counted in floats.
 *
 * A tie goes away from zero here. To even, as elsewhere, would lose bits: an even bf16 is the nearest of the 2^16 - 1
 * floats around it and of the ties on both sides, 2^16 + 1 in all, and 16 bits cannot tell them apart. Away from
 * zero the distance lies in -2^15 to 2^15 - 1, for every number, across exponents and up to infinity; and modulo
 * 2^16 it is simply the float's lower half. A NaN is cut instead, so that it does not become infinite or zero. */

static inline uint16_t bf16_split(float from)
{
    const uint32_t bits = codec_bits(from);
    return codec_size(bits) > FLOAT_INFINITY ? bf16_nan(bits) : (uint16_t)((bits + 0x8000) >> 16);
}

static inline uint16_t bf16_remainder(float from)
{
    return (uint16_t)codec_bits(from);
}

/* No split leaves a zero with a negative remainder. But a caller may write a zero over a parameter, and the old
 * remainder must not make a NaN of it. */
static inline float bf16_join(uint16_t bf16, uint16_t remainder)
{
    const uint32_t sign = (uint32_t)(bf16 & 0x8000) << 16;
    const int32_t size = (bf16 & 0x7fff) << 16;
    const int32_t joined = size + (remainder ^ 0x8000) - 0x8000;
    const int32_t number = joined < 0 ? 0 : joined;
    return codec_float(sign | (uint32_t)(size > FLOAT_INFINITY ? size | remainder : number));
}

/* ---- f16: 5 bits of exponent, 10 of mantissa. Normal numbers are those from 2^-14 on; below, the distance between
 * neighbours stays 2^-24. */

/* A subnormal number's mantissa is put under the leading 1 of 2^-14, which then is subtracted. */
static inline float f16_decode(uint16_t from)
{
    const uint32_t sign = (uint32_t)(from & 0x8000) << 16;
    const int32_t widened = (from & 0x7fff) << 13;
    const float subnormal = codec_number(widened + F16_LEAST) - 0x1p-14F;
    const int32_t finite = widened < 1 << 23 ? (int32_t)codec_bits(subnormal) : widened + F16_EXPONENT_SHIFT;
    const int32_t size = widened < F16_INFINITY << 13 ? finite : widened | FLOAT_INFINITY;
    return codec_float(sign | (uint32_t)size);
}

static inline int32_t f16_nan(int32_t size)
{
    return F16_INFINITY | F16_QUIET | (size & 0x7fffff) >> 13;
}

/* Beside the number anchor, which is 2^13 times its power of two, floats are as far apart as f16 is beside the number
 * itself, so that the addition rounds as asked, and the low bits of the sum count steps of f16 from zero. For a
 * normal number they include its leading 1, hence the exponent less 1. A carry into the exponent is right, up to
 * infinity. */
static inline uint16_t f16_encode(float from)
{
    const uint32_t bits = codec_bits(from);
    const int32_t size = codec_size(bits);
    const int32_t power = size & FLOAT_INFINITY;
    const int32_t least = power > F16_LEAST ? power : F16_LEAST;
    const int32_t scale = least < F16_TOO_LARGE ? least : F16_TOO_LARGE;
    const int32_t anchor = scale + 13 * (1 << 23);
    const int32_t steps = (int32_t)codec_bits(codec_number(size) + codec_number(anchor)) - anchor;
    const int32_t finite = ((scale - F16_LEAST) >> 13) + steps;
    const int32_t number = size < F16_TOO_LARGE ? finite : F16_INFINITY;
    return codec_signed(bits, size > FLOAT_INFINITY ? f16_nan(size) : number);
}

/* The number as steps of f16, in units of 2^-16 of a step: exact where f16 is normal, cut to whole units where it is
 * subnormal. So the probability to go away from zero is right for a normal result, and for a subnormal one
 * short of right by less than 2^-16, that is, by less than 2^-40 of parameter on average. */
static inline uint16_t f16_encode_at_random(float from, uint16_t random)
{
    const uint32_t bits = codec_bits(from);
    const int32_t size = codec_size(bits);
    const float small = size < F16_LEAST ? codec_number(size) : 0.0F;
    const uint32_t normal = (uint32_t)(size - F16_EXPONENT_SHIFT) << 3;
    const uint32_t units = size < F16_LEAST ? (uint32_t)(int32_t)(small * 0x1p40F) : normal;
    const int32_t rounded = (int32_t)((units + random) >> 16);
    const int32_t largest = size < FLOAT_INFINITY ? F16_LARGEST : F16_INFINITY;
    const int32_t in_range = size < F16_TOO_LARGE ? rounded : largest;
    const int32_t number = in_range < largest ? in_range : largest;
    return codec_signed(bits, size > FLOAT_INFINITY ? f16_nan(size) : number);
}

#endif
