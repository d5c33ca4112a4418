# Windows programs from Debian, with the libraries that tools/windows/build-parts.sh has built.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
# The posix-thread flavour: GoogleTest needs std::mutex.
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-posix)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)

if(DEFINED ENV{BROOD_CACHE})
  set(_brood_cache "$ENV{BROOD_CACHE}")
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(_brood_cache "$ENV{XDG_CACHE_HOME}/brood")
else()
  set(_brood_cache "$ENV{HOME}/.cache/brood")
endif()
set(CMAKE_FIND_ROOT_PATH
  /usr/x86_64-w64-mingw32
  "${_brood_cache}/mingw/libsodium"
  "${_brood_cache}/mingw/googletest"
  "${_brood_cache}/mingw/json")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# The compiler's own runtime goes into programs and DLLs: Wine does not know where its DLLs are.
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
set(CMAKE_SHARED_LINKER_FLAGS_INIT -static)

if(EXISTS /usr/lib/wine/wine64)
  set(CMAKE_CROSSCOMPILING_EMULATOR sh "${CMAKE_CURRENT_LIST_DIR}/../tools/windows/run.sh")
endif()
