/* How the numbers of a state slot are kept. */
#ifndef SLOT_H
#define SLOT_H

#include "prefix.h"

#include <rmsprop.h>

#define STATE_ALIGNMENT 64

enum slot_coding {
    CODED_F32,
    CODED_F64,
    CODED_REMAINDER, /* 16 bits that are no numbers */
    CODED_BF16,
    CODED_SQUARES, /* 8-bit codes of numbers that are not negative, and their scales behind them */
    CODED_AVERAGES /* 8-bit codes of numbers of both signs, likewise */
};

/* Bytes of one element, without its share of a scale. */
static inline size_t slot_size(enum slot_coding coding)
{
    static const unsigned char sizes[] = {4, 8, 2, 2, 1, 1};
    return sizes[coding];
}

static inline bool slot_is_scaled(enum slot_coding coding)
{
    return coding == CODED_SQUARES || coding == CODED_AVERAGES;
}

/* How many elements there are up to the end of the last block. */
static inline size_t slot_whole_blocks(size_t count)
{
    return (count + RMS_STATE_BLOCK - 1) / RMS_STATE_BLOCK * RMS_STATE_BLOCK;
}

/* Bytes of a slot of count elements, scales included; 0 if no memory can hold them, aligned (count > 0). */
static inline size_t slot_bytes(enum slot_coding coding, size_t count)
{
    const size_t most = PTRDIFF_MAX - STATE_ALIGNMENT;
    if (count > (slot_is_scaled(coding) ? most / 66 * 64 : most / slot_size(coding)))
        return 0;
    if (!slot_is_scaled(coding))
        return count * slot_size(coding);
    return slot_whole_blocks(count) + slot_whole_blocks(count) / RMS_STATE_BLOCK;
}

/* So many bytes, and the padding after which the next slot is aligned. */
static inline size_t slot_aligned(size_t bytes)
{
    return (bytes + STATE_ALIGNMENT - 1) / STATE_ALIGNMENT * STATE_ALIGNMENT;
}

#endif
