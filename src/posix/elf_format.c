/* ELF, in memory and in files alike. */
#include "elf_format.h"

#include <string.h>

static size_t round_up(size_t n, size_t align)
{
    return (n + align - 1) & ~(align - 1);
}

void brood_posix_elf_build_id(unsigned char id[BROOD_OS_IDENTITY_MAX], size_t *id_size,
                              const void *notes, size_t size, size_t align)
{
    const unsigned char *at = notes;
    const size_t step = align == 8 ? 8 : 4;
    ElfW(Nhdr) note;

    while (size >= sizeof note) {
        size_t data;
        size_t whole;

        memcpy(&note, at, sizeof note);
        data = round_up(sizeof note + note.n_namesz, step);
        whole = round_up(data + note.n_descsz, step);
        if (note.n_namesz > size || note.n_descsz > size || data + note.n_descsz > size) {
            return;
        }
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            memcmp(at + sizeof note, "GNU", 4) == 0 && note.n_descsz > 0 &&
            note.n_descsz <= BROOD_OS_IDENTITY_MAX) {
            memcpy(id, at + data, note.n_descsz);
            *id_size = note.n_descsz;
            return;
        }
        if (whole >= size) {
            return;
        }
        at += whole;
        size -= whole;
    }
}

bool brood_posix_elf_moves_code(const void *dynamic, size_t size)
{
    const unsigned char *at = dynamic;
    ElfW(Dyn) entry;

    for (; size >= sizeof entry; at += sizeof entry, size -= sizeof entry) {
        memcpy(&entry, at, sizeof entry);
        if (entry.d_tag == DT_NULL) {
            return false;
        }
        if (entry.d_tag == DT_TEXTREL ||
            (entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_TEXTREL) != 0)) {
            return true;
        }
    }
    return false;
}

int brood_posix_elf_fail_moved(void)
{
    return brood_fail(BROOD_EMODULE, "its code is different in each process (relocations in text), "
                                     "so it needs a build-id: link it with -Wl,--build-id");
}

int brood_posix_elf_check_code(const brood_posix_segment *segment)
{
    if ((segment->p_flags & PF_W) != 0) {
        return brood_fail(BROOD_EMODULE, "its code can be written to, so it needs a build-id: link "
                                         "it with -Wl,--build-id");
    }
    if ((segment->p_flags & PF_R) == 0) {
        return brood_fail(BROOD_EMODULE, "its code cannot be read, so it needs a build-id: link it "
                                         "with -Wl,--build-id");
    }
    return 0;
}
