/* Attention at its limits: extreme values, what skipping and rounding lose, and random calls of every kind. */
#include "attend_case.h"

TEST("attend: huge and tiny values stay finite") {
    const double sizes[] = { 0, 1e-38, 1e-20, 1e4, 1e20, 3e37 };
    for (const lkv_format k : { LKV_F16, LKV_KV2, LKV_KV8, LKV_KV5_32, LKV_KV3M, LKV_KV43M_32 }) {
        for (const double size : sizes) {
            AttendShape s;
            s.k = k; s.v = k == LKV_F16 ? LKV_F16 : LKV_KV4; s.query = size; s.cells = 130;
            AttendCase c(s);
            c.setMask(MaskShape::Holes);
            for (const lkv_isa isa : grantedIsas()) {
                WithIsa use(isa);
                check::context() = std::string(lkv_info(k)->name) + " query of size " + std::to_string(size) + " on " + lkv_isa_name(isa);
                for (const float cap : { 0.0f, 30.0f }) {
                    c.a.softcap = cap;
                    const AttendResult r = c.run(lkv_attend);
                    for (const float x : r.out) CHECK(std::isfinite(x));
                    for (const float x : r.sum) CHECK(std::isfinite(x) && x >= 0);
                    for (const float x : r.max) CHECK(!std::isnan(x) && x < INFINITY);
                }
            }
        }
    }
    // Every byte of the cache 255: the largest scale and the highest codes.
    AttendCase c((AttendShape()));
    std::memset(c.keys->data(), 255, c.keys->size);
    std::memset(c.values->data(), 255, c.values->size);
    for (const lkv_isa isa : grantedIsas()) {
        WithIsa use(isa);
        for (const float x : c.run(lkv_attend).out) CHECK(std::isfinite(x));
    }
}

TEST("attend: rounded weights lose under 1 % of a value even where one cell has nearly all the weight") {
    // Keys of zero with one cell above the others: only the weights are rounded here.
    for (const lkv_format v : { LKV_KV2, LKV_KV3, LKV_KV4, LKV_KV5, LKV_KV8 }) {
        for (const double lead : { 0.0, 2.0, 4.0, 5.5, 7.0 }) {
            AttendShape s;
            s.k = LKV_KV8; s.v = v; s.cells = 64; s.rows = 3; s.head_v = 512;
            AttendCase c(s);
            c.setMask(MaskShape::Slopes);
            for (const uint16_t * mask : c.maskRows) {
                for (int64_t cell = 0; cell < 64; cell++) const_cast<uint16_t *>(mask)[cell] = lkv::floatToHalf(cell == 17 ? (float) lead : 0.0f);
            }
            c.a.slope = nullptr;
            for (auto & row : c.queries) std::memset(row->data(), 0, row->size);
            const AttendResult expected = c.run(lkv_attend_reference);
            for (const lkv_isa isa : grantedIsas()) {
                WithIsa use(isa);
                check::context() = std::string(lkv_info(v)->name) + " with a lead of " + std::to_string(lead) + " on " + lkv_isa_name(isa);
                const double error = attendError(c.run(lkv_attend), expected, s.head_v);
                CHECK(error >= 0);
                CHECK_AT_MOST(error, v == LKV_KV8 ? 1e-4 : 0.01);
            }
        }
    }
}

TEST("attend: tiles far below the maximum lose no more than exp(-18) for each cell") {
    for (const double below : { 17.0, 18.5, 40.0 }) {
        AttendShape s;
        s.k = s.v = LKV_F16; s.cells = 64 * 40; s.rows = 2; s.head_k = s.head_v = 64;
        AttendCase c(s);
        c.setMask(MaskShape::Causal);
        for (const uint16_t * mask : c.maskRows) {
            for (int64_t cell = 0; cell < s.cells; cell++) const_cast<uint16_t *>(mask)[cell] = lkv::floatToHalf(cell < 64 ? 0.0f : (float) -below);
        }
        for (auto & row : c.queries) std::memset(row->data(), 0, row->size);
        const AttendResult expected = c.run(lkv_attend_reference);
        for (const lkv_isa isa : grantedIsas()) {
            WithIsa use(isa);
            const AttendResult actual = c.run(lkv_attend);
            // 64 cells at the maximum: the sum is 64 and what was lost.
            CHECK_NEAR(actual.sum[0], expected.sum[0], 40 * 64 * 6e-8 + (double) s.cells * std::exp(-18.0)); // each of 40 tiles rounds
            const double error = attendError(actual, expected, s.head_v);
            CHECK(error >= 0);
            CHECK_AT_MOST(error, 1e-5);
        }
    }
}

