/*
 * Compressed key/value cache: storage formats and CPU attention over them.
 *
 * Rows that come here have been rotated (Hadamard) and balanced, so that their values are close to a normal distribution; the formats
 * are Lloyd-Max codebooks for it (TurboQuant, arXiv 2504.19874) with one fitted 8-bit scale for each block of 64 or 32 values.
 *
 * No function allocates, throws or locks. Shapes are in values, strides in bytes unless said otherwise.
 */
#ifndef LOUPE_KV_H
#define LOUPE_KV_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#  if defined(LKV_BUILD)
#    define LKV_API __declspec(dllexport)
#  else
#    define LKV_API
#  endif
#else
#  define LKV_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Version of all byte layouts and codebooks below. A snapshot that names another one is refused. */
#define LKV_FORMAT_VERSION 1

enum lkv_format {
    LKV_F16 = 0, /* IEEE half, no blocks */
    /* blocks of 64 values; bytes: 1 scale, then the planes described in src/layout.h */
    LKV_KV2, LKV_KV3, LKV_KV4, LKV_KV5, LKV_KV8,
    /* the same with blocks of 32 values, for head sizes that 64 does not divide (96) */
    LKV_KV2_32, LKV_KV3_32, LKV_KV4_32, LKV_KV5_32, LKV_KV8_32,
    /* for keys only, two blocks in turn, for channels with much and with little energy: kv4 and kv2, 3 bits on the average, and kv4 and kv3 */
    LKV_KV3M, LKV_KV3M_32, LKV_KV43M, LKV_KV43M_32,
    LKV_FORMAT_COUNT
};

struct lkv_format_info {
    const char * name;   /* "kv4", "kv4_32"; the name of the ggml type */
    int32_t bits;        /* bits of a code; of a mixed format, of a code of each of its blocks together */
    int32_t block;       /* values in a block; of a mixed format, in both of its blocks */
    int32_t block_bytes; /* bytes of it */
    enum lkv_format parts[2]; /* of a mixed format, those of its blocks; LKV_F16 twice for any other */
};

/* Values that share a scale: a block, or half of one in a mixed format. */
#define LKV_SCALED(info) ((info)->block >> ((info)->parts[0] != LKV_F16))

/* Description of a format; NULL when `format` is none. */
LKV_API const struct lkv_format_info * lkv_info(enum lkv_format format);

/* ---- instruction sets ---- */

enum lkv_isa { LKV_ISA_SCALAR = 0, LKV_ISA_AVX2, LKV_ISA_AVX512, LKV_ISA_NEON, LKV_ISA_COUNT };

/*
 * The instruction set in use: the best that this processor and its operating system grant (AVX512 means F, BW, VL, DQ, VBMI and VNNI;
 * AVX2 means with FMA and F16C; NEON means with dot product), or the one that the environment variable LOUPE_KV_ISA names
 * ("scalar", "avx2", "avx512", "neon"; ignored with a line on stderr when it is not granted). Chosen once, at the first call.
 */
LKV_API enum lkv_isa lkv_isa_in_use(void);
LKV_API const char * lkv_isa_name(enum lkv_isa isa);
/* 1 when this processor grants it. */
LKV_API int lkv_isa_granted(enum lkv_isa isa);
/* For tests and benchmarks: uses another one from now on, in all threads. 0 when it is not granted. */
LKV_API int lkv_isa_force(enum lkv_isa isa);

/* ---- rows ---- */

/* Bytes of n values; n is a multiple of the block. */
LKV_API size_t lkv_row_bytes(enum lkv_format format, int64_t n);

/* Encodes n values (a multiple of the block). Every instruction set gives the same bytes. NaN counts as 0, infinity as the largest finite. */
LKV_API void lkv_encode(enum lkv_format format, const float * values, void * row, int64_t n);
LKV_API void lkv_decode(enum lkv_format format, const void * row, float * values, int64_t n);

/* In-place orthonormal Walsh-Hadamard transform of each run of `size` values (a power of two, 32 to 512); n is a multiple of it. */
LKV_API void lkv_hadamard(float * values, int64_t n, int32_t size);

/* ---- attention ---- */

/*
 * The exact part of the scores that comes from the key bias of the projection: K = rope(W x) + rope(b) and the cache holds the first
 * part only. For the RoPE pairs with a large bias, rope(b) at position p adds  a[i]*cos(p*theta[i]) + b[i]*sin(p*theta[i])  to the
 * score, where a and b follow from query and bias.
 */
struct lkv_bias {
    int32_t n_pairs;             /* 0 to 64 */
    const float * fine;          /* [n_pairs][2][64]: cos and sin of theta[i]*r, r = 0..63 */
    const float * coarse;        /* [n_coarse][n_pairs][2]: cos and sin of theta[i]*64*c */
    int64_t n_coarse;            /* positions up to 64*n_coarse - 1 */
    const int32_t * position;    /* [cells]: position of each cell; of the cells that the mask hides, anything */
    /* a and b of each query row: [n_rows][n_pairs][2] */
    const float * ab;
};

/*
 * One KV head, the cells first..last-1 of it, and the query rows that share it (heads of the group x tokens). All dot products are
 * those of the mathematical definition up to the rounding of the variant: score = scale * (q . k + bias), softcap, + slope * mask,
 * softmax over the cells, sum of values.
 */
struct lkv_attention {
    enum lkv_format k_format, v_format; /* independent; F16 only together, mixed formats for keys only */
    int32_t head_k, head_v;             /* values in a key and a value head: multiples of 32 and of the format's block, 32 to 576 */
    const void * k; size_t k_stride;    /* the head's part of cell 0; bytes from cell to cell; any alignment */
    const void * v; size_t v_stride;
    int64_t first, last;
    int32_t n_rows;                     /* 1 to 1024 */
    const float * const * q;            /* [n_rows] -> head_k values */
    const uint16_t * const * mask;      /* NULL, or [n_rows] -> half-precision mask, indexed by cell; -infinity hides */
    const float * slope;                /* NULL (1), or [n_rows]: ALiBi slope */
    float scale, softcap;               /* softcap 0: none */
    const struct lkv_bias * bias;       /* or NULL */
    /* Results, as partial sums: max[n_rows] (-infinity when every cell is hidden), sum[n_rows] = sum of exp(score - max),
       out[n_rows][head_v] = sum of exp(score - max) * value. */
    float * max, * sum, * out;
    void * scratch;                     /* lkv_scratch_bytes, 64-byte aligned */
};

/* Bytes of scratch for one call with n_rows query rows. */
LKV_API size_t lkv_scratch_bytes(int32_t head_k, int32_t head_v, int32_t n_rows);

/* For few query rows (decode, up to some tens): each block of the cache is expanded once for all rows. */
LKV_API void lkv_attend(const struct lkv_attention * a);
/* For many query rows (prefill): tiles of cells are expanded once and multiplied with tiles of rows. */
LKV_API void lkv_attend_tiled(const struct lkv_attention * a);
/* The definition, in double precision over decoded rows. Slow; for tests. */
LKV_API void lkv_attend_reference(const struct lkv_attention * a);

/* Adds partial result b to a (log-sum-exp merge), n_rows rows of head_v values; outputs in a. */
LKV_API void lkv_merge(int32_t n_rows, int32_t head_v, float * max_a, float * sum_a, float * out_a, const float * max_b, const float * sum_b, const float * out_b);

#ifdef __cplusplus
}
#endif
#endif
