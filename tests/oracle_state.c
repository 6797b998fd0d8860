/* Shortened state, slot by slot: which random bits each number takes, and which scale. */
#include "oracle_state.h"

#include "oracle_codec.h"

#include <string.h>

uint64_t oracle_key_of_use(int seed, const char *name, size_t use)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; name[i] != '\0'; ++i)
        hash = (hash ^ (unsigned char)name[i]) * UINT64_C(1099511628211);
    hash += use * UINT64_C(0x9e3779b97f4a7c15);
    return (hash / 0x100000000 ^ hash % 0x100000000) * 0x100000000 + (uint64_t)seed;
}

static void encode_16_bits(size_t count, const float *from, uint16_t *codes, const struct oracle_source *source,
                           uint64_t element)
{
    for (size_t i = 0; i < count; ++i) {
        const uint16_t random = source ? oracle_random(source->key, source->step, element + i) : 0x8000;
        codes[i] = oracle_encode_state(from[i], random);
    }
}

static void encode_block(enum oracle_state state, size_t count, const float *from, uint8_t *codes, uint8_t *scale,
                         const struct oracle_source *source, uint64_t element)
{
    *scale = oracle_state_scale(state, from, count);
    for (size_t i = 0; i < count; ++i) {
        const uint32_t random = source ? oracle_random_20(source->key, source->step, element + i) : 0x80000;
        codes[i] = oracle_state_encode(state, from[i], *scale, random);
    }
}

void oracle_encode_slot(rms_state_format format, bool squares, size_t count, const float *from, void *codes,
                        uint8_t *scales, const struct oracle_source *source, uint64_t element)
{
    if (format == RMS_STATE_16_BIT) {
        encode_16_bits(count, from, codes, source, element);
        return;
    }
    for (size_t begin = 0; begin < count; begin += RMS_STATE_BLOCK) {
        const size_t length = count - begin < RMS_STATE_BLOCK ? count - begin : RMS_STATE_BLOCK;
        encode_block(squares ? ORACLE_SQUARES : ORACLE_AVERAGES, length, from + begin, (uint8_t *)codes + begin,
                     scales + begin / RMS_STATE_BLOCK, source, element + begin);
    }
}

void oracle_decode_slot(rms_state_format format, bool squares, size_t count, const void *codes, const uint8_t *scales,
                        float *to)
{
    const uint16_t *const words = codes;
    const uint8_t *const bytes = codes;
    const enum oracle_state state = squares ? ORACLE_SQUARES : ORACLE_AVERAGES;
    for (size_t i = 0; i < count; ++i)
        to[i] = (float)(format == RMS_STATE_16_BIT ? oracle_decode(RMS_BF16, words[i])
                                                   : oracle_state_decode(state, bytes[i], scales[i / RMS_STATE_BLOCK]));
}

bool oracle_holds_squares(rms_rule rule, size_t slot)
{
    const char *const name = rms_slot_name(rule, slot);
    return name && (strcmp(name, "v") == 0 || strcmp(name, "sum") == 0 || strcmp(name, "delta") == 0);
}
