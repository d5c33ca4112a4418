include("${CMAKE_CURRENT_LIST_DIR}/cross-linux.cmake")
cross_linux(aarch64)
