#include "pack.c"
