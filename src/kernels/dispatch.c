/* Which kernels run: the tables of this build, cut down to what this CPU has. */
#include "kernels/cpu.h"
#include "kernels/kernels.h"
#include "message.h"

#include <stdatomic.h>
#include <stdlib.h>

#if defined(__x86_64__)
enum detected { UNKNOWN = 0, KNOWN = 1, HAS_AVX2 = 2, HAS_AVX512 = 4 };

/* CPUID can cost microseconds under a hypervisor, so its answer is kept. It never changes, so that it does
 * not matter which thread stores it first. */
static unsigned detected(void)
{
    static atomic_uint cached = UNKNOWN;
    unsigned known = atomic_load_explicit(&cached, memory_order_relaxed);
    if (known == UNKNOWN) {
        const struct cpu cpu = cpu_detect();
        known = KNOWN | (cpu.avx2 ? HAS_AVX2 : 0U) | (cpu.avx512 ? HAS_AVX512 : 0U);
        atomic_store_explicit(&cached, known, memory_order_relaxed);
    }
    return known;
}
#endif

#define TABLES(isa)                                                                                                    \
    {                                                                                                                  \
        &kernels_##isa, &kernels_##isa##_f64, &codecs_##isa                                                            \
    }
static const struct isa_kernels baseline = TABLES(baseline);
#if defined(__x86_64__)
static const struct isa_kernels avx2 = TABLES(avx2);
static const struct isa_kernels avx512 = TABLES(avx512);
#elif defined(__aarch64__)
static const struct isa_kernels neon = TABLES(neon);
#endif

const struct isa_kernels *kernels_for(rms_isa isa)
{
    switch (isa) {
    case RMS_ISA_BASELINE:
        return &baseline;
#if defined(__x86_64__)
    case RMS_ISA_AVX2:
        return detected() & HAS_AVX2 ? &avx2 : NULL;
    case RMS_ISA_AVX512:
        return detected() & HAS_AVX512 ? &avx512 : NULL;
#elif defined(__aarch64__)
    case RMS_ISA_NEON:
        return &neon;
#endif
    default:
        return NULL;
    }
}

/* Best first. */
static const rms_isa preference[] = {RMS_ISA_AVX512, RMS_ISA_AVX2, RMS_ISA_NEON, RMS_ISA_BASELINE};
enum { PREFERENCES = sizeof preference / sizeof *preference };

static rms_isa best_isa(void)
{
    for (size_t i = 0; i < PREFERENCES; ++i)
        if (kernels_for(preference[i]))
            return preference[i];
    return RMS_ISA_BASELINE;
}

bool rms_isa_supported(rms_isa isa)
{
    return isa == RMS_ISA_AUTO || kernels_for(isa);
}

static rms_status refuse(const char *from, const char *name, const char *why, rms_error *error)
{
    char choices[64] = "";
    for (size_t i = PREFERENCES; i-- > 0;)
        if (kernels_for(preference[i]))
            append_name(choices, sizeof choices, rms_isa_name(preference[i]));
    return fail(error, RMS_ERROR_UNSUPPORTED, "%s%.40s: %s; this machine can run: %s", from, name, why, choices);
}

rms_status kernels_choose(rms_isa asked, rms_isa *chosen, rms_error *error)
{
    const char *from = "isa=";
    const char *name = asked == RMS_ISA_AUTO ? getenv("RMSPROP_ISA") : NULL;
    if (name && name[0] != '\0') {
        from = "RMSPROP_ISA=";
        if (!rms_isa_from_name(name, &asked))
            return refuse(from, name, "unknown instruction set", error);
    }
    if (asked == RMS_ISA_AUTO)
        asked = best_isa();
    if (!kernels_for(asked))
        return refuse(from, rms_isa_name(asked), "not on this machine", error);
    *chosen = asked;
    return RMS_OK;
}
