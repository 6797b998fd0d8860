/* The 16-bit formats and those of 8-bit state once more, from their definitions (IEEE 754-2019, 3.4; bf16 is binary32 with 8 bits of precision):
 * a number is a whole multiple of a step, and rounding chooses the multiple, in double, which holds all of it exactly.
 * And once more the random bits. No code is shared with the library. */
#ifndef TESTS_ORACLE_CODEC_H
#define TESTS_ORACLE_CODEC_H

#include <rmsprop.h>

/* Codes of positive numbers run from 0 to this, which is infinity. */
uint16_t oracle_infinity(rms_dtype dtype);
bool oracle_is_nan(rms_dtype dtype, uint16_t code);

/* The number, or NaN. Infinity's place is also known as the number that would follow the largest. */
double oracle_decode(rms_dtype dtype, uint16_t code);
double oracle_after_largest(rms_dtype dtype);

/* Nearest, ties to even, too large is infinite. A NaN becomes some NaN of the same sign. */
uint16_t oracle_encode(rms_dtype dtype, float from);

/* Away from zero if the fraction of a step that is lost, in units of 2^-16 and cut to whole ones, and random are
 * together at least a step. Finite numbers stop at the largest. */
uint16_t oracle_encode_at_random(rms_dtype dtype, float from, uint16_t random);

/* A float as the nearest bf16, ties away from zero, and how many floats farther from zero it is, modulo 2^16. For NaN
 * only the sign and that it is one count. */
uint16_t oracle_split(float from, uint16_t *remainder);
float oracle_join(uint16_t bf16, uint16_t remainder);

/* State in 16 bits: as oracle_encode_at_random for bf16, but for a number that is not 0 the result is not 0 either. */
uint16_t oracle_encode_state(float from, uint16_t random);

/* State in 8 bits, a block at a time: codes are places among the floats of 4 bits of precision, counted from an origin
 * that the block's largest number decides. random is of 20 bits each; 2^19 rounds to nearest, ties away from zero. */
enum { ORACLE_BLOCK = 64 };
enum oracle_state { ORACLE_SQUARES, ORACLE_AVERAGES };
uint8_t oracle_state_scale(enum oracle_state state, const float *from, size_t count);
uint8_t oracle_state_encode(enum oracle_state state, float from, uint8_t scale, uint32_t random);
double oracle_state_decode(enum oracle_state state, uint8_t code, uint8_t scale);

/* The random word of an element at a step of a tensor, and the 16 and the 20 bits that codecs take of it. */
uint64_t oracle_key(int seed, const char *name);
uint32_t oracle_random_word(uint64_t key, uint64_t step, uint64_t element);
uint16_t oracle_random(uint64_t key, uint64_t step, uint64_t element);
uint32_t oracle_random_20(uint64_t key, uint64_t step, uint64_t element);
void oracle_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t output[4]);

#endif
