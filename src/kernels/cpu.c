/* CPU detection: what the CPU has (CPUID) and what the operating system saves (XGETBV). A CPU may have
 * AVX-512 while a hypervisor or kernel keeps its registers switched off; then using it is a crash. */
#include "kernels/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>

enum {
    LEAF1_ECX_OSXSAVE = 1 << 27,
    LEAF1_ECX_AVX = 1 << 28,
    LEAF7_EBX_AVX2 = 1 << 5,
    LEAF7_EBX_AVX512F = 1 << 16,
    LEAF7_EBX_AVX512DQ = 1 << 17,
    LEAF7_EBX_AVX512BW = 1 << 30,
    XCR0_YMM = 0x06, /* SSE and AVX state */
    XCR0_ZMM = 0xE6  /* and opmask, upper halves of ZMM0-15, ZMM16-31 */
};
#define LEAF7_EBX_AVX512VL (1U << 31)

static unsigned saved_by_operating_system(void)
{
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

struct cpu cpu_detect(void)
{
    struct cpu cpu = {false, false};
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx))
        return cpu;
    const unsigned avx = LEAF1_ECX_OSXSAVE | LEAF1_ECX_AVX;
    if ((ecx & avx) != avx || !__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx))
        return cpu;

    const unsigned saved = saved_by_operating_system();
    const unsigned avx512 = LEAF7_EBX_AVX512F | LEAF7_EBX_AVX512DQ | LEAF7_EBX_AVX512BW | LEAF7_EBX_AVX512VL;
    cpu.avx2 = (saved & XCR0_YMM) == XCR0_YMM && (ebx & LEAF7_EBX_AVX2);
    cpu.avx512 = cpu.avx2 && (saved & XCR0_ZMM) == XCR0_ZMM && (ebx & avx512) == avx512;
    return cpu;
}

#else

struct cpu cpu_detect(void)
{
    return (struct cpu){false, false};
}

#endif
