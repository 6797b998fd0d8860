/* Bare passes over memory, once per instruction set. */
#include "limit.h"

#include "target.h"

/* Whatever the arrays hold, it is moved as whole numbers. */
typedef uint8_t byte __attribute__((may_alias));
typedef uint16_t half __attribute__((may_alias));
typedef uint32_t word __attribute__((may_alias));

/* Numbers of arrays: bytes, halves, words; those that rules, formats and masters make. */
#define FULL_SHAPES(SHAPE) SHAPE(0, 0, 1) SHAPE(0, 0, 2) SHAPE(0, 0, 3) SHAPE(0, 0, 4) SHAPE(0, 0, 5)
#define SHORT_SHAPES(SHAPE) SHAPE(0, 1, 1) SHAPE(0, 2, 1) SHAPE(1, 0, 1) SHAPE(2, 0, 1)
#define ONE_HALF_SHAPES(SHAPE) SHAPE(0, 1, 0) SHAPE(0, 1, 1) SHAPE(0, 1, 2) SHAPE(0, 1, 3) SHAPE(0, 1, 4)
#define TWO_HALVES_SHAPES(SHAPE) SHAPE(0, 2, 0) SHAPE(0, 2, 1) SHAPE(0, 2, 2) SHAPE(0, 2, 3) SHAPE(0, 2, 4)
#define MORE_HALVES_SHAPES(SHAPE) SHAPE(0, 3, 0) SHAPE(0, 3, 1) SHAPE(0, 4, 0)
#define ONE_BYTE_SHAPES(SHAPE) SHAPE(1, 1, 0) SHAPE(1, 2, 0) SHAPE(1, 1, 1)
#define TWO_BYTES_SHAPES(SHAPE) SHAPE(2, 1, 0) SHAPE(2, 2, 0) SHAPE(2, 1, 1)
#define SHAPE_KEY(bytes, halves, words) (((bytes)*5 + (halves)) * 6 + (words))
_Static_assert(LIMIT_HALVES_MAX < 5 && LIMIT_WORDS_MAX < 6, "keys tell shapes apart");

/* Inlined into a function per instruction set and per numbers of arrays, which are then constants. nothing is 0, which
 * the compiler does not know: what the arrays hold stays as it is. */
INLINE void move(bool half_grad, size_t bytes, size_t halves, size_t words, size_t count, uint32_t nothing,
                 const void *grad, byte *restrict k, byte *restrict l, half *restrict p, half *restrict q,
                 half *restrict r, half *restrict s, word *restrict a, word *restrict b, word *restrict c,
                 word *restrict d, word *restrict e)
{
    const word *restrict const word_grad = grad;
    const half *restrict const short_grad = grad;
    for (size_t i = 0; i < count; ++i) {
        if (half_grad)
            p[i] = (uint16_t)(p[i] + (nothing & short_grad[i]));
        else
            a[i] += nothing & word_grad[i];
        if (words > 0 && half_grad)
            a[i] += nothing;
        if (words > 1)
            b[i] += nothing;
        if (words > 2)
            c[i] += nothing;
        if (words > 3)
            d[i] += nothing;
        if (words > 4)
            e[i] += nothing;
        if (halves > 0 && !half_grad)
            p[i] = (uint16_t)(p[i] + nothing);
        if (halves > 1)
            q[i] = (uint16_t)(q[i] + nothing);
        if (halves > 2)
            r[i] = (uint16_t)(r[i] + nothing);
        if (halves > 3)
            s[i] = (uint16_t)(s[i] + nothing);
        if (bytes > 0)
            k[i] = (uint8_t)(k[i] + nothing);
        if (bytes > 1)
            l[i] = (uint8_t)(l[i] + nothing);
    }
}

INLINE void move_scales(size_t count, uint32_t nothing, byte *scales)
{
    for (size_t i = 0; i < count; ++i)
        scales[i] = (uint8_t)(scales[i] + nothing);
}

/* Several sums side by side, since each waits for its last addition. */
INLINE unsigned all_bits(size_t count, const word *array)
{
    enum { SIDE_BY_SIDE = 64 };
    word all[SIDE_BY_SIDE] = {0};
    size_t i = 0;
    for (; i + SIDE_BY_SIDE <= count; i += SIDE_BY_SIDE)
        for (size_t j = 0; j < SIDE_BY_SIDE; ++j)
            all[j] |= array[i + j];
    for (size_t j = 0; i + j < count; ++j)
        all[j] |= array[i + j];
    for (size_t j = 1; j < SIDE_BY_SIDE; ++j)
        all[0] |= all[j];
    return all[0];
}

