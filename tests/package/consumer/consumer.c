/* Prints the version of the library that it runs with; fails if its header is of another. */
#include <brood.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    int version = 0;

    brood_init(argc, argv);
    version = brood_version();
    printf("%d.%d.%d\n", version / 10000, version / 100 % 100, version % 100);
    return version == BROOD_VERSION_MAJOR * 10000 + BROOD_VERSION_MINOR * 100 + BROOD_VERSION_PATCH
               ? 0
               : 1;
}
