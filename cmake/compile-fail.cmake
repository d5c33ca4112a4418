# Runs COMMAND (a compiler call) with MISTAKE added: it has to fail with words that match REGEX.
# Without the mistake, with -DBROOD_COMPILES, it has to succeed.
execute_process(COMMAND ${COMMAND} -DBROOD_COMPILES
  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "does not compile even with -DBROOD_COMPILES:\n${output}")
endif()

execute_process(COMMAND ${COMMAND} ${MISTAKE}
  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(result EQUAL 0)
  message(FATAL_ERROR "compiles, though it must not")
endif()
if(NOT output MATCHES "${REGEX}")
  message(FATAL_ERROR "fails without a message that matches \"${REGEX}\":\n${output}")
endif()
