# How tests are made. GoogleTest's are named Suite.Name; all others have a lower-case group before a
# slash, so a run that has lost the real suite can be told from a complete one.
include(GoogleTest)

# brood_discover_tests(TARGET): each of its tests becomes one of CTest's. They are listed when CTest
# starts, not at build time, when there may be no Wine session yet.
function(brood_discover_tests target)
  gtest_discover_tests(${target}
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 120
    PROPERTIES TIMEOUT 120)
endfunction()

# brood_c_test(NAME SOURCE): a program in C11 whose text is also compiled as C++17; both have to
# exit with 0.
function(brood_c_test name source)
  set(twin "${CMAKE_CURRENT_BINARY_DIR}/${name}_as_cxx.cc")
  file(CONFIGURE OUTPUT "${twin}" CONTENT "#include \"${CMAKE_CURRENT_SOURCE_DIR}/${source}\"\n")
  add_executable(${name}_test_c ${source})
  add_executable(${name}_test_cxx ${twin})
  set_target_properties(${name}_test_c PROPERTIES C_STANDARD 11 C_EXTENSIONS OFF)
  set_target_properties(${name}_test_cxx PROPERTIES CXX_STANDARD 17 CXX_EXTENSIONS OFF)
  foreach(language IN ITEMS c cxx)
    target_link_libraries(${name}_test_${language} PRIVATE brood::brood brood_warnings)
    add_test(NAME ${language}/${name} COMMAND ${name}_test_${language})
    set_tests_properties(${language}/${name} PROPERTIES TIMEOUT 120)
  endforeach()
endfunction()

# brood_compile_fail(NAME SOURCE REGEX [DEFINITION...]): SOURCE (C, or C++ by its ending) must not
# compile, and the compiler must say something that matches REGEX. With `-DBROOD_COMPILES` in place
# of the definitions it must compile, so that only the mistake itself can be what failed.
function(brood_compile_fail name source regex)
  if(source MATCHES "\\.c$")
    set(compiler "${CMAKE_C_COMPILER}")
    set(standard -std=c11)
  else()
    set(compiler "${CMAKE_CXX_COMPILER}")
    set(standard -std=c++17)
  endif()
  if(MSVC)
    set(command "${compiler}" /nologo /Zs)
  else()
    set(command "${compiler}" ${standard} -Wall -Wextra -Werror -fsyntax-only)
  endif()
  list(APPEND command "-I${PROJECT_SOURCE_DIR}/include" "${CMAKE_CURRENT_SOURCE_DIR}/${source}")
  list(TRANSFORM ARGN PREPEND -D OUTPUT_VARIABLE definitions)
  add_test(NAME compile-fail/${name}
    COMMAND "${CMAKE_COMMAND}" "-DCOMMAND=${command}" "-DMISTAKE=${definitions}"
      "-DREGEX=${regex}" -P "${PROJECT_SOURCE_DIR}/cmake/compile-fail.cmake")
  set_tests_properties(compile-fail/${name} PROPERTIES TIMEOUT 120)
endfunction()

# brood_check_headers(): each public header compiles alone, in C11 and in C++17.
function(brood_check_headers)
  file(GLOB headers CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}/include"
    "${PROJECT_SOURCE_DIR}/include/brood.h" "${PROJECT_SOURCE_DIR}/include/brood/*.h")
  set(sources "")
  foreach(header IN LISTS headers)
    string(MAKE_C_IDENTIFIER "${header}" name)
    foreach(suffix IN ITEMS c cc)
      set(source "${CMAKE_CURRENT_BINARY_DIR}/headers/${name}.${suffix}")
      # The declaration: a translation unit must not be empty.
      file(CONFIGURE OUTPUT "${source}"
        CONTENT "#include <${header}>\nextern int compiled_${name};\n")
      list(APPEND sources "${source}")
    endforeach()
  endforeach()
  add_library(brood_headers OBJECT ${sources})
  set_target_properties(brood_headers PROPERTIES
    C_STANDARD 11 C_EXTENSIONS OFF
    CXX_STANDARD 17 CXX_EXTENSIONS OFF)
  target_include_directories(brood_headers PRIVATE "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(brood_headers PRIVATE brood_warnings)
endfunction()
