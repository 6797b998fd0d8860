/* Philox-4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011): a function from
 * a counter and a key to random bits, so that any element's bits can be had in any order, on any thread. */
#ifndef KERNELS_PHILOX_H
#define KERNELS_PHILOX_H

#include <stdint.h>

enum { PHILOX_WORDS = 4, PHILOX_ROUNDS = 10 };

struct philox_key {
    uint32_t word[2];
};

static inline void philox_round(uint32_t word[PHILOX_WORDS], struct philox_key key)
{
    const uint64_t product0 = UINT64_C(0xD2511F53) * word[0];
    const uint64_t product2 = UINT64_C(0xCD9E8D57) * word[2];
    word[0] = (uint32_t)(product2 >> 32) ^ word[1] ^ key.word[0];
    word[1] = (uint32_t)product2;
    word[2] = (uint32_t)(product0 >> 32) ^ word[3] ^ key.word[1];
    word[3] = (uint32_t)product0;
}

/* The next round's key. */
static inline struct philox_key philox_advance(struct philox_key key)
{
    return (struct philox_key){{key.word[0] + UINT32_C(0x9E3779B9), key.word[1] + UINT32_C(0xBB67AE85)}};
}

#endif
