/* A register of integers, as wide as the instruction set has them: what the codecs of state need beyond C, and what
 * compilers do not find by themselves. Integers only: no order of operations could change a result. */
#ifndef KERNELS_VECTOR_H
#define KERNELS_VECTOR_H

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#if defined(__AVX512BW__)
enum { VECTOR_BYTES = 64 };
#elif defined(__AVX2__)
enum { VECTOR_BYTES = 32 };
#else
enum { VECTOR_BYTES = 16 };
#endif

typedef uint64_t vector_u64 __attribute__((vector_size(VECTOR_BYTES)));
typedef uint32_t vector_u32 __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t vector_i32 __attribute__((vector_size(VECTOR_BYTES)));
typedef float vector_float __attribute__((vector_size(VECTOR_BYTES)));
typedef uint16_t vector_u16 __attribute__((vector_size(VECTOR_BYTES)));
typedef int16_t vector_i16 __attribute__((vector_size(VECTOR_BYTES)));
typedef uint8_t vector_u8 __attribute__((vector_size(VECTOR_BYTES)));

/* The following are given by instruction set:
 * vector_product        the lower halves of 64 bits times a number of 32 bits
 * vector_narrow_signed  32 bits to 16, of two registers, with saturation, in any order
 * vector_narrow         16 signed bits to 8 unsigned, of two of those, with saturation: in order
 * vector_in_order       puts two registers narrowed to 16 bits in order
 * vector_widen          8 unsigned bits from memory to 32
 * vector_maximum, vector_minimum  of signed 16 bits */

#if defined(__AVX512BW__)
static inline vector_u64 vector_product(vector_u64 words, uint32_t multiplier)
{
    return (vector_u64)_mm512_mul_epu32((__m512i)words, _mm512_set1_epi64(multiplier));
}

static inline vector_i16 vector_narrow_signed(vector_i32 a, vector_i32 b)
{
    return (vector_i16)_mm512_packs_epi32((__m512i)a, (__m512i)b);
}

static inline vector_i16 vector_in_order(vector_i16 narrowed)
{
    return (vector_i16)_mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), (__m512i)narrowed);
}

static inline vector_u8 vector_narrow(vector_i16 a, vector_i16 b)
{
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return (vector_u8)_mm512_permutexvar_epi32(order, _mm512_packus_epi16((__m512i)a, (__m512i)b));
}

static inline vector_i32 vector_widen(const uint8_t *from)
{
    return (vector_i32)_mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)from));
}

static inline vector_i16 vector_maximum(vector_i16 a, vector_i16 b)
{
    return (vector_i16)_mm512_max_epi16((__m512i)a, (__m512i)b);
}

static inline vector_i16 vector_minimum(vector_i16 a, vector_i16 b)
{
    return (vector_i16)_mm512_min_epi16((__m512i)a, (__m512i)b);
}

#elif defined(__AVX2__)
static inline vector_u64 vector_product(vector_u64 words, uint32_t multiplier)
{
    return (vector_u64)_mm256_mul_epu32((__m256i)words, _mm256_set1_epi64x(multiplier));
}

static inline vector_i16 vector_narrow_signed(vector_i32 a, vector_i32 b)
{
    return (vector_i16)_mm256_packs_epi32((__m256i)a, (__m256i)b);
}

static inline vector_i16 vector_in_order(vector_i16 narrowed)
{
    return (vector_i16)_mm256_permute4x64_epi64((__m256i)narrowed, 0xd8);
}

static inline vector_u8 vector_narrow(vector_i16 a, vector_i16 b)
{
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    return (vector_u8)_mm256_permutevar8x32_epi32(_mm256_packus_epi16((__m256i)a, (__m256i)b), order);
}

static inline vector_i32 vector_widen(const uint8_t *from)
{
    return (vector_i32)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)from));
}

static inline vector_i16 vector_maximum(vector_i16 a, vector_i16 b)
{
    return (vector_i16)_mm256_max_epi16((__m256i)a, (__m256i)b);
}

static inline vector_i16 vector_minimum(vector_i16 a, vector_i16 b)
{
    return (vector_i16)_mm256_min_epi16((__m256i)a, (__m256i)b);
}

