/* Bare roots and divisions, once per instruction set by target attributes, like the bare passes over memory. */
#include "arithmetic.h"

#include "target.h"

#include <math.h>

/* What stands in the formulas of docs/math.md, with default options. */
struct arithmetic arithmetic_of(rms_rule rule)
{
    static const struct arithmetic needed[RMS_RULE_COUNT] = {
        [RMS_ADAGRAD] = {1, 1}, [RMS_RMSPROP] = {1, 1}, [RMS_ADAM] = {1, 1},  [RMS_ADADELTA] = {2, 1},
        [RMS_ADAMAX] = {0, 1},  [RMS_NADAM] = {1, 1},   [RMS_RADAM] = {1, 1},
    };
    return needed[rule];
}

INLINE float root_f32(float x)
{
    return sqrtf(x);
}

INLINE double root_f64(double x)
{
    return sqrt(x);
}

/* As far as the compiler knows, this reads one block and changes the other; else it would do a single block alone. */
INLINE void look_at(const void *from, void *to)
{
    __asm__ volatile("" : : "r"(from), "r"(to) : "memory");
}

/* Inlined with constant numbers of roots. */
#define DEFINE_WORK(type, name)                                                                                        \
    INLINE void work_##name(int roots, size_t count, type above, const type *restrict from, type *restrict to)         \
    {                                                                                                                  \
        for (size_t i = 0; i < count; ++i) {                                                                           \
            const type numerator = roots > 1 ? root_##name(from[i] + above) : above;                                   \
            to[i] = numerator / (roots > 0 ? root_##name(from[i]) : from[i]);                                          \
        }                                                                                                              \
    }                                                                                                                  \
    INLINE void work_blocks_##name(int roots, size_t count, const type *restrict from, type *restrict to)              \
    {                                                                                                                  \
        const type numerator = from[0];                                                                                \
        for (; count >= ARITHMETIC_BLOCK; count -= ARITHMETIC_BLOCK) {                                                 \
            work_##name(roots, ARITHMETIC_BLOCK, numerator, from, to);                                                 \
            look_at(from, to);                                                                                         \
        }                                                                                                              \
        work_##name(roots, count, numerator, from, to);                                                                \
    }

DEFINE_WORK(float, f32)
DEFINE_WORK(double, f64)

#define DEFINE_PASS(isa, target, name)                                                                                 \
    target static void pass_##isa##_##name(int roots, size_t count, const void *from, void *to)                        \
    {                                                                                                                  \
        switch (roots) {                                                                                               \
        case 0:                                                                                                        \
            work_blocks_##name(0, count, from, to);                                                                    \
            break;                                                                                                     \
        case 1:                                                                                                        \
            work_blocks_##name(1, count, from, to);                                                                    \
            break;                                                                                                     \
        default:                                                                                                       \
            work_blocks_##name(2, count, from, to);                                                                    \
            break;                                                                                                     \
        }                                                                                                              \
    }

#define DEFINE_PASSES(isa, target)                                                                                     \
    DEFINE_PASS(isa, target, f32)                                                                                      \
    DEFINE_PASS(isa, target, f64)                                                                                      \
    static void pass_##isa(bool in_double, int roots, size_t count, const void *from, void *to)                        \
    {                                                                                                                  \
        (in_double ? pass_##isa##_f64 : pass_##isa##_f32)(roots, count, from, to);                                     \
    }

EACH_TARGET(DEFINE_PASSES)

void arithmetic_pass(rms_isa isa, bool in_double, struct arithmetic arithmetic, size_t count, const void *from,
                     void *to)
{
    if (arithmetic.divisions == 0)
        return;
    switch (isa) {
#if defined(__x86_64__)
    case RMS_ISA_AVX2:
        pass_avx2(in_double, arithmetic.roots, count, from, to);
        break;
    case RMS_ISA_AVX512:
        pass_avx512(in_double, arithmetic.roots, count, from, to);
        break;
#endif
    default:
        pass_baseline(in_double, arithmetic.roots, count, from, to);
        break;
    }
}

void arithmetic_fill(bool in_double, void *block)
{
    for (size_t i = 0; i < ARITHMETIC_BLOCK; ++i) {
        const double number = 0.7 + (double)(i * 37 % 101) / 103;
        if (in_double)
            ((double *)block)[i] = number;
        else
            ((float *)block)[i] = (float)number;
    }
}
