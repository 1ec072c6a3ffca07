/* Random numbers that are the same everywhere, buffers that end at the end of the readable memory, and loops over formats. */
#pragma once
#include "check.h"
#include "loupe_kv.h"
#include <cstdint>
#include <cstdlib>
#include <functional>
#if !defined(_WIN32)
#  include <sys/mman.h>
#  include <unistd.h>
#endif

/* xorshift64*, and Box-Muller for the normal distribution: the distributions of the standard library differ between its makers. */
class Random {
public:
    explicit Random(uint64_t seed) : state(seed * 0x9e3779b97f4a7c15ull + 1) {}
    uint64_t bits() {
        state ^= state >> 12; state ^= state << 25; state ^= state >> 27;
        return state * 0x2545f4914f6cdd1dull;
    }
    uint32_t below(uint32_t n) { return (uint32_t) ((bits() >> 32) * n >> 32); }
    double uniform() { return ((double) (bits() >> 11) + 0.5) / 9007199254740992.0; }
    double normal() {
        const double radius = std::sqrt(-2 * std::log(uniform()));
        return radius * std::cos(6.283185307179586 * uniform());
    }
    /* Every bit pattern of a float. */
    float anyFloat() {
        const uint32_t pattern = (uint32_t) (bits() >> 32);
        float value;
        std::memcpy(&value, &pattern, sizeof value);
        return value;
    }
private:
    uint64_t state;
};

inline std::vector<float> normals(Random & random, size_t n, double deviation = 1) {
    std::vector<float> values(n);
    for (float & value : values) value = (float) (deviation * random.normal());
    return values;
}

/* `bytes` bytes that end where the next byte cannot be touched (on Windows: a heap block). */
class Guarded {
public:
    explicit Guarded(size_t bytes) : size(bytes) {
#if defined(_WIN32)
        memory = (uint8_t *) std::malloc(bytes ? bytes : 1);
        start = memory;
#else
        const size_t page = (size_t) sysconf(_SC_PAGESIZE);
        mapped = (bytes + page - 1) / page * page + page;
        memory = (uint8_t *) mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED || mprotect(memory + mapped - page, page, PROT_NONE) != 0) std::abort();
        start = memory + mapped - page - bytes;
#endif
    }
    Guarded(const Guarded &) = delete;
    Guarded & operator=(const Guarded &) = delete;
    ~Guarded() {
#if defined(_WIN32)
        std::free(memory);
#else
        munmap(memory, mapped);
#endif
    }
    uint8_t * data() const { return start; }
    float * floats() const { return (float *) start; }
    const size_t size;
private:
    uint8_t * memory, * start;
    size_t mapped = 0;
};

inline std::vector<lkv_isa> grantedIsas() {
    std::vector<lkv_isa> all;
    for (int isa = 0; isa < LKV_ISA_COUNT; isa++) {
        if (lkv_isa_granted((lkv_isa) isa)) all.push_back((lkv_isa) isa);
    }
    return all;
}

/* Uses an instruction set until the end of the scope. */
class WithIsa {
public:
    explicit WithIsa(lkv_isa isa) : before(lkv_isa_in_use()) { CHECK(lkv_isa_force(isa)); }
    ~WithIsa() { lkv_isa_force(before); }
    WithIsa(const WithIsa &) = delete;
    WithIsa & operator=(const WithIsa &) = delete;
private:
    const lkv_isa before;
};

/* All formats, or those with blocks. */
/* Mixed formats are none of them: they are made of these, which a test of the layout holds. */
inline void forFormats(bool withF16, const std::function<void(lkv_format, const lkv_format_info &)> & body) {
    for (int format = withF16 ? 0 : 1; format < LKV_KV3M; format++) {
        const lkv_format_info & info = *lkv_info((lkv_format) format);
        check::context() = std::string(info.name) + " on " + lkv_isa_name(lkv_isa_in_use());
        body((lkv_format) format, info);
    }
}

inline std::vector<uint8_t> encoded(lkv_format format, const std::vector<float> & values) {
    std::vector<uint8_t> row(lkv_row_bytes(format, (int64_t) values.size()));
    lkv_encode(format, values.data(), row.data(), (int64_t) values.size());
    return row;
}

inline std::vector<float> decoded(lkv_format format, const std::vector<uint8_t> & row, size_t n) {
    std::vector<float> values(n);
    lkv_decode(format, row.data(), values.data(), (int64_t) n);
    return values;
}

/* Squared error and squared length. */
inline double squaredError(const std::vector<float> & a, const std::vector<float> & b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); i++) sum += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
    return sum;
}
inline double squaredLength(const std::vector<float> & a) { return squaredError(a, std::vector<float>(a.size())); }

/* The same bits, NaN and the sign of zero included. */
inline bool sameBits(const std::vector<float> & a, const std::vector<float> & b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}