TEST("attend: the exponential is exact to two units in the last place where weights count") {
    // One cell at 0 and one at -x: the sum is 1 + exp(-x), the output of the second shows exp(-x) itself.
    AttendShape s;
    s.k = s.v = LKV_F16; s.cells = 2; s.rows = 1; s.head_k = s.head_v = 32;
    AttendCase c(s);
    c.setMask(MaskShape::Causal);
    std::vector<float> one(32, 1.0f), zero(32, 0.0f);
    lkv_encode(LKV_F16, zero.data(), c.values->data(), 32);
    lkv_encode(LKV_F16, one.data(), c.values->data() + c.a.v_stride, 32);
    std::memset(c.queries[0]->data(), 0, c.queries[0]->size);
    uint16_t * mask = const_cast<uint16_t *>(c.maskRows[0]);
    for (const lkv_isa isa : grantedIsas()) {
        WithIsa use(isa);
        check::context() = lkv_isa_name(isa);
        for (int i = 0; i < 3000; i++) {
            mask[0] = 0;
            mask[1] = lkv::floatToHalf((float) (-0.029 * i));
            const double x = lkv::halfToFloat(mask[1]), expected = std::exp(x);
            const AttendResult r = c.run(lkv_attend);
            if (x >= -86) CHECK_AT_MOST(std::fabs(r.out[0] - expected), 2.5e-7 * expected);
            if (x < -87.5) CHECK(r.out[0] == 0);
        }
    }
}

TEST("attend: random calls are like the definition") {
    Random random(20);
    const int calls = 150;
    for (int i = 0; i < calls; i++) {
        AttendShape s;
        do {
            s.k = (lkv_format) random.below(LKV_FORMAT_COUNT);
            s.v = s.k == LKV_F16 ? LKV_F16 : (lkv_format) (1 + random.below(LKV_KV3M - 1));
            s.head_k = 32 * (int) (1 + random.below(random.below(4) == 0 ? 18 : 6));
            s.head_v = 32 * (int) (1 + random.below(random.below(4) == 0 ? 18 : 6));
        } while (s.head_k % lkv_info(s.k)->block || s.head_v % lkv_info(s.v)->block);
        s.rows = (int) (1 + random.below(random.below(5) == 0 ? 70 : 9));
        s.cells = 1 + random.below(300);
        s.query = random.below(3) ? 1.0 : 0.1;
        s.seed = 1000 + (uint64_t) i;
        AttendCase c(s);
        c.setMask((MaskShape) random.below(6));
        if (random.below(2)) c.setBias((int) (1 + random.below(64)), random.below(2) ? (int64_t) random.below(3000) : -1, 0.3);
        if (random.below(3) == 0) c.a.softcap = (float) (1 + random.below(50));
        c.a.first = random.below((uint32_t) s.cells + 1);
        c.a.last = c.a.first + random.below((uint32_t) (s.cells - c.a.first) + 1);
        const AttendResult expected = c.run(lkv_attend_reference);
        for (const lkv_isa isa : grantedIsas()) {
            WithIsa use(isa);
            check::context() = "call " + std::to_string(i) + " on " + lkv_isa_name(isa);
            const double error = attendError(c.run(random.below(2) ? lkv_attend : lkv_attend_tiled), expected, s.head_v);
            CHECK(error >= 0);
            CHECK_AT_MOST(error, attendTolerance(isa, s) * 1.5 + 2e-5);
        }
    }
}
