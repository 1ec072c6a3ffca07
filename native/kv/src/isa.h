/* Which instruction set is in use. Tables of functions are indexed by it. */
#pragma once
#include "loupe_kv.h"

#if defined(__x86_64__) || (defined(_M_X64) && !defined(_M_ARM64EC))
#  define LKV_X86 1
#elif defined(__aarch64__) || defined(_M_ARM64)
#  define LKV_ARM64 1
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#  define LKV_INLINE __forceinline
#else
#  define LKV_INLINE inline __attribute__((always_inline))
#endif
