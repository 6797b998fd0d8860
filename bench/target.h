/* One function per instruction set by target attributes: unlike the library, a benchmark may ask for the compiler that
 * it needs. */
#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

#define INLINE __attribute__((always_inline)) static inline

/* EACH_TARGET(DEFINE) calls DEFINE(isa, target). */
#if defined(__x86_64__)
#define TARGET_AVX2 __attribute__((target("avx2")))
#if defined(__clang__)
#define TARGET_AVX512 __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq"), min_vector_width(512)))
#else
#define TARGET_AVX512 __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,prefer-vector-width=512")))
#endif
#define EACH_TARGET(DEFINE) DEFINE(baseline, ) DEFINE(avx2, TARGET_AVX2) DEFINE(avx512, TARGET_AVX512)
#else
#define EACH_TARGET(DEFINE) DEFINE(baseline, )
#endif

#endif
