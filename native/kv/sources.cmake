# Every source of the library, with the flags that its instruction set needs; included by this project and by the engine's build.
# A file for an instruction set that the target does not have compiles to nothing.
set(LOUPE_KV_DIR ${CMAKE_CURRENT_LIST_DIR})
set(LOUPE_KV_SOURCES
  ${LOUPE_KV_DIR}/src/loupe_kv.cpp
  ${LOUPE_KV_DIR}/src/isa.cpp
  ${LOUPE_KV_DIR}/src/formats_scalar.cpp
  ${LOUPE_KV_DIR}/src/attend/attend.cpp
  ${LOUPE_KV_DIR}/src/attend/attend_scalar.cpp
  ${LOUPE_KV_DIR}/src/attend/reference.cpp
)
set(LOUPE_KV_AVX2_SOURCES
  ${LOUPE_KV_DIR}/src/formats_avx2.cpp
  ${LOUPE_KV_DIR}/src/attend/attend_avx2.cpp
)
set(LOUPE_KV_AVX512_SOURCES
  ${LOUPE_KV_DIR}/src/formats_avx512.cpp
  ${LOUPE_KV_DIR}/src/attend/attend_avx512.cpp
)
set(LOUPE_KV_NEON_SOURCES
  ${LOUPE_KV_DIR}/src/formats_neon.cpp
  ${LOUPE_KV_DIR}/src/attend/attend_neon.cpp
)

# What the compiler targets; on macOS a build for another processor names it in CMAKE_OSX_ARCHITECTURES, one at a time.
set(LOUPE_KV_PROCESSOR ${CMAKE_SYSTEM_PROCESSOR})
if(CMAKE_OSX_ARCHITECTURES)
  set(LOUPE_KV_PROCESSOR ${CMAKE_OSX_ARCHITECTURES})
elseif(MSVC AND CMAKE_CXX_COMPILER_ARCHITECTURE_ID)
  set(LOUPE_KV_PROCESSOR ${CMAKE_CXX_COMPILER_ARCHITECTURE_ID})
endif()

# Bit-identical results on all of them: a product and a sum are two roundings unless the source says otherwise.
if(MSVC AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  set(LOUPE_KV_FLAGS /fp:precise)
elseif(MSVC)
  set(LOUPE_KV_FLAGS /clang:-ffp-contract=off)
else()
  set(LOUPE_KV_FLAGS -ffp-contract=off)
endif()
set(LOUPE_KV_AVX2_FLAGS ${LOUPE_KV_FLAGS})
set(LOUPE_KV_AVX512_FLAGS ${LOUPE_KV_FLAGS})
set(LOUPE_KV_NEON_FLAGS ${LOUPE_KV_FLAGS})
if(LOUPE_KV_PROCESSOR MATCHES "^(x86_64|AMD64|amd64|x64)$")
  if(MSVC AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    list(APPEND LOUPE_KV_AVX2_FLAGS /arch:AVX2)
    list(APPEND LOUPE_KV_AVX512_FLAGS /arch:AVX512)
  else()
    list(APPEND LOUPE_KV_AVX2_FLAGS -mavx2 -mfma -mf16c)
    list(APPEND LOUPE_KV_AVX512_FLAGS -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vbmi -mavx512vnni)
  endif()
elseif(LOUPE_KV_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$" AND NOT MSVC)
  list(APPEND LOUPE_KV_NEON_FLAGS -march=armv8.2-a+dotprod)
endif()
set_source_files_properties(${LOUPE_KV_SOURCES} PROPERTIES COMPILE_OPTIONS "${LOUPE_KV_FLAGS}")
set_source_files_properties(${LOUPE_KV_AVX2_SOURCES} PROPERTIES COMPILE_OPTIONS "${LOUPE_KV_AVX2_FLAGS}")
set_source_files_properties(${LOUPE_KV_AVX512_SOURCES} PROPERTIES COMPILE_OPTIONS "${LOUPE_KV_AVX512_FLAGS}")
set_source_files_properties(${LOUPE_KV_NEON_SOURCES} PROPERTIES COMPILE_OPTIONS "${LOUPE_KV_NEON_FLAGS}")
list(APPEND LOUPE_KV_SOURCES ${LOUPE_KV_AVX2_SOURCES} ${LOUPE_KV_AVX512_SOURCES} ${LOUPE_KV_NEON_SOURCES})