#define MOVE(half_grad, bytes_, halves_, words_)                                                                       \
    case SHAPE_KEY(bytes_, halves_, words_):                                                                           \
        move(half_grad, bytes_, halves_, words_, count, nothing, x->grad, x->bytes[0], x->bytes[1], x->halves[0],      \
             x->halves[1], x->halves[2], x->halves[3], x->words[0], x->words[1], x->words[2], x->words[3],             \
             x->words[4]);                                                                                             \
        return true;
#define MOVE_WORD_GRAD(bytes, halves, words) MOVE(false, bytes, halves, words)
#define MOVE_HALF_GRAD(bytes, halves, words) MOVE(true, bytes, halves, words)

#define EACH_WORD_GRAD FULL_SHAPES(MOVE_WORD_GRAD) SHORT_SHAPES(MOVE_WORD_GRAD)
#define EACH_HALVES ONE_HALF_SHAPES(MOVE_HALF_GRAD) TWO_HALVES_SHAPES(MOVE_HALF_GRAD) MORE_HALVES_SHAPES(MOVE_HALF_GRAD)
#define EACH_BYTES ONE_BYTE_SHAPES(MOVE_HALF_GRAD) TWO_BYTES_SHAPES(MOVE_HALF_GRAD)

#define DEFINE_PASSES(isa, target)                                                                                     \
    target static bool update_words_##isa(size_t count, uint32_t nothing, const struct limit_arrays *x)                \
    {                                                                                                                  \
        switch (SHAPE_KEY(x->byte_count, x->half_count, x->word_count)) {                                              \
            EACH_WORD_GRAD                                                                                             \
        }                                                                                                              \
        return false;                                                                                                  \
    }                                                                                                                  \
    target static bool update_halves_##isa(size_t count, uint32_t nothing, const struct limit_arrays *x)               \
    {                                                                                                                  \
        switch (SHAPE_KEY(x->byte_count, x->half_count, x->word_count)) {                                              \
            EACH_HALVES                                                                                                \
            EACH_BYTES                                                                                                 \
        }                                                                                                              \
        return false;                                                                                                  \
    }                                                                                                                  \
    target static bool update_##isa(size_t count, uint32_t nothing, const struct limit_arrays *x)                      \
    {                                                                                                                  \
        for (size_t i = 0; i < x->byte_count; ++i)                                                                     \
            move_scales(count / LIMIT_SCALED, nothing, x->scales[i]);                                                  \
        return (x->half_grad ? update_halves_##isa : update_words_##isa)(count, nothing, x);                           \
    }                                                                                                                  \
    target static unsigned read_##isa(size_t count, const void *array)                                                 \
    {                                                                                                                  \
        return all_bits(count, array);                                                                                 \
    }

EACH_TARGET(DEFINE_PASSES)

struct limit_arrays limit_stretch(const struct limit_arrays *arrays, size_t begin)
{
    struct limit_arrays stretch = *arrays;
    stretch.grad = (const char *)stretch.grad + begin * (stretch.half_grad ? sizeof(half) : sizeof(word));
    for (size_t i = 0; i < stretch.byte_count; ++i) {
        stretch.bytes[i] = (byte *)stretch.bytes[i] + begin;
        stretch.scales[i] = (byte *)stretch.scales[i] + begin / LIMIT_SCALED;
    }
    for (size_t i = 0; i < stretch.half_count; ++i)
        stretch.halves[i] = (half *)stretch.halves[i] + begin;
    for (size_t i = 0; i < stretch.word_count; ++i)
        stretch.words[i] = (word *)stretch.words[i] + begin;
    return stretch;
}

bool limit_update(rms_isa isa, size_t count, const struct limit_arrays *arrays)
{
    static volatile uint32_t zero = 0;
    const uint32_t nothing = zero;
    switch (isa) {
#if defined(__x86_64__)
    case RMS_ISA_AVX2:
        return update_avx2(count, nothing, arrays);
    case RMS_ISA_AVX512:
        return update_avx512(count, nothing, arrays);
#endif
    default:
        return update_baseline(count, nothing, arrays);
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
