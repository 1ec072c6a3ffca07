/* Attention of every instruction set against the definition in double precision. */
#include "attend/attend.h"
#include "attend_case.h"

namespace {

void expectLikeReference(AttendCase & c, const char * what) {
    const AttendResult expected = c.run(lkv_attend_reference);
    for (const lkv_isa isa : grantedIsas()) {
        WithIsa use(isa);
        for (const auto attend : { lkv_attend, lkv_attend_tiled }) {
            check::context() = std::string(what) + " " + lkv_info(c.s.k)->name + "/" + lkv_info(c.s.v)->name + " head " + std::to_string(c.s.head_k) + "/" +
                std::to_string(c.s.head_v) + " rows " + std::to_string(c.s.rows) + " cells " + std::to_string(c.s.cells) + " on " + lkv_isa_name(isa);
            const AttendResult actual = c.run(attend);
            const double error = attendError(actual, expected, c.s.head_v);
            CHECK(error >= 0);
            CHECK_AT_MOST(error, attendTolerance(isa, c.s));
        }
    }
}

bool fits(lkv_format format, int head) { return head % lkv_info(format)->block == 0; }

} // namespace

TEST("attend: every pair of formats is like the definition") {
    for (int k = 0; k < LKV_FORMAT_COUNT; k++) {
        for (int v = 0; v < LKV_KV3M; v++) { // mixed formats are for keys
            if ((k == LKV_F16) != (v == LKV_F16)) continue;
            AttendShape s;
            s.k = (lkv_format) k; s.v = (lkv_format) v; s.cells = 150; s.rows = 1 + (k + v) % 8; s.seed = (uint64_t) (k * 100 + v + 1);
            AttendCase c(s);
            expectLikeReference(c, "pairs");
        }
    }
}

TEST("attend: head sizes, numbers of rows and lengths are like the definition") {
    const struct { int k, v; } heads[] = { { 64, 64 }, { 96, 96 }, { 128, 128 }, { 256, 256 }, { 512, 512 }, { 576, 512 }, { 32, 96 } };
    const int rows[] = { 1, 2, 3, 5, 6, 7, 8, 12, 33, 64, 100 };
    const int64_t cells[] = { 1, 63, 64, 65, 321 };
    const lkv_format pairs[][2] = { { LKV_F16, LKV_F16 }, { LKV_KV5, LKV_KV4 }, { LKV_KV8, LKV_KV8 }, { LKV_KV3_32, LKV_KV5_32 }, { LKV_KV3M, LKV_KV3 }, { LKV_KV3M_32, LKV_KV2_32 },
        { LKV_KV43M, LKV_KV3 }, { LKV_KV43M_32, LKV_KV3_32 } };
    uint64_t seed = 1;
    for (const auto & head : heads) {
        for (const auto & pair : pairs) {
            if (!fits(pair[0], head.k) || !fits(pair[1], head.v)) continue;
            for (int i = 0; i < 5; i++, seed++) {
                AttendShape s;
                s.k = pair[0]; s.v = pair[1]; s.head_k = head.k; s.head_v = head.v; s.seed = seed;
                s.rows = rows[seed % 11]; s.cells = cells[i]; s.odd_strides = seed % 3 != 0;
                if (s.rows * s.cells * s.head_k > 2000000) s.rows = 7;
                AttendCase c(s);
                expectLikeReference(c, "shapes");
            }
        }
    }
    for (const int n : rows) {
        AttendShape s;
        s.rows = n; s.head_k = s.head_v = 64; s.cells = n == 6 ? 1000 : 130; s.seed = 900 + (uint64_t) n;
        AttendCase c(s);
        expectLikeReference(c, "rows");
    }
}

