/*
 * Attention of one decoded token (and, with --prefill, of many) over caches of each format: time per cell and KV head, as a multiple of
 * what reading the bytes takes at the bandwidth measured in the same run, and against f16 by the same code.
 *
 *   loupe-kv-bench [--isa NAME] [--threads N] [--cells N,N] [--prefill ROWS] [--only TEXT]
 *
 * Figures of different runs or machines do not compare; ratios within a run do.
 */
#include "loupe_kv.h"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Shape {
    const char * name;
    int head_k, head_v, group, kv_heads;
};
constexpr Shape kShapes[] = {
    { "128x6x2", 128, 128, 6, 2 }, // Qwen2.5 1.5B: head, query heads of a KV head, KV heads
    { "64x7x2", 64, 64, 7, 2 },    // Qwen2.5 0.5B
    { "256x4x1", 256, 256, 4, 1 }, // Gemma 3 270M
    { "512x4x1", 512, 512, 4, 1 }, // Gemma 4, global layers
};

struct Pair {
    const char * name;
    lkv_format k, v;
};
constexpr Pair kPairs[] = {
    { "f16/f16", LKV_F16, LKV_F16 }, { "kv8/kv5", LKV_KV8, LKV_KV5 }, { "kv5/kv4", LKV_KV5, LKV_KV4 },
    { "kv4/kv3", LKV_KV4, LKV_KV3 }, { "kv3/kv2", LKV_KV3, LKV_KV2 }, { "kv3m/kv3", LKV_KV3M, LKV_KV3 }, { "kv43m/kv3", LKV_KV43M, LKV_KV3 }, { "kv3m/kv2", LKV_KV3M, LKV_KV2 },
};

struct Aligned {
    explicit Aligned(size_t bytes) : memory(bytes + 64), at((uint8_t *) (((uintptr_t) memory.data() + 63) & ~(uintptr_t) 63)) {}
    std::vector<uint8_t> memory;
    uint8_t * at;
};

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Runs work(thread) on each of n threads.
void inThreads(int n, const std::function<void(int)> & work) {
    std::vector<std::thread> others;
    for (int t = 1; t < n; t++) {
        others.emplace_back(work, t);
    }
    work(0);
    for (std::thread & t : others) {
        t.join();
    }
}

// Bytes per second of a streaming read by n threads, the best of several.
double bandwidth(int n) {
    const size_t words = (size_t) 96 << 20;
    std::vector<uint64_t> memory(words, 1);
    std::atomic<uint64_t> sink{ 0 };
    double best = 0;
    for (int round = 0; round < 4; round++) {
        const double start = seconds();
        inThreads(n, [&](int t) {
            const uint64_t * p = memory.data() + words / (size_t) n * (size_t) t, * end = p + words / (size_t) n;
            uint64_t sum[8] = {};
            for (; p + 8 <= end; p += 8) {
                for (int i = 0; i < 8; i++) {
                    sum[i] += p[i];
                }
            }
            for (const uint64_t s : sum) {
                sink += s;
            }
        });
        best = std::max(best, (double) (words * 8) / (seconds() - start));
    }
    return best;
}

// Rows for a cache of several layers: random ones, encoded once and repeated.
void fill(uint8_t * cache, size_t rows, lkv_format format, int head) {
    constexpr int kDistinct = 257;
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    const size_t bytes = lkv_row_bytes(format, head);
    std::vector<uint8_t> some(kDistinct * bytes);
    std::vector<float> row((size_t) head);
    for (int i = 0; i < kDistinct; i++) {
        for (float & x : row) {
            x = normal(random);
        }
        lkv_encode(format, row.data(), some.data() + (size_t) i * bytes, head);
    }
    for (size_t i = 0; i < rows; i++) {
        memcpy(cache + i * bytes, some.data() + i % kDistinct * bytes, bytes);
    }
}

struct Result {
    double ns;    // per cell and KV head
    double bytes; // of them
};

