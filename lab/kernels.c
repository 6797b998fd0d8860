/* Which of the net's inner loops run. What the CPU has is the library's to say. */
#include "kernels.h"

extern const struct lab_kernels lab_kernels_baseline;
#if defined(__x86_64__)
extern const struct lab_kernels lab_kernels_avx2;
extern const struct lab_kernels lab_kernels_avx512;
#endif

const struct lab_kernels *lab_kernels_for(rms_isa isa)
{
    if (isa == RMS_ISA_AUTO || !rms_isa_supported(isa))
        return NULL;
    switch (isa) {
#if defined(__x86_64__)
    case RMS_ISA_AVX2:
        return &lab_kernels_avx2;
    case RMS_ISA_AVX512:
        return &lab_kernels_avx512;
#endif
    default: /* NEON is the least that AArch64 has */
        return &lab_kernels_baseline;
    }
}

const struct lab_kernels *lab_kernels_best(void)
{
    static const rms_isa wide[] = {RMS_ISA_AVX512, RMS_ISA_AVX2};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; ++i)
        if (lab_kernels_for(wide[i]))
            return lab_kernels_for(wide[i]);
    return &lab_kernels_baseline;
}
