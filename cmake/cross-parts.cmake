# cross_parts(TARGET): where a tool chain finds the libraries that tools/cross/build-parts.sh has
# built for TARGET.
macro(cross_parts target)
  if(DEFINED ENV{BROOD_CACHE})
    set(_brood_cache "$ENV{BROOD_CACHE}")
  elseif(DEFINED ENV{XDG_CACHE_HOME})
    set(_brood_cache "$ENV{XDG_CACHE_HOME}/brood")
  else()
    set(_brood_cache "$ENV{HOME}/.cache/brood")
  endif()
  list(APPEND CMAKE_FIND_ROOT_PATH
    "${_brood_cache}/${target}/libsodium"
    "${_brood_cache}/${target}/googletest"
    "${_brood_cache}/${target}/json")
  set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
  set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
  set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
  set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
endmacro()