TEST("attend: masks, ALiBi and softcap are like the definition") {
    for (const MaskShape mask : { MaskShape::Causal, MaskShape::Window, MaskShape::Holes, MaskShape::Hidden, MaskShape::Slopes }) {
        for (const float cap : { 0.0f, 2.0f, 50.0f }) {
            for (const lkv_format k : { LKV_F16, LKV_KV4 }) {
                AttendShape s;
                s.k = k; s.v = k == LKV_F16 ? LKV_F16 : LKV_KV3; s.cells = 277; s.rows = cap == 2.0f ? 20 : 5; s.seed = 40 + (uint64_t) mask;
                AttendCase c(s);
                c.setMask(mask);
                c.a.softcap = cap;
                expectLikeReference(c, "masks");
            }
        }
    }
}

TEST("attend: a row that sees nothing is -infinity, 0 and zeros, without scratch or output mattering before") {
    AttendShape s;
    s.rows = 9;
    AttendCase c(s);
    c.setMask(MaskShape::Hidden);
    for (const lkv_isa isa : grantedIsas()) {
        WithIsa use(isa);
        const AttendResult r = c.run(lkv_attend);
        for (size_t row = 1; row < 9; row++) CHECK(r.max[row] == -INFINITY && r.sum[row] == 0 && r.out[row * 128 + 5] == 0);
        CHECK(r.max[0] > -INFINITY && r.sum[0] >= 1);
        const AttendResult none = c.run(lkv_attend, 70, 70);
        CHECK(none.max[0] == -INFINITY && none.sum[0] == 0 && none.out[0] == 0);
    }
}

TEST("attend: the exact key bias agrees with angles in double precision, at scores of thousands") {
    for (const int64_t from : { (int64_t) 1234, (int64_t) -1 }) {
        for (const int pairs : { 1, 7, 64 }) {
            AttendShape s;
            s.k = s.v = LKV_F16; s.cells = 200; s.rows = 9; s.seed = (uint64_t) pairs;
            AttendCase c(s);
            c.setBias(pairs, from, 30);
            c.a.scale = 1;
            for (auto & row : c.queries) std::memset(row->data(), 0, row->size); // the bias alone
            for (const lkv_isa isa : grantedIsas()) {
                WithIsa use(isa);
                check::context() = std::to_string(pairs) + " pairs on " + lkv_isa_name(isa);
                for (int64_t cell = 0; cell < s.cells; cell += 7) {
                    const AttendResult r = c.run(lkv_attend, cell, cell + 1);
                    for (int row = 0; row < s.rows; row++) {
                        double score = 0;
                        for (int i = 0; i < pairs; i++) {
                            const double angle = c.thetas[(size_t) i] * c.positions[(size_t) cell];
                            score += c.ab[(size_t) (row * pairs + i) * 2] * std::cos(angle) + c.ab[(size_t) (row * pairs + i) * 2 + 1] * std::sin(angle);
                        }
                        CHECK_NEAR(r.max[(size_t) row], score, 1e-6 * 30 * pairs + 1e-5);
                    }
                }
                // A whole tile of consecutive cells takes another way than single ones.
                const AttendResult whole = c.run(lkv_attend), expected = c.run(lkv_attend_reference);
                const double error = attendError(whole, expected, s.head_v);
                CHECK(error >= 0);
                CHECK_AT_MOST(error, 1e-4 * pairs);
            }
        }
    }
}

TEST("attend: positions of hidden cells may be anything") {
    AttendShape s;
    s.cells = 130;
    AttendCase c(s);
    c.setMask(MaskShape::Causal);
    c.setBias(5, 10, 1);
    const AttendResult before = c.run(lkv_attend_reference, 0, 100);
    for (int64_t cell = 100; cell < 130; cell++) {
        for (const uint16_t * mask : c.maskRows) const_cast<uint16_t *>(mask)[cell] = 0xFC00;
        c.positions[(size_t) cell] = cell % 2 ? -2147483647 : 2147483647;
    }
    for (const lkv_isa isa : grantedIsas()) {
        WithIsa use(isa);
        const double error = attendError(c.run(lkv_attend), before, s.head_v);
        CHECK(error >= 0);
        CHECK_AT_MOST(error, attendTolerance(isa, s));
    }
}

