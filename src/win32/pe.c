#include "pe.h"

#include <stdlib.h>
#include <string.h>

#define CODEVIEW_SIZE 20 /* of the id: a GUID and an age */
#define PIECE_SIZE 65536

const IMAGE_NT_HEADERS *brood_win32_pe_headers(const void *base)
{
    const IMAGE_DOS_HEADER *dos = base;

    return (const IMAGE_NT_HEADERS *)((const unsigned char *)base + dos->e_lfanew);
}

/* Copies `size` bytes that the headers say are at `rva`; false if they lie outside. */
static bool copy_image(void *out, const void *base, uint64_t rva, size_t size)
{
    const uint64_t whole = brood_win32_pe_headers(base)->OptionalHeader.SizeOfImage;

    if (rva == 0 || rva > whole || size > whole - rva) {
        return false;
    }
    memcpy(out, (const unsigned char *)base + rva, size);
    return true;
}

void brood_win32_pe_identity(unsigned char identity[BROOD_OS_IDENTITY_MAX], size_t *size,
                             const void *base)
{
    const IMAGE_DATA_DIRECTORY *directory =
        &brood_win32_pe_headers(base)->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_DEBUG];
    IMAGE_DEBUG_DIRECTORY entry;
    unsigned char codeview[4 + CODEVIEW_SIZE];
    uint64_t at;

    *size = 0;
    for (at = 0; at + sizeof entry <= directory->Size; at += sizeof entry) {
        if (copy_image(&entry, base, directory->VirtualAddress + at, sizeof entry) &&
            entry.Type == IMAGE_DEBUG_TYPE_CODEVIEW && entry.SizeOfData >= sizeof codeview &&
            copy_image(codeview, base, entry.AddressOfRawData, sizeof codeview) &&
            memcmp(codeview, "RSDS", 4) == 0) {
            memcpy(identity, codeview + 4, CODEVIEW_SIZE);
            *size = CODEVIEW_SIZE;
            return;
        }
    }
}

static int read_at(HANDLE file, void *data, DWORD size, uint64_t offset)
{
    OVERLAPPED place;
    DWORD got = 0;

    memset(&place, 0, sizeof place);
    place.Offset = (DWORD)offset;
    place.OffsetHigh = (DWORD)(offset >> 32);
    if (!BROOD_WIN("ReadFile", ERROR_NO_SYSTEM_RESOURCES, FALSE,
                   ReadFile(file, data, size, &got, &place))) {
        return brood_win32_error(GetLastError(), "read the file of a module");
    }
    if (got != size) {
        return brood_fail(BROOD_EMODULE, "its file has been cut");
    }
    return 0;
}

/* The loader writes the address into the headers, nothing else. */
static bool same_headers(const IMAGE_NT_HEADERS *a, const IMAGE_NT_HEADERS *b)
{
    return memcmp(&a->FileHeader, &b->FileHeader, sizeof a->FileHeader) == 0 &&
           a->OptionalHeader.CheckSum == b->OptionalHeader.CheckSum &&
           a->OptionalHeader.SizeOfImage == b->OptionalHeader.SizeOfImage &&
           a->OptionalHeader.AddressOfEntryPoint == b->OptionalHeader.AddressOfEntryPoint;
}

/* Should another file have come in this one's place meanwhile, its code is not what is loaded. */
static int check_file(const void *base, HANDLE file)
{
    const IMAGE_DOS_HEADER *dos = base;
    IMAGE_NT_HEADERS theirs;
    const int rc = read_at(file, &theirs, sizeof theirs, (uint64_t)dos->e_lfanew);

    if (rc == 0 && !same_headers(brood_win32_pe_headers(base), &theirs)) {
        return brood_fail(BROOD_EMODULE, "the file of a module was replaced since it was loaded: "
                                         "its function cannot travel");
    }
    return rc;
}

static int show_section(HANDLE file, const IMAGE_SECTION_HEADER *section, unsigned char *piece,
                        brood_os_visit visit, void *user)
{
    DWORD done = 0;
    int rc = 0;

    visit(user, section, sizeof *section);
    while (done < section->SizeOfRawData && rc == 0) {
        const DWORD left = section->SizeOfRawData - done;
        const DWORD size = left < PIECE_SIZE ? left : PIECE_SIZE;
        rc = read_at(file, piece, size, (uint64_t)section->PointerToRawData + done);
        if (rc == 0) {
            visit(user, piece, size);
        }
        done += size;
    }
    return rc;
}

int brood_win32_pe_code(const void *base, HANDLE file, brood_os_visit visit, void *user)
{
    const IMAGE_NT_HEADERS *headers = brood_win32_pe_headers(base);
    const IMAGE_SECTION_HEADER *section = IMAGE_FIRST_SECTION(headers);
    unsigned char *piece = NULL;
    int rc = check_file(base, file);
    WORD i;

    if (rc) {
        return rc;
    }
    piece = BROOD_ALLOC(malloc(PIECE_SIZE));
    if (piece == NULL) {
        return brood_fail_nomem("reading the code of a module");
    }
    visit(user, &headers->FileHeader.TimeDateStamp, sizeof headers->FileHeader.TimeDateStamp);
    visit(user, &headers->OptionalHeader.SizeOfImage, sizeof headers->OptionalHeader.SizeOfImage);
    for (i = 0; i < headers->FileHeader.NumberOfSections && rc == 0; i++, section++) {
        if (section->Characteristics & IMAGE_SCN_MEM_EXECUTE) {
            rc = show_section(file, section, piece, visit, user);
        }
    }
    free(piece);
    return rc;
}
