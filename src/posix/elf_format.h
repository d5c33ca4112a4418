/* What loaded modules and files that are not loaded have in common: ELF. */
#ifndef BROOD_SRC_POSIX_ELF_FORMAT_H
#define BROOD_SRC_POSIX_ELF_FORMAT_H

#include "posix.h"

#include <elf.h>
#include <link.h>

typedef ElfW(Phdr) brood_posix_segment; /* its header */

/// brood_posix_elf_build_id looks for a build-id among the notes of a PT_NOTE segment, `size` bytes
/// that are aligned to `align`, and sets `*id_size` if there is one.
void brood_posix_elf_build_id(unsigned char id[BROOD_OS_IDENTITY_MAX], size_t *id_size,
                              const void *notes, size_t size, size_t align);

/// brood_posix_elf_moves_code tells whether the loader changes code: `dynamic` is a PT_DYNAMIC
/// segment.
bool brood_posix_elf_moves_code(const void *dynamic, size_t size);

/// brood_posix_elf_check_code tells whether the bytes of a PT_LOAD segment that can be executed are
/// the same in every process. BROOD_EMODULE, in words, if they are not.
int brood_posix_elf_check_code(const brood_posix_segment *segment);

/// brood_posix_elf_fail_moved says that code has no identity since the loader changes it.
int brood_posix_elf_fail_moved(void);

#endif