TEST("attend: parts merged are the whole, in any order, and empty parts change nothing") {
    for (const lkv_format k : { LKV_F16, LKV_KV5, LKV_KV8_32 }) {
        AttendShape s;
        s.k = k; s.v = k == LKV_F16 ? LKV_F16 : LKV_KV4; s.cells = 500; s.query = 2;
        AttendCase c(s);
        c.setMask(MaskShape::Holes);
        c.setBias(3, 100, 1);
        for (const lkv_isa isa : grantedIsas()) {
            WithIsa use(isa);
            check::context() = lkv_isa_name(isa);
            const AttendResult whole = c.run(lkv_attend);
            AttendResult sum(c.a);
            std::fill(sum.max.begin(), sum.max.end(), -INFINITY);
            std::fill(sum.sum.begin(), sum.sum.end(), 0.0f);
            std::fill(sum.out.begin(), sum.out.end(), 0.0f);
            const int64_t edges[] = { 450, 500, 129, 450, 0, 77, 77, 77, 77, 129 };
            for (int i = 0; i < 10; i += 2) {
                const AttendResult part = c.run(lkv_attend, edges[i], edges[i + 1]);
                lkv_merge(s.rows, s.head_v, sum.max.data(), sum.sum.data(), sum.out.data(), part.max.data(), part.sum.data(), part.out.data());
            }
            const double error = attendError(sum, whole, s.head_v);
            CHECK(error >= 0);
            CHECK_AT_MOST(error, attendTolerance(isa, s));
        }
    }
}

TEST("attend: two calls give the same bits, and a row alone the same as among others") {
    for (const lkv_format v : { LKV_F16, LKV_KV4, LKV_KV8 }) {
        AttendShape s;
        s.k = v == LKV_F16 ? LKV_F16 : LKV_KV5; s.v = v; s.rows = 14; s.query = 3;
        AttendCase c(s);
        for (const lkv_isa isa : grantedIsas()) {
            WithIsa use(isa);
            check::context() = std::string(lkv_info(v)->name) + " on " + lkv_isa_name(isa);
            const AttendResult a = c.run(lkv_attend), b = c.run(lkv_attend);
            CHECK(sameBits(a.out, b.out) && sameBits(a.max, b.max) && sameBits(a.sum, b.sum));
            const lkv_attention all = c.a;
            c.a.n_rows = 1;
            c.a.q = all.q + 5;
            const AttendResult alone = c.run(lkv_attend);
            c.a = all;
            CHECK(alone.max[0] == a.max[5] && alone.sum[0] == a.sum[5] && std::memcmp(alone.out.data(), a.out.data() + 5 * 128, 128 * sizeof(float)) == 0);
        }
    }
}

TEST("attend: the forced instruction set is the one that computes") {
    AttendCase c((AttendShape()));
    struct Direct { lkv_isa isa; void (* attend)(const lkv_attention *); };
    std::vector<Direct> all = { { LKV_ISA_SCALAR, [](const lkv_attention * a) { lkv::attendScalar(*a); } } };
#if defined(LKV_X86)
    all.push_back({ LKV_ISA_AVX2, [](const lkv_attention * a) { lkv::attendAvx2(*a); } });
    all.push_back({ LKV_ISA_AVX512, [](const lkv_attention * a) { lkv::attendAvx512(*a); } });
#elif defined(LKV_ARM64)
    all.push_back({ LKV_ISA_NEON, [](const lkv_attention * a) { lkv::attendNeon(*a); } });
#endif
    for (const Direct & used : all) {
        if (!lkv_isa_granted(used.isa)) continue;
        WithIsa use(used.isa);
        const AttendResult actual = c.run(lkv_attend);
        for (const Direct & other : all) {
            // They round differently, so that the bits tell them apart.
            if (lkv_isa_granted(other.isa)) CHECK(sameBits(actual.out, c.run(other.attend).out) == (other.isa == used.isa));
        }
    }
}
