# Install rules: headers, library, CMake package, pkg-config file.
include(CMakePackageConfigHelpers)
set(BROOD_CMAKEDIR "${CMAKE_INSTALL_LIBDIR}/cmake/brood" CACHE STRING
  "Where the CMake package goes")

install(TARGETS brood EXPORT broodTargets
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
# Beside the library where that is how programs find it, else where programs for programs are.
if(TARGET brood-child)
  set(brood_childdir "${CMAKE_INSTALL_LIBEXECDIR}")
  if(WIN32)
    set(brood_childdir "${CMAKE_INSTALL_BINDIR}")
  endif()
  install(TARGETS brood-child EXPORT broodTargets RUNTIME DESTINATION "${brood_childdir}")
endif()
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

install(EXPORT broodTargets NAMESPACE brood:: DESTINATION ${BROOD_CMAKEDIR})
configure_package_config_file(cmake/broodConfig.cmake.in broodConfig.cmake
  INSTALL_DESTINATION ${BROOD_CMAKEDIR})
# Before 1.0 a minor version may change what programs see.
write_basic_package_version_file(broodConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/broodConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/broodConfigVersion.cmake
  cmake/FindSodium.cmake
  DESTINATION ${BROOD_CMAKEDIR})

# The .pc file finds its prefix from where it lies, so an installed tree can be moved.
set(brood_pc_prefix "${CMAKE_INSTALL_PREFIX}")
set(brood_pc_libdir "${CMAKE_INSTALL_FULL_LIBDIR}")
set(brood_pc_includedir "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" AND NOT IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  file(RELATIVE_PATH brood_pc_up "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
  string(REGEX REPLACE "/$" "" brood_pc_up "${brood_pc_up}")
  set(brood_pc_prefix "\${pcfiledir}/${brood_pc_up}")
  set(brood_pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
  set(brood_pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
set(brood_pc_child "")
if(TARGET brood-child)
  set(brood_pc_child "child=\${prefix}/${brood_childdir}/brood-child${CMAKE_EXECUTABLE_SUFFIX}\n")
endif()
get_target_property(brood_type brood TYPE)
set(brood_pc_requires "")
set(brood_pc_cflags "")
if(brood_type STREQUAL "SHARED_LIBRARY")
  set(brood_pc_cflags " -DBROOD_SHARED")
else()
  set(brood_pc_requires libsodium)
endif()
set(brood_pc_libs_private ${CMAKE_THREAD_LIBS_INIT})
foreach(library IN LISTS BROOD_SYSTEM_LIBRARIES)
  list(APPEND brood_pc_libs_private "-l${library}")
endforeach()
list(JOIN brood_pc_libs_private " " brood_pc_libs_private)
configure_file(cmake/brood.pc.in brood.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/brood.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
