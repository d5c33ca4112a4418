# Finds out which optional features this system has and writes config.h for the library.
# Each BROOD_HAVE_* is defined there or not (`#if defined(…)`), and each has a fallback in the code.
include(CheckCSourceCompiles)

# brood_feature(NAME SOURCE [BASIC]): BROOD_HAVE_<NAME> says whether SOURCE compiles and links.
# BROOD_PORTABLE_ONLY turns it off, except a BASIC one that most Unixes have.
function(brood_feature name source)
  # MinGW's headers have some of the names without what is behind them.
  if(WIN32)
    set(BROOD_HAVE_${name} 0 PARENT_SCOPE)
    return()
  endif()
  set(CMAKE_REQUIRED_DEFINITIONS -D_GNU_SOURCE)
  set(CMAKE_REQUIRED_LIBRARIES ${CMAKE_DL_LIBS})
  check_c_source_compiles("${source}" BROOD_SYSTEM_HAS_${name})
  set(have 0)
  if(BROOD_SYSTEM_HAS_${name} AND (NOT BROOD_PORTABLE_ONLY OR "BASIC" IN_LIST ARGN))
    set(have 1)
  endif()
  set(BROOD_HAVE_${name} ${have} PARENT_SCOPE)
endfunction()

# P_PIDFD came to the C libraries later than to the kernel; the number is part of the kernel's ABI.
brood_feature(PIDFD "
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
    siginfo_t info;
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    return waitid((idtype_t)3, (id_t)fd, &info, WEXITED) + (int)SYS_pidfd_send_signal;
}")
brood_feature(MEMFD "
#include <fcntl.h>
#include <sys/mman.h>
int main(void)
{
    return fcntl(memfd_create(\"x\", MFD_CLOEXEC | MFD_ALLOW_SEALING), F_ADD_SEALS, F_SEAL_WRITE);
}")
brood_feature(CLOSEFROM_ACTION "
#include <spawn.h>
int main(void)
{
    posix_spawn_file_actions_t actions;
    return posix_spawn_file_actions_addclosefrom_np(&actions, 5);
}")
brood_feature(CLOSE_RANGE "
#include <sys/syscall.h>
#include <unistd.h>
int main(void) { return (int)syscall(SYS_close_range, 3u, 4u, 0u); }")
brood_feature(F_SETSIG "
#include <fcntl.h>
#include <signal.h>
int main(void) { return fcntl(0, F_SETSIG, SIGKILL) + fcntl(0, F_SETFL, O_ASYNC); }")
brood_feature(PROCESS_VM_READV "
#include <sys/uio.h>
int main(void)
{
    struct iovec here = {0}, there = {0};
    return (int)process_vm_readv(1, &here, 1, &there, 1, 0);
}")
brood_feature(SCHED_GETAFFINITY "
#include <sched.h>
int main(void)
{
    cpu_set_t *set = CPU_ALLOC(64);
    return sched_getaffinity(0, CPU_ALLOC_SIZE(64), set) + CPU_COUNT_S(CPU_ALLOC_SIZE(64), set);
}")
brood_feature(POSIX_FALLOCATE "
#include <fcntl.h>
int main(void) { return posix_fallocate(0, 0, 1); }")
brood_feature(PIPE2 "
#include <fcntl.h>
#include <unistd.h>
int main(void)
{
    int ends[2];
    return pipe2(ends, O_CLOEXEC);
}")
brood_feature(EVENTFD "
#include <sys/eventfd.h>
int main(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }")
brood_feature(SOCK_CLOEXEC "
#include <sys/socket.h>
int main(void) { return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }")
# A file of the system's, which a cross build cannot look at.
brood_feature(PROC_MAPS "
#if !defined(__linux__)
#error
#endif
int main(void) { return 0; }")
brood_feature(DL_ITERATE_PHDR "
#include <link.h>
#include <stddef.h>
static int visit(struct dl_phdr_info *info, size_t size, void *data)
{
    return info == data && size == 0;
}
int main(void) { return dl_iterate_phdr(visit, 0); }" BASIC)

brood_feature(FUTEX "
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) { return (int)syscall(SYS_futex, 0, FUTEX_WAIT_BITSET, 0, 0, 0, FUTEX_BITSET_MATCH_ANY); }")
brood_feature(ROBUST_MUTEX "
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    return pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) +
           (int)syscall(SYS_get_robust_list, 0, 0, 0);
}")
brood_feature(SEM_CLOCKWAIT "
#include <semaphore.h>
#include <time.h>
int main(void)
{
    sem_t semaphore;
    struct timespec limit = {0, 0};
    return sem_clockwait(&semaphore, CLOCK_MONOTONIC, &limit);
}" BASIC)
brood_feature(PUNCH_HOLE "
#include <fcntl.h>
int main(void) { return fallocate(0, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1); }")

configure_file("${PROJECT_SOURCE_DIR}/src/config.h.in" "${PROJECT_BINARY_DIR}/generated/config.h")
