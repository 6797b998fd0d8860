/* The optimizer's state in 8 bits, a block of STATE_BLOCK numbers at a time: a code for each, and a scale for all. A
 * code counts steps of which there are eight to an octave, from an origin that the scale gives, so that codes are
 * the upper bits of a float, less the origin. docs/numerics.md defines them.
 *
 * Rounding adds random bits to those that do not fit and cuts the sum. Twenty bits do not fit, and as many random ones
 * are added, so that the mean is the number itself. */
#ifndef KERNELS_STATE_CODEC_H
#define KERNELS_STATE_CODEC_H

#include "kernels/codec.h"

enum {
    STATE_SHIFT = 20, /* bits of a float that are below a code */
    STATE_MASK = (1 << STATE_SHIFT) - 1,
    STATE_OCTAVE = 8,           /* codes to a power of two */
    STATE_SPECIAL = 0x7f000000, /* from this size on a block may reach infinity */
    STATE_INFINITY = FLOAT_INFINITY >> STATE_SHIFT,
    SQUARES_SCALE_LARGEST = (STATE_INFINITY - 248) / STATE_OCTAVE, /* infinity is the code 248 */
    AVERAGES_SIGN = 0x80,
    AVERAGES_OCTAVES = 14,                          /* with steps of their own, below the largest number's */
    AVERAGES_SCALE_LARGEST = 254 - AVERAGES_OCTAVES /* infinity is the code 120 */
};

/* The least with which the block's largest size has a code, whatever the random bits. */
static inline int32_t squares_scale(int32_t largest)
{
    const int32_t beyond = (int32_t)(((uint32_t)largest + STATE_MASK) >> STATE_SHIFT) - 248;
    const int32_t scale = beyond < 0 ? 0 : beyond / STATE_OCTAVE;
    const int32_t finite = scale < SQUARES_SCALE_LARGEST - 1 ? scale : SQUARES_SCALE_LARGEST - 1;
    return largest < FLOAT_INFINITY ? finite : SQUARES_SCALE_LARGEST;
}

static inline int32_t averages_scale(int32_t largest)
{
    const int32_t scale = (largest >> 23) - AVERAGES_OCTAVES;
    const int32_t least = scale < 1 ? 1 : scale;
    return least < AVERAGES_SCALE_LARGEST ? least : AVERAGES_SCALE_LARGEST;
}

/* A file may hold any scale. */
static inline int32_t squares_known_scale(uint8_t scale)
{
    return scale < SQUARES_SCALE_LARGEST ? scale : SQUARES_SCALE_LARGEST;
}

static inline int32_t averages_known_scale(uint8_t scale)
{
    return scale < AVERAGES_SCALE_LARGEST ? scale : AVERAGES_SCALE_LARGEST;
}

static inline float squares_decode(uint8_t code, uint8_t scale)
{
    return codec_number(code == 0 ? 0 : (code + STATE_OCTAVE * squares_known_scale(scale)) << STATE_SHIFT);
}

static inline float averages_decode(uint8_t code, uint8_t scale)
{
    const int32_t origin = averages_known_scale(scale) << 23;
    const float size = codec_number(((code & 0x7f) << STATE_SHIFT) + origin) - codec_number(origin);
    return codec_float((uint32_t)(code & AVERAGES_SIGN) << 24 | codec_bits(size));
}

/* Finite numbers never reach infinity's code; what rounds to 0 without being it gets the least code. */
static inline uint8_t squares_encode(float from, int32_t scale, int32_t random)
{
    const int32_t size = codec_size(codec_bits(from));
    const int32_t origin = STATE_OCTAVE * scale;
    const int32_t rounded = (int32_t)(((uint32_t)size + (uint32_t)random) >> STATE_SHIFT);
    const int32_t largest = scale == SQUARES_SCALE_LARGEST ? STATE_INFINITY - 1 - origin : 255;
    const int32_t code = rounded - origin;
    const int32_t finite = code < 1 ? size > 0 : code < largest ? code : largest;
    const int32_t infinite = STATE_INFINITY - origin + (size > FLOAT_INFINITY ? STATE_OCTAVE / 2 : 0);
    return (uint8_t)(size < FLOAT_INFINITY ? finite : infinite);
}

static inline uint8_t averages_encode(float from, int32_t scale, int32_t random)
{
    const uint32_t bits = codec_bits(from);
    const int32_t size = codec_size(bits);
    const int32_t origin = scale << 23;
    const int32_t above = (int32_t)codec_bits(codec_number(size) + codec_number(origin)) - origin;
    const int32_t code = (above + random) >> STATE_SHIFT;
    const int32_t infinite = STATE_INFINITY - STATE_OCTAVE * scale;
    const int32_t finite = code < infinite ? code : infinite - 1;
    const int32_t nan = infinite + STATE_OCTAVE / 2;
    const int32_t number = size < FLOAT_INFINITY ? finite : size == FLOAT_INFINITY ? infinite : nan;
    return (uint8_t)((bits >> 24 & AVERAGES_SIGN) | (uint32_t)number);
}

/* bf16 for state: what is not 0 does not become 0. */
static inline uint16_t state_encode_at_random(float from, uint16_t random)
{
    const uint16_t code = bf16_encode_at_random(from, random);
    return (uint16_t)(code | ((code & 0x7fff) == 0 && codec_size(codec_bits(from)) > 0));
}

#endif
