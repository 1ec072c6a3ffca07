#include "isa.h"
#if defined(LKV_ARM64)
#include "attend.h"
#include "driver.h"
#include "float_tiles.h"
#include "integer_tiles.h"
#include "kernels_neon.h"

namespace lkv {

void attendNeon(const lkv_attention & a) {
    if (a.k_format == LKV_F16) {
        Attention<NeonFloats, HalfTiles<NeonFloats>>(a).run();
    } else {
        Attention<NeonFloats, IntegerTiles<NeonKernels>>(a).run();
    }
}

} // namespace lkv

#endif
