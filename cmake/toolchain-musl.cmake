# Linux programs with another C library (musl), from Debian. It has no C++ library.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${CMAKE_HOST_SYSTEM_PROCESSOR})
set(CMAKE_C_COMPILER musl-gcc)

include("${CMAKE_CURRENT_LIST_DIR}/cross-parts.cmake")
set(CMAKE_FIND_ROOT_PATH)
cross_parts(musl)
# The kernel's headers, which are not the C library's; macros of musl's change the sign of numbers.
set(CMAKE_C_FLAGS_INIT "-isystem ${_brood_cache}/musl/kernel/include -Wno-sign-conversion")