#elif defined(__SSE2__)
static inline vector_u64 vector_product(vector_u64 words, uint32_t multiplier)
{
    return (vector_u64)_mm_mul_epu32((__m128i)words, _mm_set1_epi64x(multiplier));
}

static inline vector_i16 vector_narrow_signed(vector_i32 a, vector_i32 b)
{
    return (vector_i16)_mm_packs_epi32((__m128i)a, (__m128i)b);
}

static inline vector_u8 vector_narrow(vector_i16 a, vector_i16 b)
{
    return (vector_u8)_mm_packus_epi16((__m128i)a, (__m128i)b);
}

static inline vector_i32 vector_widen(const uint8_t *from)
{
    int32_t four;
    memcpy(&four, from, sizeof four);
    const __m128i zero = _mm_setzero_si128();
    return (vector_i32)_mm_unpacklo_epi16(_mm_unpacklo_epi8(_mm_cvtsi32_si128(four), zero), zero);
}

static inline vector_i16 vector_maximum(vector_i16 a, vector_i16 b)
{
    return (vector_i16)_mm_max_epi16((__m128i)a, (__m128i)b);
}

static inline vector_i16 vector_minimum(vector_i16 a, vector_i16 b)
{
    return (vector_i16)_mm_min_epi16((__m128i)a, (__m128i)b);
}

#elif defined(__aarch64__)
static inline vector_u64 vector_product(vector_u64 words, uint32_t multiplier)
{
    return (vector_u64)vmull_n_u32(vmovn_u64((uint64x2_t)words), multiplier);
}

static inline vector_i16 vector_narrow_signed(vector_i32 a, vector_i32 b)
{
    return (vector_i16)vcombine_s16(vqmovn_s32((int32x4_t)a), vqmovn_s32((int32x4_t)b));
}

static inline vector_u8 vector_narrow(vector_i16 a, vector_i16 b)
{
    return (vector_u8)vcombine_u8(vqmovun_s16((int16x8_t)a), vqmovun_s16((int16x8_t)b));
}

static inline vector_i32 vector_widen(const uint8_t *from)
{
    uint32_t four;
    memcpy(&four, from, sizeof four);
    return (vector_i32)vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(four))));
}

static inline vector_i16 vector_maximum(vector_i16 a, vector_i16 b)
{
    return (vector_i16)vmaxq_s16((int16x8_t)a, (int16x8_t)b);
}

static inline vector_i16 vector_minimum(vector_i16 a, vector_i16 b)
{
    return (vector_i16)vminq_s16((int16x8_t)a, (int16x8_t)b);
}

#else
static inline vector_u64 vector_product(vector_u64 words, uint32_t multiplier)
{
    return (words & UINT32_MAX) * multiplier;
}

static inline int32_t vector_between(int32_t least, int32_t number, int32_t largest)
{
    return number < least ? least : number > largest ? largest : number;
}

static inline vector_i16 vector_narrow_signed(vector_i32 a, vector_i32 b)
{
    vector_i16 narrow;
    for (int i = 0; i < VECTOR_BYTES / 4; ++i) {
        narrow[i] = (int16_t)vector_between(INT16_MIN, a[i], INT16_MAX);
        narrow[VECTOR_BYTES / 4 + i] = (int16_t)vector_between(INT16_MIN, b[i], INT16_MAX);
    }
    return narrow;
}

static inline vector_u8 vector_narrow(vector_i16 a, vector_i16 b)
{
    vector_u8 narrow;
    for (int i = 0; i < VECTOR_BYTES / 2; ++i) {
        narrow[i] = (uint8_t)vector_between(0, a[i], UINT8_MAX);
        narrow[VECTOR_BYTES / 2 + i] = (uint8_t)vector_between(0, b[i], UINT8_MAX);
    }
    return narrow;
}

static inline vector_i32 vector_widen(const uint8_t *from)
{
    return (vector_i32){from[0], from[1], from[2], from[3]};
}

static inline vector_i16 vector_maximum(vector_i16 a, vector_i16 b)
{
    return (a & (a > b)) | (b & (a <= b));
}

static inline vector_i16 vector_minimum(vector_i16 a, vector_i16 b)
{
    return (a & (a < b)) | (b & (a >= b));
}
#endif

#if !defined(__AVX2__)
static inline vector_i16 vector_in_order(vector_i16 narrowed)
{
    return narrowed;
}
#endif

#endif
