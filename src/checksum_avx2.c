/* XXH3 once more, compiled for AVX2: the same sums. */
#include "checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

void checksum_add_avx2(struct checksum *checksum, const void *data, size_t bytes)
{
    (void)XXH3_64bits_update((XXH3_state_t *)(void *)checksum->state, data, bytes);
}
