/* brood-child: what children run whose parent's main does not call brood_init, a plug-in's in an
 * interpreter say. See brood_set_executable. */
#include <brood.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    brood_init(argc, argv);
    (void)fprintf(stderr,
                  "brood-child %d.%d.%d runs functions of shared libraries in processes of their "
                  "own, for programs\nthat use brood from a plug-in. They start it themselves (see "
                  "brood_set_executable);\nby hand there is nothing to do with it.\n",
                  BROOD_VERSION_MAJOR, BROOD_VERSION_MINOR, BROOD_VERSION_PATCH);
    return 2;
}
