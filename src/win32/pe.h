/* Programs and libraries in memory, loaded or only mapped, by their headers (PE). */
#ifndef BROOD_SRC_WIN32_PE_H
#define BROOD_SRC_WIN32_PE_H

#include "win32.h"

/// brood_win32_pe_headers returns the headers of what is mapped at `base`.
const IMAGE_NT_HEADERS *brood_win32_pe_headers(const void *base);

/// brood_win32_pe_identity reads the CodeView id and sets `*size`, 0 if there is none.
void brood_win32_pe_identity(unsigned char identity[BROOD_OS_IDENTITY_MAX], size_t *size,
                             const void *base);

/// brood_win32_pe_code shows the code of what is mapped at `base`, from its file: in memory the
/// loader has moved addresses, differently in each process. BROOD_EMODULE if the file is another.
int brood_win32_pe_code(const void *base, HANDLE file, brood_os_visit visit, void *user);

#endif
