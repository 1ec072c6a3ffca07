/*
 * Options of the compressed KV cache that a context has no parameter for. They hold for the contexts created after they were set:
 * set them, create the context, and let no other thread create one in between.
 */
#ifndef LOUPE_OPTIONS_H
#define LOUPE_OPTIONS_H

#include "loupe_kv.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lkv_options {
    /* Bits per pair of a key and a value, as the mean over the layers that keep every token: the engine chooses the formats of each
       of those layers from its weights, at most those that the context was created with. 0: the same formats in all of them. */
    float mean_bits;
    int32_t sinks; /* first tokens of a sequence that stay in f16 */
    int32_t tail;  /* newest tokens of a sequence that stay in f16 */
};

/* The same formats in all layers, nothing in f16. */
LKV_API struct lkv_options lkv_default_options(void);
/* Sets them. 0, and nothing is changed, when mean_bits is not in 0..32 or a count is not in 0..65536. */
LKV_API int lkv_set_options(const struct lkv_options * options);
/* Those in force. */
LKV_API struct lkv_options lkv_get_options(void);

#ifdef __cplusplus
}
#endif
#endif
