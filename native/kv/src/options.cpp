#include "loupe_options.h"

#include <mutex>

namespace {
std::mutex guard;
lkv_options current = {0.0f, 0, 0};
} // namespace

struct lkv_options lkv_default_options(void) { return {0.0f, 0, 0}; }

int lkv_set_options(const struct lkv_options * options) {
    constexpr int32_t most = 65536;
    const bool bits = options->mean_bits >= 0.0f && options->mean_bits <= 32.0f; // false for NaN
    if (!bits || options->sinks < 0 || options->sinks > most || options->tail < 0 || options->tail > most) return 0;
    const std::lock_guard<std::mutex> lock(guard);
    current = *options;
    return 1;
}

struct lkv_options lkv_get_options(void) {
    const std::lock_guard<std::mutex> lock(guard);
    return current;
}
