# A big-endian processor.
include("${CMAKE_CURRENT_LIST_DIR}/cross-linux.cmake")
cross_linux(s390x)
