#include "attend.h"
#include "decoded_tiles.h"
#include "driver.h"
#include "float_scalar.h"

namespace lkv {

void attendScalar(const lkv_attention & a) { Attention<ScalarFloats, DecodedTiles<ScalarFloats>>(a).run(); }

} // namespace lkv
