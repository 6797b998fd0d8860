/* Random numbers by counter: each is a function of (seed, stream, index) and nothing else, so that runs in
 * any order, on any number of threads, draw the same ones. */
#ifndef LAB_RANDOM_H
#define LAB_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Philox4x32-10: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */
void lab_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t output[4]);

/* 64 uniform bits. Different (seed, stream, index) are different inputs of the cipher: key and counter. */
uint64_t lab_random_bits(uint64_t seed, uint64_t stream, uint64_t index);

/* Uniform on the multiples of 2^-53 in [0, 1). */
double lab_random_uniform(uint64_t seed, uint64_t stream, uint64_t index);

/* A whole number in [0, bound), 0 < bound <= 2^32; each is met with 1 / bound up to 2^-64. */
uint64_t lab_random_below(uint64_t seed, uint64_t stream, uint64_t index, uint64_t bound);

/* Fills order with a permutation of 0 .. count - 1, count < 2^32, after Fisher and Yates. */
void lab_random_permutation(uint64_t seed, uint64_t stream, uint32_t *order, size_t count);

#endif
