#include "memory.h"

#include <brood/value.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "fault.h"
#include "fork.h"
#include "options.h"

struct brood_memory {
    brood_known known; /* first */
    long generation;   /* in which the handle was made, see fork.h; under the list's lock */
    brood_os_section block;
    bool read_only;       /* our view */
    bool sends_read_only; /* the handle */
    char *name;           /* or NULL */
};

/* ---- names ---- */

int brood_memory_name_check(const char *name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.";
    const size_t length = strlen(name);

    if (length == 0 || length > BROOD_MEMORY_NAME_MAX) {
        return brood_fail(BROOD_EINVAL, "a name of shared memory has 1 to %d characters, not %zu",
                          BROOD_MEMORY_NAME_MAX, length);
    }
    if (strspn(name, allowed) != length || name[0] == '.') {
        return brood_fail(BROOD_EINVAL,
                          "a name of shared memory has letters, digits, _ - . and does not begin "
                          "with a dot, unlike \"%s\"",
                          name);
    }
    return 0;
}

/* ---- make ---- */

static brood_memory *blank(const brood_memory_state *state)
{
    brood_memory *memory = BROOD_ALLOC(calloc(1, sizeof *memory));

    if (memory == NULL) {
        (void)brood_fail_nomem("shared memory");
        return NULL;
    }
    memory->block = BROOD_OS_SECTION_NONE;
    if (state->name != NULL) {
        const size_t size = strlen(state->name) + 1;
        memory->name = BROOD_ALLOC(malloc(size));
        if (memory->name == NULL) {
            (void)brood_fail_nomem("the name of shared memory");
            free(memory);
            return NULL;
        }
        memcpy(memory->name, state->name, size);
    }
    memory->known.kind = BROOD_MEMORY;
    memcpy(memory->known.id, state->id, BROOD_ID_SIZE);
    memory->generation = brood_generation();
    memory->sends_read_only = state->read_only;
    return memory;
}

static void destroy(brood_memory *memory)
{
    if (brood_fork_lost(memory->generation)) {
        memory->block.handle = BROOD_NO_HANDLE;
    }
    brood_os_section_close(&memory->block);
    free(memory->name);
    free(memory);
}

/* All that new and open have in common, but for what they ask of the system. */
static int begin(brood_memory **out, const char *name, bool read_only)
{
    brood_memory_state state = {{0}, 0, read_only, name};
    int rc = name != NULL ? brood_memory_name_check(name) : 0;

    if (rc == 0) {
        rc = brood_id_new(state.id);
    }
    if (rc) {
        return rc;
    }
    *out = blank(&state);
    return *out != NULL ? 0 : brood_last_error()->error;
}

int brood_memory_new(brood_memory **out, size_t size, const brood_memory_options *options)
{
    brood_memory_options chosen;
    brood_memory *memory = NULL;
    int rc;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the memory: out is NULL");
    }
    *out = NULL;
    rc = brood_options_read(&chosen, sizeof chosen, options, "memory");
    if (rc) {
        return rc;
    }
    if (size == 0) {
        return brood_fail(BROOD_EINVAL, "shared memory of 0 bytes");
    }
    rc = begin(&memory, chosen.name, chosen.read_only);
    if (rc) {
        return rc;
    }
    rc = brood_os_block_create(&memory->block, size, chosen.name, chosen.read_only);
    if (rc) {
        destroy(memory);
        return rc;
    }
    (void)brood_known_add(&memory->known, NULL, NULL);
    *out = memory;
    return 0;
}

int brood_memory_open(brood_memory **out, const char *name, const brood_memory_options *options)
{
    brood_memory_options chosen;
    brood_memory *memory = NULL;
    int rc;

    if (out == NULL) {
        return brood_fail(BROOD_EINVAL, "there is no place for the memory: out is NULL");
    }
    *out = NULL;
    rc = brood_options_read(&chosen, sizeof chosen, options, "memory");
    if (rc) {
        return rc;
    }
    if (name == NULL || chosen.name != NULL) {
        return brood_fail(BROOD_EINVAL, "brood_memory_open takes the name, the options do not");
    }
    rc = begin(&memory, name, chosen.read_only);
    if (rc) {
        return rc;
    }
    rc = brood_os_block_open(&memory->block, name, chosen.read_only);
    if (rc) {
        destroy(memory);
        return rc;
    }
    memory->read_only = chosen.read_only;
    (void)brood_known_add(&memory->known, NULL, NULL);
    *out = memory;
    return 0;
}

