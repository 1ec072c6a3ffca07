# Every source of the library, with the flags that its instruction set needs; included by this project and by the engine's build.
set(LOUPE_KV_DIR ${CMAKE_CURRENT_LIST_DIR})
set(LOUPE_KV_SOURCES)
list(APPEND LOUPE_KV_SOURCES ${LOUPE_KV_DIR}/src/options.cpp)
