/* Philox-4x32-7 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011): a function from
 * a counter and a key to random bits, so that any element's bits can be had in any order, on any thread. Seven rounds
 * are the fewest that pass BigCrush, as the paper's table 2 says.
 *
 * An element takes the lower bits of a word of 32. Four elements of a block share a word, each turning it by eight
 * bits more than the last: the bits of each are as random as those of a word of its own, and the covariance of what two
 * of them are rounded to is 2^-8 of a variance at most. docs/numerics.md says which element takes which word. */
#ifndef KERNELS_PHILOX_H
#define KERNELS_PHILOX_H

#include "kernels/vector.h"

#include <stddef.h>

enum {
    PHILOX_ROUNDS = 7,
    RANDOM_BLOCK = 64,                                       /* elements */
    RANDOM_ROW = 16,                                         /* of them, each with a word; the next row turns these */
    RANDOM_GROUP = 512,                                      /* elements whose words are made at a time */
    RANDOM_WORDS = RANDOM_GROUP / RANDOM_BLOCK * RANDOM_ROW, /* of a group */
    VECTOR_COUNTERS = VECTOR_BYTES / 8,                      /* a word in the lower half of each 64 bits */
    VECTOR_WORDS = VECTOR_BYTES / 4,
    GROUP_VECTORS = RANDOM_WORDS / 4 / VECTOR_COUNTERS,
    ROW_VECTORS = RANDOM_ROW / VECTOR_WORDS,
    VECTORS_AT_ONCE = VECTOR_BYTES == 64 ? 4 : 2, /* a product is long on its way; and registers are few */
};

/* One word of each counter. Upper halves hold what the last operation has left there; products ignore them. */
struct philox_state {
    vector_u64 word[4];
};

static inline struct philox_state philox_start(uint64_t step, uint64_t counter)
{
    static const uint64_t first[] = {0, 1, 2, 3, 4, 5, 6, 7};
    struct philox_state state;
    memcpy(&state.word[0], first, sizeof state.word[0]);
    state.word[0] += counter;
    state.word[1] = state.word[0] >> 32;
    state.word[2] = state.word[0] * 0 + step;
    state.word[3] = state.word[2] >> 32;
    return state;
}

#define PHILOX_MULTIPLIER0 UINT32_C(0xD2511F53)
#define PHILOX_MULTIPLIER2 UINT32_C(0xCD9E8D57)

static inline struct philox_state philox_round(struct philox_state state, uint64_t key0, uint64_t key1)
{
    const vector_u64 product0 = vector_product(state.word[0], PHILOX_MULTIPLIER0);
    const vector_u64 product2 = vector_product(state.word[2], PHILOX_MULTIPLIER2);
    return (struct philox_state){{
        product2 >> 32 ^ state.word[1] ^ key0,
        product2,
        product0 >> 32 ^ state.word[3] ^ key1,
        product0,
    }};
}

/* Half of the last round: the new word beside the lower half of the product, which is the word after it. */
static inline void philox_store(vector_u64 product, vector_u64 word, uint64_t key, uint32_t *to)
{
    const vector_u64 pair = product ^ (word ^ key) << 32;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    const vector_u64 in_order = pair << 32 | pair >> 32;
#else
    const vector_u64 in_order = pair;
#endif
    memcpy(to, &in_order, sizeof in_order);
}

static inline void philox_last_round(struct philox_state state, uint64_t key0, uint64_t key1, uint32_t *to)
{
    philox_store(vector_product(state.word[2], PHILOX_MULTIPLIER2), state.word[1], key0, to);
    philox_store(vector_product(state.word[0], PHILOX_MULTIPLIER0), state.word[3], key1, to + RANDOM_ROW);
}

/* The words of a group, whose first element is number element. */
static inline void philox_words(uint64_t key, uint64_t step, uint64_t element, uint32_t word[RANDOM_WORDS])
{
    const uint64_t counter = element / 16;
    for (size_t vector = 0; vector < GROUP_VECTORS; vector += VECTORS_AT_ONCE) {
        struct philox_state state[VECTORS_AT_ONCE];
        for (size_t i = 0; i < VECTORS_AT_ONCE; ++i)
            state[i] = philox_start(step, counter + (vector + i) * VECTOR_COUNTERS);
        uint32_t key0 = (uint32_t)key;
        uint32_t key1 = (uint32_t)(key >> 32);
        for (size_t round = 1; round < PHILOX_ROUNDS; ++round) {
            for (size_t i = 0; i < VECTORS_AT_ONCE; ++i)
                state[i] = philox_round(state[i], key0, key1);
            key0 += UINT32_C(0x9E3779B9);
            key1 += UINT32_C(0xBB67AE85);
        }
        for (size_t i = 0; i < VECTORS_AT_ONCE; ++i) {
            const size_t rows = (vector + i) / ROW_VECTORS * 2;
            const size_t within = (vector + i) % ROW_VECTORS * VECTOR_WORDS;
            philox_last_round(state[i], key0, key1, word + rows * RANDOM_ROW + within);
        }
    }
}

/* The random bits of all elements of a block from its row of words; so many bits are 1 in mask. */
static inline void philox_bits(const uint32_t word[RANDOM_ROW], uint32_t mask, uint32_t bits[RANDOM_BLOCK])
{
    for (size_t i = 0; i < RANDOM_ROW; ++i) {
        bits[i] = word[i] & mask;
        bits[RANDOM_ROW + i] = (word[i] << 8 | word[i] >> 24) & mask;
        bits[(size_t)2 * RANDOM_ROW + i] = (word[i] << 16 | word[i] >> 16) & mask;
        bits[(size_t)3 * RANDOM_ROW + i] = (word[i] << 24 | word[i] >> 8) & mask;
    }
}

#endif