Result measure(const Shape & shape, const Pair & pair, int64_t cells, int threads, int rows, bool tiled) {
    const size_t k_bytes = lkv_row_bytes(pair.k, shape.head_k), v_bytes = lkv_row_bytes(pair.v, shape.head_v);
    const size_t k_row = k_bytes * (size_t) shape.kv_heads, v_row = v_bytes * (size_t) shape.kv_heads;
    // More than the caches of a core hold, as the layers of a model are.
    const int layers = (int) std::max<size_t>(1, (((size_t) (tiled ? 8 : 96) << 20)) / ((k_row + v_row) * (size_t) cells));
    std::vector<uint8_t> k(k_row * (size_t) cells * (size_t) layers), v(v_row * (size_t) cells * (size_t) layers);
    fill(k.data(), (size_t) cells * (size_t) layers * (size_t) shape.kv_heads, pair.k, shape.head_k);
    fill(v.data(), (size_t) cells * (size_t) layers * (size_t) shape.kv_heads, pair.v, shape.head_v);
    std::mt19937 random(2);
    std::normal_distribution<float> normal;
    std::vector<float> q((size_t) rows * (size_t) shape.head_k);
    for (float & x : q) {
        x = normal(random);
    }
    std::vector<const float *> q_rows;
    for (int r = 0; r < rows; r++) {
        q_rows.push_back(q.data() + (size_t) r * (size_t) shape.head_k);
    }
    const size_t scratch = lkv_scratch_bytes(shape.head_k, shape.head_v, rows);
    Aligned memory(scratch * (size_t) threads);
    std::vector<float> max((size_t) (threads * rows)), sum((size_t) (threads * rows)), out((size_t) (threads * rows * shape.head_v));
    const auto pass = [&](int t) {
        // Parts small enough that the next head finds the lines that it shares with this one in the cache.
        const int64_t part = 1024, from = cells * t / threads / 64 * 64, to = t + 1 == threads ? cells : cells * (t + 1) / threads / 64 * 64;
        for (int layer = 0; layer < layers; layer++) {
            for (int64_t c = from; c < to; c += tiled ? to - from : part) {
                for (int h = 0; h < shape.kv_heads; h++) {
                    lkv_attention a = {};
                    a.k_format = pair.k;
                    a.v_format = pair.v;
                    a.head_k = shape.head_k;
                    a.head_v = shape.head_v;
                    a.k = k.data() + (size_t) layer * k_row * (size_t) cells + (size_t) h * k_bytes;
                    a.v = v.data() + (size_t) layer * v_row * (size_t) cells + (size_t) h * v_bytes;
                    a.k_stride = k_row;
                    a.v_stride = v_row;
                    a.first = c;
                    a.last = tiled ? to : std::min(to, c + part);
                    a.n_rows = rows;
                    a.q = q_rows.data();
                    a.scale = 1 / std::sqrt((float) shape.head_k);
                    a.max = max.data() + t * rows;
                    a.sum = sum.data() + t * rows;
                    a.out = out.data() + (size_t) t * (size_t) rows * (size_t) shape.head_v;
                    a.scratch = memory.at + scratch * (size_t) t;
                    (tiled ? lkv_attend_tiled : lkv_attend)(&a);
                }
            }
        }
    };
    double best = 1e9;
    const double begin = seconds();
    for (int round = 0; round < 3 || (seconds() - begin < 0.25 && round < 50); round++) {
        const double start = seconds();
        inThreads(threads, pass);
        best = std::min(best, seconds() - start);
    }
    return { best * 1e9 / ((double) cells * layers * shape.kv_heads), (double) (k_bytes + v_bytes) };
}

} // namespace

int main(int argc, char ** argv) {
    std::string isa, only, sizes = "4096,16384,32768";
    int threads = 0, prefill = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i], value = argv[i + 1];
        if (name == "--isa") {
            isa = value;
        } else if (name == "--threads") {
            threads = std::atoi(value.c_str());
        } else if (name == "--cells") {
            sizes = value;
        } else if (name == "--prefill") {
            prefill = std::atoi(value.c_str());
        } else if (name == "--only") {
            only = value;
        } else {
            fprintf(stderr, "unknown option %s\n", name.c_str());
            return 2;
        }
    }
    for (int n = threads == 0 ? 1 : threads; n <= (threads == 0 ? 2 : threads); n++) {
        const double speed = bandwidth(n);
        printf("%d thread%s: reads %.1f GB/s\n", n, n == 1 ? "" : "s", speed * 1e-9);
        printf("%-8s %-8s %6s %-8s %10s %8s %10s %12s\n", "isa", "shape", "cells", "k/v", "ns/cell", "floor x", "f16 x", prefill ? "GMAC/s" : "bytes/cell");
        for (int set = LKV_ISA_COUNT - 1; set >= 0; set--) {
            const lkv_isa which = (lkv_isa) set;
            if (!lkv_isa_granted(which) || (!isa.empty() && isa != lkv_isa_name(which)) || !lkv_isa_force(which)) {
                continue;
            }
            for (const Shape & shape : kShapes) {
                for (size_t at = 0; at < sizes.size();) {
                    const size_t comma = std::min(sizes.find(',', at), sizes.size());
                    const int64_t cells = std::atoll(sizes.substr(at, comma - at).c_str());
                    at = comma + 1;
                    double f16 = 0;
                    for (const Pair & pair : kPairs) {
                        const std::string what = std::string(shape.name) + " " + pair.name;
                        if (what.find(only) == std::string::npos && pair.k != LKV_F16) {
                            continue;
                        }
                        if (!only.empty() && only.find(shape.name) == std::string::npos && only.find('x') != std::string::npos) {
                            continue;
                        }
                        const int rows = prefill ? prefill : shape.group;
                        const Result r = measure(shape, pair, cells, n, rows, prefill != 0);
                        f16 = pair.k == LKV_F16 ? r.ns : f16;
                        printf("%-8s %-8s %6lld %-8s %10.2f %8.2f %10.2f %12.1f\n", lkv_isa_name(which), shape.name, (long long) cells, pair.name, r.ns,
                               r.ns / (r.bytes / speed * 1e9), f16 / r.ns, prefill ? rows * (shape.head_k + shape.head_v) / r.ns : r.bytes);
                        fflush(stdout);
                    }
                }
            }
        }
    }
    return 0;
}
