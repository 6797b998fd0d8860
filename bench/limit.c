/* Bare passes over memory, once per instruction set by target attributes: unlike the library, a benchmark
 * may ask for the compiler that it needs. */
#include "limit.h"

/* Whatever the arrays hold, it is moved as whole numbers. */
typedef uint16_t half __attribute__((may_alias));
typedef uint32_t word __attribute__((may_alias));

#define INLINE __attribute__((always_inline)) static inline

/* Inlined into a function per instruction set and per number of arrays, which is then a constant. nothing is
 * 0, which the compiler does not know: what the arrays hold stays as it is. */
INLINE void add_words(size_t words, size_t count, uint32_t nothing, const word *restrict grad, word *restrict a,
                      word *restrict b, word *restrict c, word *restrict d, word *restrict e)
{
    for (size_t i = 0; i < count; ++i) {
        const uint32_t move = nothing & grad[i];
        a[i] += move;
        if (words > 1)
            b[i] += move;
        if (words > 2)
            c[i] += move;
        if (words > 3)
            d[i] += move;
        if (words > 4)
            e[i] += move;
    }
}

INLINE void add_halves(size_t halves, size_t words, size_t count, uint32_t nothing, const half *restrict grad,
                       half *restrict p, half *restrict q, word *restrict a, word *restrict b, word *restrict c,
                       word *restrict d)
{
    for (size_t i = 0; i < count; ++i) {
        const uint32_t move = nothing & grad[i];
        p[i] = (uint16_t)(p[i] + move);
        if (halves > 1)
            q[i] = (uint16_t)(q[i] + move);
        if (words > 0)
            a[i] += move;
        if (words > 1)
            b[i] += move;
        if (words > 2)
            c[i] += move;
        if (words > 3)
            d[i] += move;
    }
}

INLINE unsigned all_bits(size_t count, const word *array)
{
    unsigned all = 0;
    for (size_t i = 0; i < count; ++i)
        all |= array[i];
    return all;
}

#define WORDS_CASE(n)                                                                                                  \
    case n:                                                                                                            \
        add_words(n, count, nothing, x->grad, x->words[0], x->words[1], x->words[2], x->words[3], x->words[4]);        \
        break;

#define HALVES_CASE(halves_, words_)                                                                                   \
    case 5 * (halves_) + (words_):                                                                                     \
        add_halves(halves_, words_, count, nothing, x->grad, x->halves[0], x->halves[1], x->words[0], x->words[1],     \
                   x->words[2], x->words[3]);                                                                          \
        break;

#define EACH_WORDS_CASE WORDS_CASE(1) WORDS_CASE(2) WORDS_CASE(3) WORDS_CASE(4) WORDS_CASE(5)
#define EACH_HALVES_CASE HALVES_CASE_OF(1) HALVES_CASE_OF(2)
#define HALVES_CASE_OF(n) HALVES_CASE(n, 0) HALVES_CASE(n, 1) HALVES_CASE(n, 2) HALVES_CASE(n, 3) HALVES_CASE(n, 4)

#define DEFINE_PASSES(isa, target)                                                                                     \
    target static void update_##isa(size_t count, uint32_t nothing, const struct limit_arrays *x)                      \
    {                                                                                                                  \
        switch (x->half_grad ? 0 : x->word_count) {                                                                    \
            EACH_WORDS_CASE                                                                                            \
        }                                                                                                              \
        switch (x->half_grad ? 5 * x->half_count + x->word_count : 0) {                                                \
            EACH_HALVES_CASE                                                                                           \
        }                                                                                                              \
    }                                                                                                                  \
    target static unsigned read_##isa(size_t count, const void *array)                                                 \
    {                                                                                                                  \
        return all_bits(count, array);                                                                                 \
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

void limit_update(rms_isa isa, size_t count, const struct limit_arrays *arrays)
{
    static volatile uint32_t zero = 0;
    const uint32_t nothing = zero;
    switch (isa) {
#if defined(__x86_64__)
    case RMS_ISA_AVX2:
        update_avx2(count, nothing, arrays);
        break;
    case RMS_ISA_AVX512:
        update_avx512(count, nothing, arrays);
        break;
#endif
    default:
        update_baseline(count, nothing, arrays);
        break;
    }
}

unsigned limit_read(rms_isa isa, size_t word_count, const void *array)
{
    switch (isa) {
#if defined(__x86_64__)
    case RMS_ISA_AVX2:
        return read_avx2(word_count, array);
    case RMS_ISA_AVX512:
        return read_avx512(word_count, array);
#endif
    default:
        return read_baseline(word_count, array);
    }
}