int brood_memory_unlink(const char *name)
{
    int rc;

    if (name == NULL) {
        return brood_fail(BROOD_EINVAL, "brood_memory_unlink needs a name");
    }
    rc = brood_memory_name_check(name);
    return rc ? rc : brood_os_block_unlink(name);
}

/* ---- use ---- */

void *brood_memory_data(const brood_memory *memory)
{
    return memory != NULL ? memory->block.data : NULL;
}

size_t brood_memory_size(const brood_memory *memory)
{
    return memory != NULL ? memory->block.size : 0;
}

const char *brood_memory_name(const brood_memory *memory)
{
    return memory != NULL ? memory->name : NULL;
}

bool brood_memory_read_only(const brood_memory *memory)
{
    return memory != NULL && memory->read_only;
}

brood_memory *brood_memory_ref(brood_memory *memory)
{
    if (memory != NULL) {
        brood_known_ref(&memory->known);
    }
    return memory;
}

void brood_memory_free(brood_memory *memory)
{
    if (memory != NULL && brood_known_drop(&memory->known)) {
        destroy(memory);
    }
}

/* ---- travel ---- */

/* What a forked child has from its parent it has without a handle, until it is sent one. */
static void look_at_handle(brood_known *known, void *user)
{
    const brood_memory *memory = (const brood_memory *)known;

    *(brood_os_handle *)user =
        brood_fork_lost(memory->generation) ? BROOD_NO_HANDLE : memory->block.handle;
}

int brood_memory_describe(brood_memory *memory, brood_memory_state *state, brood_os_handle *handle)
{
    brood_known_with(&memory->known, look_at_handle, handle);
    if (*handle == BROOD_NO_HANDLE) {
        return brood_fail(BROOD_EINVAL, "shared memory that this process has from its parent, but "
                                        "was not sent, cannot be sent on");
    }
    memcpy(state->id, memory->known.id, BROOD_ID_SIZE);
    state->size = memory->block.size;
    state->read_only = memory->sends_read_only;
    state->name = memory->name;
    return 0;
}

typedef struct arrival {
    const brood_memory_state *state;
    brood_os_handle handle; /* BROOD_NO_HANDLE once an object has it */
    bool differs;           /* from what is here with the same number */
} arrival;

/* A view that can only read is not enough for what may be written to. The other way round it is,
 * but not in a forked child, which is a receiver like any other. */
static bool take_up(brood_known *known, void *user)
{
    brood_memory *memory = (brood_memory *)known;
    arrival *came = user;
    const bool read_only = came->state->read_only;

    if (memory->block.size != came->state->size) {
        came->differs = true;
        return false;
    }
    if (!brood_fork_lost(memory->generation)) {
        return read_only || !memory->read_only;
    }
    if (memory->read_only != read_only) {
        return false;
    }
    memory->block.handle = came->handle;
    memory->generation = brood_generation();
    memory->sends_read_only = read_only;
    came->handle = BROOD_NO_HANDLE;
    return true;
}

int brood_memory_arrive(brood_memory **out, brood_os_handle handle, const brood_memory_state *state)
{
    arrival came = {state, handle, false};
    brood_known *known = brood_known_find(BROOD_MEMORY, state->id, take_up, &came);
    brood_memory *memory = NULL;
    int rc;

    if (known != NULL) {
        brood_os_handle_close(came.handle);
        *out = (brood_memory *)known;
        return 0;
    }
    if (came.differs) {
        return brood_fail(BROOD_EDECODE, "shared memory of %zu bytes that has another size here",
                          state->size);
    }
    memory = blank(state);
    if (memory == NULL) {
        return brood_last_error()->error;
    }
    rc = brood_os_block_adopt(&memory->block, handle, state->size, state->read_only,
                              state->name != NULL);
    if (rc) {
        destroy(memory);
        return rc;
    }
    memory->read_only = state->read_only;
    /* Another thread may have received it meanwhile. */
    known = brood_known_add(&memory->known, take_up, &came);
    if (known != &memory->known) {
        destroy(memory);
    }
    *out = (brood_memory *)known;
    return 0;
}
