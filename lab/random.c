/* Philox4x32-10 and what is drawn from it. */
#include "random.h"

#include "elementary.h"

#include <math.h>

void lab_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t output[4])
{
    uint32_t x0 = counter[0], x1 = counter[1], x2 = counter[2], x3 = counter[3];
    uint32_t key0 = key[0], key1 = key[1];
    for (int round = 0; round < 10; ++round) {
        const uint64_t product0 = UINT64_C(0xD2511F53) * x0;
        const uint64_t product1 = UINT64_C(0xCD9E8D57) * x2;
        x0 = (uint32_t)(product1 >> 32) ^ x1 ^ key0;
        x1 = (uint32_t)product1;
        x2 = (uint32_t)(product0 >> 32) ^ x3 ^ key1;
        x3 = (uint32_t)product0;
        key0 += 0x9E3779B9; /* Weyl sequences: the golden ratio, and sqrt 3 - 1 */
        key1 += 0xBB67AE85;
    }
    output[0] = x0;
    output[1] = x1;
    output[2] = x2;
    output[3] = x3;
}

static void draw(uint64_t seed, uint64_t stream, uint64_t index, uint32_t words[4])
{
    const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    lab_philox(counter, key, words);
}

static uint64_t first_bits(const uint32_t words[4])
{
    return (uint64_t)words[1] << 32 | words[0];
}

uint64_t lab_random_bits(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint32_t words[4];
    draw(seed, stream, index, words);
    return first_bits(words);
}

double lab_random_uniform(uint64_t seed, uint64_t stream, uint64_t index)
{
    return (double)(lab_random_bits(seed, stream, index) >> 11) * 0x1p-53;
}

/* floor(bits * bound / 2^64), in two halves of 32 bits. */
uint64_t lab_random_below(uint64_t seed, uint64_t stream, uint64_t index, uint64_t bound)
{
    const uint64_t bits = lab_random_bits(seed, stream, index);
    return ((bits >> 32) * bound + ((bits & UINT32_MAX) * bound >> 32)) >> 32;
}

/* Both numbers of Box and Muller's pair come from one counter; the second normal is let go. The uniform number under the
 * logarithm is 2^-53 at least, so that the radius is at most sqrt(106 ln 2) = 8.572. */
double lab_random_normal(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint32_t words[4];
    draw(seed, stream, index, words);
    const double radius = sqrt(-2.0 * lab_log((double)((first_bits(words) >> 11) + 1) * 0x1p-53));
    const uint64_t turn = (uint64_t)words[3] << 32 | words[2];
    return radius * lab_cos((double)(turn >> 11) * (0x1.921fb54442d18p+2 * 0x1p-53));
}

void lab_random_permutation(uint64_t seed, uint64_t stream, uint32_t *order, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        const size_t j = (size_t)lab_random_below(seed, stream, i, i + 1);
        order[i] = order[j];
        order[j] = (uint32_t)i;
    }
}
