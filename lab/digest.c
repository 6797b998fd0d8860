/* FNV-1a: Fowler, Noll and Vo; constants of the 64-bit version. */
#include "digest.h"

#include <string.h>

static uint64_t digest_bytes(uint64_t digest, uint64_t word, int byte_count)
{
    for (int i = 0; i < byte_count; ++i, word >>= 8)
        digest = (digest ^ (word & 0xff)) * UINT64_C(0x100000001b3);
    return digest;
}

uint64_t lab_digest_floats(uint64_t digest, const float *values, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        uint32_t bits = 0x7fc00000;
        if (values[i] == values[i])
            memcpy(&bits, &values[i], sizeof bits);
        digest = digest_bytes(digest, bits, 4);
    }
    return digest;
}

uint64_t lab_digest_word(uint64_t digest, uint64_t word)
{
    return digest_bytes(digest, word, 8);
}
