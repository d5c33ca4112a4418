# cross_linux(PROCESSOR): Linux programs for another processor, from Debian, run by QEMU.
include("${CMAKE_CURRENT_LIST_DIR}/cross-parts.cmake")

macro(cross_linux processor)
  set(CMAKE_SYSTEM_NAME Linux)
  set(CMAKE_SYSTEM_PROCESSOR ${processor})
  set(CMAKE_C_COMPILER ${processor}-linux-gnu-gcc)
  set(CMAKE_CXX_COMPILER ${processor}-linux-gnu-g++)
  set(CMAKE_FIND_ROOT_PATH /usr/${processor}-linux-gnu)
  cross_parts(${processor})
  set(CMAKE_CROSSCOMPILING_EMULATOR qemu-${processor}-static -L /usr/${processor}-linux-gnu)
endmacro()
