# brood_warnings: what brood's own targets are compiled with, and never a consumer's.
add_library(brood_warnings INTERFACE)
if(MSVC)
  target_compile_options(brood_warnings INTERFACE /W4 $<$<BOOL:${BROOD_WERROR}>:/WX>)
else()
  target_compile_options(brood_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wundef
    # Error texts are cut on purpose when they are too long.
    $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>
    $<$<COMPILE_LANGUAGE:C>:-Wconversion -Wstrict-prototypes -Wmissing-prototypes>
    $<$<BOOL:${BROOD_WERROR}>:-Werror>)
endif()
