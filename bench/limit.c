/* Bare passes over memory, once per instruction set by target attributes: unlike the library, a benchmark
 * may ask for the compiler that it needs. */
#include "limit.h"

#include <string.h>

/* Inlined into a function per instruction set and per number of arrays, which is then a constant. nothing is
 * 0, which the compiler does not know: what the arrays hold stays as it is. */
__attribute__((always_inline)) static inline void add_to(size_t written_count, size_t count, float nothing,
                                                         const float *restrict grad, float *restrict a,
                                                         float *restrict b, float *restrict c, float *restrict d)
{
    for (size_t i = 0; i < count; ++i) {
        const float move = nothing * grad[i];
        a[i] += move;
        if (written_count > 1)
            b[i] += move;
        if (written_count > 2)
            c[i] += move;
        if (written_count > 3)
            d[i] += move;
    }
}

__attribute__((always_inline)) static inline unsigned all_bits(size_t count, const float *grad)
{
    unsigned all = 0;
    for (size_t i = 0; i < count; ++i) {
        unsigned bits;
        memcpy(&bits, &grad[i], sizeof bits);
        all |= bits;
    }
    return all;
}

#define DEFINE_PASSES(isa, target)                                                                                     \
    target static void update_##isa(size_t count, float nothing, const float *grad, float *const *w,                   \
                                    size_t written_count)                                                              \
    {                                                                                                                  \
        switch (written_count) {                                                                                       \
        case 1:                                                                                                        \
            add_to(1, count, nothing, grad, w[0], NULL, NULL, NULL);                                                   \
            break;                                                                                                     \
        case 2:                                                                                                        \
            add_to(2, count, nothing, grad, w[0], w[1], NULL, NULL);                                                   \
            break;                                                                                                     \
        case 3:                                                                                                        \
            add_to(3, count, nothing, grad, w[0], w[1], w[2], NULL);                                                   \
            break;                                                                                                     \
        default:                                                                                                       \
            add_to(4, count, nothing, grad, w[0], w[1], w[2], w[3]);                                                   \
            break;                                                                                                     \
        }                                                                                                              \
    }                                                                                                                  \
    target static unsigned read_##isa(size_t count, const float *grad)                                                 \
    {                                                                                                                  \
        return all_bits(count, grad);                                                                                  \
    }

DEFINE_PASSES(baseline, )
#if defined(__x86_64__)
DEFINE_PASSES(avx2, __attribute__((target("avx2"))))
#if defined(__clang__)
DEFINE_PASSES(avx512, __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq"), min_vector_width(512))))
#else
DEFINE_PASSES(avx512, __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,prefer-vector-width=512"))))
#endif
#endif

void limit_update(rms_isa isa, size_t count, const float *grad, float *const *written, size_t written_count)
{
    static volatile float zero = 0.0F;
    const float nothing = zero;
    switch (isa) {
#if defined(__x86_64__)
    case RMS_ISA_AVX2:
        update_avx2(count, nothing, grad, written, written_count);
        break;
    case RMS_ISA_AVX512:
        update_avx512(count, nothing, grad, written, written_count);
        break;
#endif
    default:
        update_baseline(count, nothing, grad, written, written_count);
        break;
    }
}

unsigned limit_read(rms_isa isa, size_t count, const float *grad)
{
    switch (isa) {
#if defined(__x86_64__)
    case RMS_ISA_AVX2:
        return read_avx2(count, grad);
    case RMS_ISA_AVX512:
        return read_avx512(count, grad);
#endif
    default:
        return read_baseline(count, grad);
    }
}
