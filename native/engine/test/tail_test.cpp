// llama-kv-tail: which tokens have a row in F16, and what a query reads there.

#include "check.h"

#include "llama-kv-cells.h"
#include "llama-kv-tail.h"

#include <algorithm>
#include <cmath>

namespace {

constexpr uint32_t N_ROWS = llama_kv_tail::N_ROWS, SCRATCH = llama_kv_tail::SCRATCH, SINKS = llama_kv_tail::N_SINKS, NEWEST = llama_kv_tail::N_NEWEST;

// a stream of cells, each with its position, as the cache keeps it beside the tail
struct stream {
    llama_kv_cells cells;
    llama_kv_tail  tail;

    explicit stream(uint32_t n) : tail(n, 1) { cells.resize(n); }

    void put(uint32_t cell, llama_pos pos, llama_seq_id seq = 0) {
        cells.pos_set(cell, pos);
        cells.seq_add(cell, seq);
        tail.assign(0, cell, pos);
    }
    void fill(uint32_t n) {
        for (uint32_t i = 0; i < n; i++) {
            put(i, (llama_pos) i);
        }
    }

    // cells that a query at this position reads in F16, all cells before it being open to it; checks that no cell is read twice or not at all
    std::vector<uint32_t> read_in_f16(llama_pos pos, llama_seq_id seq = 0) {
        const uint32_t n_kv = cells.size();
        const ggml_fp16_t open = ggml_fp32_to_fp16(0), hidden = ggml_fp32_to_fp16(-INFINITY);
        std::vector<ggml_fp16_t> mask(n_kv), rows(N_ROWS, 0x1234);
        uint32_t n_open = 0;
        for (uint32_t i = 0; i < n_kv; i++) {
            const bool seen = !cells.is_empty(i) && cells.seq_has(i, seq) && cells.pos_get(i) <= pos;
            mask[i] = seen ? open : hidden;
            n_open += seen;
        }
        const auto before = mask;
        tail.split_mask(0, cells, &pos, 1, n_kv, mask.data(), rows.data());
        std::vector<uint32_t> read;
        for (uint32_t row = 0; row < N_ROWS; row++) {
            CHECK(rows[row] == open || rows[row] == hidden);
            if (rows[row] == open) {
                const int32_t cell = tail.cell_of(0, row);
                CHECK(cell >= 0 && before[cell] == open && mask[cell] == hidden);
                read.push_back(cell);
            }
        }
        uint32_t left = 0;
        for (uint32_t i = 0; i < n_kv; i++) {
            left += mask[i] == open;
        }
        CHECK(left + read.size() == n_open);
        std::sort(read.begin(), read.end());
        return read;
    }
};

} // namespace

TEST("tail: the first 8 tokens and the newest 128 are read in F16, whatever the length") {
    for (const uint32_t n : {1u, 7u, 8u, 9u, 127u, 128u, 136u, 137u, 700u, 704u, 1400u, 5000u}) {
        check::context() = std::to_string(n) + " tokens";
        stream s(n);
        s.fill(n);
        const auto read = s.read_in_f16((llama_pos) n - 1);
        std::vector<uint32_t> wanted;
        for (uint32_t i = 0; i < n; i++) {
            if (i < SINKS || n - 1 - i < NEWEST) {
                wanted.push_back(i);
            }
        }
        CHECK(read == wanted);
    }
}

TEST("tail: in a batch of the largest size every token still finds the 128 before it") {
    constexpr uint32_t n = 3000, batch = llama_kv_tail::N_BATCH;
    stream s(n);
    s.fill(n); // the last `batch` of them are one batch: all are assigned before any is read
    for (uint32_t pos = n - batch; pos < n; pos++) {
        const auto read = s.read_in_f16((llama_pos) pos);
        CHECK(read.size() == SINKS + NEWEST && read[SINKS] == pos - NEWEST + 1 && read.back() == pos);
    }
}

TEST("tail: positions of one distance share a row, the newer one has it, and none is the scratch row") {
    constexpr uint32_t ring = SCRATCH - SINKS;
    stream s(ring + 10);
    s.put(0, 20);
    const int32_t row = s.tail.row_of(0, 0);
    CHECK(row >= (int32_t) SINKS);
    s.put(1, 20 + ring);
    CHECK(s.tail.row_of(0, 1) == row && s.tail.cell_of(0, row) == 1 && s.tail.row_of(0, 0) == -1);
    s.put(2, 21);
    CHECK(s.tail.row_of(0, 2) != row);
    for (uint32_t i = 0; i < ring + 10; i++) {
        s.tail.assign(0, i, (llama_pos) (1000000 + i));
        CHECK(s.tail.row_of(0, i) >= (int32_t) SINKS && s.tail.row_of(0, i) < (int32_t) SCRATCH);
    }
    for (const llama_pos odd : {-1, -1000, INT32_MAX}) { // out of a damaged file
        s.tail.assign(0, 3, odd);
        CHECK(s.tail.row_of(0, 3) >= 0 && s.tail.row_of(0, 3) < (int32_t) SCRATCH);
    }
}

TEST("tail: a token that is stored in a used cell takes the row of the old one away") {
    stream s(16);
    s.fill(16);
    const int32_t old = s.tail.row_of(0, 9);
    s.cells.rm(9);
    CHECK(s.read_in_f16(15).size() == 15); // emptied: not read, though its row is still known
    s.put(9, 400);
    CHECK(s.tail.cell_of(0, old) == -1 && s.tail.row_of(0, 9) != old);
    s.tail.forget(0, 9);
    CHECK(s.tail.row_of(0, 9) == -1);
    s.tail.forget(0, 9); // once more is no harm
    const auto read = s.read_in_f16(400);
    CHECK(std::find(read.begin(), read.end(), 9u) == read.end());
}

TEST("tail: after going back, what was pushed out is read compressed and new tokens in F16") {
    constexpr uint32_t n = 2000, back = 1000;
    stream s(n);
    s.fill(n);
    for (uint32_t i = back; i < n; i++) {
        s.cells.rm(i);
    }
    s.put(back, back);
    const auto read = s.read_in_f16(back);
    CHECK(std::find(read.begin(), read.end(), back) != read.end() && read.size() == SINKS + 1);
    for (uint32_t i = back + 1; i < back + 200; i++) {
        s.put(i, (llama_pos) i);
    }
    CHECK(s.read_in_f16(back + 199).size() == SINKS + NEWEST);
}

TEST("tail: sequences of one stream share the rows, and none reads the other's") {
    stream s(64);
    for (uint32_t i = 0; i < 32; i++) {
        s.put(i, (llama_pos) i, 0);
        s.put(32 + i, (llama_pos) i, 1); // the same positions: these have the rows now
    }
    CHECK(s.read_in_f16(31, 0).empty());
    const auto read = s.read_in_f16(31, 1);
    CHECK(read.size() == 32 && read.front() == 32);
}

TEST("tail: streams are apart; one can be copied over another, and cleared alone") {
    llama_kv_tail tail(100, 3);
    tail.assign(0, 5, 50);
    tail.assign(1, 6, 60);
    tail.copy(0, 2);
    CHECK(tail.row_of(2, 5) == tail.row_of(0, 5) && tail.row_of(2, 6) == -1 && tail.row_of(0, 6) == -1);
    tail.clear(0);
    CHECK(tail.row_of(0, 5) == -1 && tail.row_of(2, 5) >= 0 && tail.row_of(1, 6) >= 0);
    tail.clear();
    CHECK(tail.row_of(1, 6) == -1 && tail.row_of(2, 5) == -1);
}
