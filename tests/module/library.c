/* A library whose functions travel. It is built in several ways (see CMakeLists.txt), each of which
 * answers with a number of its own, and needs nothing of brood's but the header. */
#include <brood.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(_WIN32)
#define EXPORTED __declspec(dllexport)
#else
#define EXPORTED __attribute__((visibility("default")))
#endif

#if defined(MOVED_CODE)
/* An address within the code, which the loader has to fill in. */
__asm__(".pushsection .text\n.balign 8\n.quad library_public\n.popsection");
#endif

#if defined(LARGE_DATA)
EXPORTED unsigned char library_large[1 << 20] = {1};
#endif

/* Behind it lie offsets that a small library does not have. */
#if defined(LARGE_CODE)
__asm__(".text\n.skip 131072");
#endif

static int answer(brood_call *call)
{
    (void)call;
    return BUILD;
}

EXPORTED int library_public(brood_call *call);
EXPORTED brood_function library_static(void);
EXPORTED void *library_data(void);

int library_public(brood_call *call)
{
    return answer(call);
}

/* A function that nobody sees from outside. */
brood_function library_static(void)
{
    return answer;
}

void *library_data(void)
{
    static int data = BUILD;

    return &data;
}

/* Tells that code of this library ran, before anybody called a function of it. */
__attribute__((constructor)) static void leave_trace(void)
{
    const char *path = getenv("LIBRARY_TRACE");
    FILE *file = path != NULL && path[0] != '\0' ? fopen(path, "a") : NULL;

    if (file != NULL) {
        (void)fprintf(file, "%d\n", BUILD);
        (void)fclose(file);
    }
}
