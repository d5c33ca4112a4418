#include "function.h"

#include <sodium.h>
#include <string.h>

#include "error.h"
#include "platform.h"

#define HASH_SIZE 32
#define FIELDS 3 /* "function", identity, offset */

/* What tells two builds of the program apart. */
typedef struct identity {
    unsigned char bytes[BROOD_OS_IDENTITY_MAX];
    size_t size; /* 0: not known yet */
} identity;

static brood_os_mutex guard = BROOD_OS_MUTEX_INIT;
static brood_os_module program;
static identity program_identity;

static void hash_piece(void *user, const void *data, size_t size)
{
    (void)crypto_generichash_update(user, data, size);
}

/* Not every linker leaves an id; then the code itself is one (1.3 ms per MB, once). */
static int hash_code(const brood_os_module *module, identity *out)
{
    crypto_generichash_state state;
    int rc;

    (void)crypto_generichash_init(&state, NULL, 0, HASH_SIZE);
    rc = brood_os_module_code(module, hash_piece, &state);
    if (rc == 0) {
        (void)crypto_generichash_final(&state, out->bytes, HASH_SIZE);
        out->size = HASH_SIZE;
    }
    return rc;
}

static int learn_program(void)
{
    identity found = {{0}, 0};
    int rc = 0;

    brood_os_mutex_lock(&guard);
    if (program_identity.size == 0) {
        rc = brood_os_module_main(&program);
        if (rc == 0) {
            rc = brood_os_module_identity(&program, found.bytes, &found.size);
        }
        if (rc == 0 && found.size == 0) {
            rc = hash_code(&program, &found);
        }
        if (rc == 0) {
            program_identity = found;
        }
    }
    brood_os_mutex_unlock(&guard);
    return rc;
}

/* A function pointer is not an object pointer in C; on our systems both are addresses. */
static uintptr_t address_of(brood_function function)
{
    uintptr_t address = 0;

    memcpy(&address, &function, sizeof function);
    return address;
}

static brood_function function_at(uintptr_t address)
{
    brood_function function;

    memcpy(&function, &address, sizeof function);
    return function;
}

int brood_function_save(brood_arena *arena, brood_function function, brood_value *id)
{
    const uintptr_t address = address_of(function);
    brood_value *fields;
    uint64_t offset;
    int rc = learn_program();

    if (rc) {
        return rc;
    }
    offset = (uint64_t)address - (uint64_t)(uintptr_t)program.base;
    if (address < (uintptr_t)program.base || !brood_os_module_executable(&program, offset)) {
        return brood_fail(BROOD_EMODULE,
                          "the function at %p is not in the program itself: "
                          "functions of shared libraries cannot travel",
                          (void *)address); /* NOLINT: only printed */
    }
    fields = brood_arena_alloc(arena, FIELDS * sizeof *fields);
    if (fields == NULL) {
        return brood_fail_nomem("a function reference");
    }
    fields[0] = brood_str("function");
    fields[1] = brood_bytes(program_identity.bytes, program_identity.size);
    fields[2] = brood_uint(offset);
    *id = brood_tuple(fields, FIELDS);
    return 0;
}

int brood_function_load(brood_value id, brood_function *function)
{
    const brood_view wanted = brood_as_view(brood_value_at(id, 1));
    const uint64_t offset = brood_as_uint(brood_value_at(id, 2), UINT64_MAX);
    const int rc = learn_program();

    if (rc) {
        return rc;
    }
    if (wanted.size != program_identity.size ||
        memcmp(wanted.data, program_identity.bytes, wanted.size) != 0) {
        return brood_fail(BROOD_EMODULE, "the program's file is not the one that the parent runs: "
                                         "it was replaced meanwhile");
    }
    if (!brood_os_module_executable(&program, offset)) {
        return brood_fail(BROOD_EMODULE, "there is no function at offset 0x%llx of the program",
                          (unsigned long long)offset);
    }
    *function = function_at((uintptr_t)program.base + (uintptr_t)offset);
    return 0;
}
