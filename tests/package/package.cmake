# One STEP (install, find_package, pkg_config, symbols, child, subdirectory) of the package tests, in the
# folder WORK, for a static or shared KIND of the library. See CMakeLists.txt here.

set(prefix "${WORK}/prefix")
string(COMPARE EQUAL "${KIND}" "shared" shared)

# run(COMMAND...): has to succeed; its output is only shown when it does not.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result
    OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    list(JOIN ARGV " " command)
    # What did work is not of interest.
    string(REGEX REPLACE "\\[[0-9]+/[0-9]+\\] Building [^\n]*\n" "" output "${output}")
    message(FATAL_ERROR "failed (${result}): ${command}\n${output}")
  endif()
endfunction()

# build_consumer(OPTION...): configures and builds the consumer project, then runs its program.
function(build_consumer)
  set(build "${WORK}/consumer")
  file(REMOVE_RECURSE "${build}")
  run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}/consumer" -B "${build}" ${TOOLCHAIN}
    ${ARGV})
  run("${CMAKE_COMMAND}" --build "${build}")
  file(GLOB program "${build}/consumer" "${build}/consumer.exe")
  expect_version(${EMULATOR} "${program}")
endfunction()

# expect_version(COMMAND...): the program prints the version of the library that it runs with.
function(expect_version)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE output
    ERROR_VARIABLE words)
  string(STRIP "${output}" output)
  if(NOT result EQUAL 0 OR NOT output STREQUAL "${VERSION}")
    message(FATAL_ERROR "the consumer exits with ${result} and prints \"${output}\", "
      "not \"${VERSION}\"\n${words}")
  endif()
endfunction()

# expect_prefix(SYMBOLS): each line of nm's output names a symbol that starts with brood_.
function(expect_prefix symbols)
  string(REGEX MATCHALL "[^\n]+" lines "${symbols}")
  set(count 0)
  set(strangers "")
  foreach(line IN LISTS lines)
    # "address type name"; the tool chain's own helpers are no names of ours: those with a dot, and
    # in a Windows import library the pointers and two labels for the linker.
    if(line MATCHES "^[0-9a-f]+ [A-Z] ([^ ]+)")
      set(name "${CMAKE_MATCH_1}")
      math(EXPR count "${count} + 1")
      if(NOT name MATCHES "^(brood_|__emutls_[vt]\\.brood_|__imp_brood_|\\.|_head_|.*_iname$)")
        list(APPEND strangers ${name})
      endif()
    endif()
  endforeach()
  if(count EQUAL 0)
    message(FATAL_ERROR "no symbols found")
  endif()
  if(strangers)
    list(JOIN strangers "\n  " strangers)
    message(FATAL_ERROR "global symbols without the prefix brood_:\n  ${strangers}")
  endif()
  message(STATUS "${count} symbols, each with its prefix")
endfunction()

if(STEP STREQUAL "install")
  file(REMOVE_RECURSE "${WORK}")
  run("${CMAKE_COMMAND}" -S "${SOURCE}" -B "${WORK}/brood" ${TOOLCHAIN}
    -DBUILD_SHARED_LIBS=${shared} -DBROOD_BUILD_TESTS=OFF -DBROOD_BUILD_EXAMPLES=OFF
    "-DCMAKE_INSTALL_PREFIX=${prefix}" -DCMAKE_INSTALL_LIBDIR=lib/somewhere)
  run("${CMAKE_COMMAND}" --build "${WORK}/brood")
  run("${CMAKE_COMMAND}" --install "${WORK}/brood")

elseif(STEP STREQUAL "find_package")
  build_consumer("-Dbrood_DIR=${prefix}/lib/somewhere/cmake/brood" -DVERSION=${VERSION})

elseif(STEP STREQUAL "subdirectory")
  build_consumer("-DBROOD_SOURCE=${SOURCE}")
  file(GLOB_RECURSE strays "${WORK}/consumer/*brood_test*" "${WORK}/consumer/broodConfig.cmake")
  if(strays)
    message(FATAL_ERROR "built inside another project, though nobody asked for it: ${strays}")
  endif()

elseif(STEP STREQUAL "pkg_config")
  set(ENV{PKG_CONFIG_PATH} "${prefix}/lib/somewhere/pkgconfig:$ENV{PKG_CONFIG_PATH}")
  set(options --cflags --libs)
  if(NOT shared)
    list(APPEND options --static)
  endif()
  execute_process(COMMAND "${PKG_CONFIG}" ${options} brood
    OUTPUT_VARIABLE flags COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  set(program "${WORK}/consumer-pkg-config")
  run("${COMPILER}" "${CMAKE_CURRENT_LIST_DIR}/consumer/consumer.c" ${flags} -o "${program}")
  set(ENV{LD_LIBRARY_PATH} "${prefix}/lib/somewhere")
  expect_version("${program}")

elseif(STEP STREQUAL "child")
  # The installed tree has been moved since it was installed.
  set(moved "${WORK}/moved")
  set(build "${WORK}/plugin")
  file(REMOVE_RECURSE "${moved}" "${build}")
  file(COPY "${prefix}/" DESTINATION "${moved}")
  run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}/plugin" -B "${build}" ${TOOLCHAIN}
    "-Dbrood_DIR=${moved}/lib/somewhere/cmake/brood" -DVERSION=${VERSION}
    "-DSOURCES=${SOURCE}/tests/plugin")
  run("${CMAKE_COMMAND}" --build "${build}")
  include("${build}/paths.cmake")
  execute_process(COMMAND ${EMULATOR} "${host}" "${plugin}" sum "${child}"
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE words)
  string(STRIP "${output}" output)
  if(NOT result EQUAL 0 OR NOT output STREQUAL "499500")
    message(FATAL_ERROR "the plug-in's host exits with ${result} and prints \"${output}\"\n${words}")
  endif()
  if(PKG_CONFIG)
    set(ENV{PKG_CONFIG_PATH} "${moved}/lib/somewhere/pkgconfig")
    execute_process(COMMAND "${PKG_CONFIG}" --variable=child brood OUTPUT_VARIABLE named
      OUTPUT_STRIP_TRAILING_WHITESPACE)
    file(REAL_PATH "${named}" named)
    file(REAL_PATH "${child}" child)
    if(NOT named STREQUAL child)
      message(FATAL_ERROR "pkg-config says that brood-child is ${named}, not ${child}")
    endif()
  endif()

elseif(STEP STREQUAL "symbols")
  if(shared)
    # The names that a program can link with; on Windows they are in the import library.
    file(GLOB library "${prefix}/lib/somewhere/libbrood.so" "${prefix}/lib/somewhere/*.dylib")
    set(command "${NM}" -D --defined-only "${library}")
    if(NOT library)
      file(GLOB library "${prefix}/lib/somewhere/libbrood.dll.a")
      set(command "${NM}" -g --defined-only "${library}")
    endif()
  else()
    file(GLOB library "${prefix}/lib/somewhere/libbrood.a")
    set(command "${NM}" -g --defined-only "${library}")
  endif()
  execute_process(COMMAND ${command} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  expect_prefix("${symbols}")

else()
  message(FATAL_ERROR "unknown step \"${STEP}\"")
endif()
