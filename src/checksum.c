/* XXH3 from the header of xxHash alone, so that nothing has to be linked. */
#include "checksum.h"

#include <rmsprop.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

_Static_assert(sizeof(struct checksum) >= sizeof(XXH3_state_t), "struct checksum has room for the state");

static XXH3_state_t *state_of(struct checksum *checksum)
{
    return (XXH3_state_t *)(void *)checksum->state;
}

void checksum_start(struct checksum *checksum)
{
    memset(checksum, 0, sizeof *checksum);
    (void)XXH3_64bits_reset(state_of(checksum));
}

void checksum_add(struct checksum *checksum, const void *data, size_t bytes)
{
    if (bytes == 0)
        return;
#if defined(__x86_64__)
    if (rms_isa_supported(RMS_ISA_AVX2)) {
        checksum_add_avx2(checksum, data, bytes);
        return;
    }
#endif
    (void)XXH3_64bits_update(state_of(checksum), data, bytes);
}

uint64_t checksum_end(const struct checksum *checksum)
{
    return XXH3_64bits_digest((const XXH3_state_t *)(const void *)checksum->state);
}

uint64_t checksum_of(const void *data, size_t bytes)
{
    struct checksum checksum;
    checksum_start(&checksum);
    checksum_add(&checksum, data, bytes);
    return checksum_end(&checksum);
}

void checksum_write(uint64_t value, char text[CHECKSUM_DIGITS + 1])
{
    for (size_t i = 0; i < CHECKSUM_DIGITS; ++i)
        text[i] = "0123456789abcdef"[value >> (4 * (CHECKSUM_DIGITS - 1 - i)) & 15];
    text[CHECKSUM_DIGITS] = '\0';
}

bool checksum_read(const char *text, uint64_t *value)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t read = 0;
    for (size_t i = 0; i < CHECKSUM_DIGITS; ++i) {
        const char *digit = text[i] != '\0' ? strchr(digits, text[i]) : NULL;
        if (!digit)
            return false;
        read = read << 4 | (uint64_t)(digit - digits);
    }
    *value = read;
    return text[CHECKSUM_DIGITS] == '\0';
}
