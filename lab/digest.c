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

uint64_t lab_digest_bytes(uint64_t digest, const void *bytes, size_t count)
{
    const unsigned char *const byte = bytes;
    for (size_t i = 0; i < count; ++i)
        digest = digest_bytes(digest, byte[i], 1);
    return digest;
}

/* The bits of parameter i, as a NaN of one kind where it is one. */
static uint64_t bits_of(const rms_tensor *tensor, size_t i)
{
    uint64_t wide = 0;
    uint16_t narrow = 0;
    if (tensor->dtype == RMS_F64) {
        memcpy(&wide, (const char *)tensor->param + i * sizeof wide, sizeof wide);
        return (wide << 1) > UINT64_C(0xffe0000000000000) ? UINT64_C(0x7ff8000000000000) : wide;
    }
    const unsigned infinity = tensor->dtype == RMS_F16 ? 0x7c00 : 0x7f80;
    memcpy(&narrow, (const char *)tensor->param + i * sizeof narrow, sizeof narrow);
    return (narrow & 0x7fffU) > infinity ? infinity | 0x40U : narrow;
}

uint64_t lab_digest_tensor(uint64_t digest, const rms_tensor *tensor)
{
    if (tensor->dtype == RMS_F32)
        return lab_digest_floats(digest, tensor->param, tensor->count);
    const int bytes = (int)rms_dtype_size(tensor->dtype);
    for (size_t i = 0; i < tensor->count; ++i)
        digest = digest_bytes(digest, bits_of(tensor, i), bytes);
    return digest;
}
