/* Which instruction sets this processor and its operating system grant, and which one is in use. */
#include "isa.h"
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#if defined(LKV_X86)
#  if defined(_MSC_VER) && !defined(__clang__)
#    include <intrin.h>
#  else
#    include <cpuid.h>
#  endif
#elif defined(LKV_ARM64) && defined(__linux__)
#  include <sys/auxv.h>
#elif defined(LKV_ARM64) && defined(__APPLE__)
#  include <sys/sysctl.h>
#elif defined(LKV_ARM64) && defined(_WIN32)
#  include <windows.h>
#endif

namespace lkv {
namespace {

constexpr const char * kNames[LKV_ISA_COUNT] = {"scalar", "avx2", "avx512", "neon"};

#if defined(LKV_X86)

struct Registers { uint32_t eax, ebx, ecx, edx; };

Registers cpuid(uint32_t leaf, uint32_t subleaf) {
    Registers r = {0, 0, 0, 0};
#  if defined(_MSC_VER) && !defined(__clang__)
    int out[4];
    __cpuidex(out, (int) leaf, (int) subleaf);
    r = {(uint32_t) out[0], (uint32_t) out[1], (uint32_t) out[2], (uint32_t) out[3]};
#  else
    __cpuid_count(leaf, subleaf, r.eax, r.ebx, r.ecx, r.edx);
#  endif
    return r;
}

/* The register states that the operating system saves and restores; only valid when cpuid announces OSXSAVE. */
uint64_t grantedStates() {
#  if defined(_MSC_VER) && !defined(__clang__)
    return _xgetbv(0);
#  else
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t) high << 32 | low;
#  endif
}

constexpr bool all(uint64_t value, uint64_t bits) { return (value & bits) == bits; }
constexpr uint32_t bit(int i) { return 1u << i; }

/* Intel's Software Developer's Manual, volume 2, CPUID; volume 1, 13.3 and 14.3 for the states. */
unsigned detect() {
    unsigned granted = 1u << LKV_ISA_SCALAR;
    if (cpuid(0, 0).eax < 7) return granted;
    const Registers one = cpuid(1, 0), seven = cpuid(7, 0);
    const bool osxsave = all(one.ecx, bit(27));
    const uint64_t states = osxsave ? grantedStates() : 0;
    const bool ymm = all(states, 0x06), zmm = all(states, 0xe6); // SSE, AVX; opmask and both halves of ZMM
    const bool avx2 = ymm && all(one.ecx, bit(12) | bit(28) | bit(29)) && all(seven.ebx, bit(5)); // FMA, AVX, F16C; AVX2
    const bool avx512 = avx2 && zmm && all(seven.ebx, bit(16) | bit(17) | bit(30) | bit(31)) && all(seven.ecx, bit(1) | bit(11)); // F, DQ, BW, VL; VBMI, VNNI
    if (avx2) granted |= 1u << LKV_ISA_AVX2;
    if (avx512) granted |= 1u << LKV_ISA_AVX512;
    return granted;
}

#elif defined(LKV_ARM64)

unsigned detect() {
    bool dotProduct = false;
#  if defined(__linux__)
    dotProduct = (getauxval(AT_HWCAP) & 1ul << 20) != 0; // HWCAP_ASIMDDP
#  elif defined(__APPLE__)
    int value = 0;
    size_t size = sizeof value;
    dotProduct = sysctlbyname("hw.optional.arm.FEAT_DotProd", &value, &size, nullptr, 0) == 0 && value != 0;
#  elif defined(_WIN32)
    dotProduct = IsProcessorFeaturePresent(43) != 0; // PF_ARM_V82_DP_INSTRUCTIONS_AVAILABLE
#  endif
    return 1u << LKV_ISA_SCALAR | (dotProduct ? 1u << LKV_ISA_NEON : 0u);
}

#else

unsigned detect() { return 1u << LKV_ISA_SCALAR; }

#endif

unsigned granted() {
    static const unsigned mask = detect();
    return mask;
}

lkv_isa choose() {
    int best = LKV_ISA_COUNT - 1;
    while (!lkv_isa_granted((lkv_isa) best)) best--; // scalar always is
    const char * wanted = std::getenv("LOUPE_KV_ISA");
    if (!wanted || !*wanted) return (lkv_isa) best;
    for (int isa = 0; isa < LKV_ISA_COUNT; isa++) {
        if (std::strcmp(wanted, kNames[isa]) == 0 && lkv_isa_granted((lkv_isa) isa)) return (lkv_isa) isa;
    }
    std::fprintf(stderr, "LOUPE_KV_ISA=%s is not granted here; %s is used.\n", wanted, kNames[best]);
    return (lkv_isa) best;
}

/* -1 until the first call. Two threads that come first choose the same. */
std::atomic<int> inUse{-1};

} // namespace
} // namespace lkv

using namespace lkv;

lkv_isa lkv_isa_in_use(void) {
    int isa = inUse.load(std::memory_order_relaxed);
    if (isa < 0) {
        const int chosen = choose();
        // What another thread has forced in the meantime stays.
        isa = inUse.compare_exchange_strong(isa, chosen) ? chosen : isa;
    }
    return (lkv_isa) isa;
}

const char * lkv_isa_name(lkv_isa isa) { return (int) isa >= 0 && isa < LKV_ISA_COUNT ? kNames[isa] : "unknown"; }

int lkv_isa_granted(lkv_isa isa) { return (int) isa >= 0 && isa < LKV_ISA_COUNT && (granted() >> isa & 1); }

int lkv_isa_force(lkv_isa isa) {
    if (!lkv_isa_granted(isa)) return 0;
    inUse.store(isa);
    return 1;
}
