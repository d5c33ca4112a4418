/* Shared memory: blocks of bytes that several processes see. brood/array.h has typed ones. */
#ifndef BROOD_MEMORY_H
#define BROOD_MEMORY_H

#include <brood/base.h>

BROOD_BEGIN_C

/// brood_memory is a block of shared memory as this process has it. It travels, as any value does,
/// in arguments and over connections: BROOD_ARGS(memory), brood_send(connection, brood_of(memory),
/// ...). The receiver sees the same bytes, perhaps at another address, so no pointer in the block
/// means anything there. Nothing orders what two processes do with it: use a lock, or atomics.
///
/// A block without a name has nothing that could be left behind: it is gone with the last process
/// that has it, however that ends. One with a name can be opened by any process of the same user.
///
/// Fork: a forked child has its parent's blocks at the same addresses, and may use and free them. A
/// child of the start method fork can send on only those that were sent to it.

/// brood_memory_options is for brood_memory_new and brood_memory_open.
typedef struct brood_memory_options {
    size_t size; /* of this struct: BROOD_OPTIONS(memory, ...) */

    /// name to open the block by (brood_memory_new only): up to 200 letters, digits, '_', '-' and
    /// '.' of ASCII, not '.' first; no more than 30 where it has to work on macOS. NULL: none.
    ///
    /// On Unix it is the name "/NAME" of shm_open (on Linux the file /dev/shm/NAME), readable and
    /// writable by this user; on Windows the name NAME of a file mapping in the session's namespace.
    /// Both are where Python's SharedMemory("NAME") looks.
    const char *name;

    /// read_only, with brood_memory_new: only this object can write, and receivers can only read.
    /// With brood_memory_open: this object can only read, and whoever gets it from here, too. Writing
    /// to it nevertheless ends the program, as writing to any memory that is read-only.
    bool read_only;
} brood_memory_options;

/// brood_memory_new makes a block of `size` zero bytes. `options` may be NULL for a block without a
/// name that every receiver may write to.
///
/// Its memory is reserved here: when there is too little, or a limit of this process or of its
/// control group is in the way, this fails, and no later write does. Nobody can make the block
/// smaller; only one with a name, on Unix, could be cut off by a program that does so on purpose.
///
/// `read_only` is kept by the system: the others' handles cannot write (Linux 5.1: a seal; Windows:
/// the handle's rights; elsewhere the descriptor's). For a block with a name on Unix it is the file's
/// permission, which the user could change and root need not heed.
///
/// On success `*out` owns the block; release it with brood_memory_free. On failure `*out` is NULL
/// and nothing stays behind, not even a name. A block with a name is on Unix until
/// brood_memory_unlink, even when all processes that use it have ended; on Windows until the last of
/// them has. A process that is killed in this function may leave the name, of a block that cannot be
/// opened; unlink it.
///
/// Errors: BROOD_EINVAL if `size` is 0, or for bad options; BROOD_EEXIST if the name is taken;
/// BROOD_ENOMEM; BROOD_EACCES; BROOD_ESYSTEM.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_memory_new(brood_memory **out, size_t size,
                                    const brood_memory_options *options);

/// brood_memory_open opens a block that was made with this name, here or in another process. Each
/// call makes an object of its own. `options` may be NULL: to read and write.
///
/// Errors: BROOD_ENOENT if there is none, or it is not finished yet; BROOD_EACCES if it is another
/// user's, not finished yet, or can only be read; BROOD_EINVAL for a bad name or options;
/// BROOD_ENOMEM; BROOD_ESYSTEM.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_memory_open(brood_memory **out, const char *name,
                                     const brood_memory_options *options);

/// brood_memory_unlink takes away the name of a block. Who has it goes on using it; a new block may
/// get the name at once. On Windows this does nothing: a name is gone with the last process that has
/// the block.
///
/// Errors: BROOD_ENOENT (not on Windows); BROOD_EACCES; BROOD_EINVAL for a bad name; BROOD_ESYSTEM.
/// Threads: safe from any thread.
BROOD_MAY_FAIL int brood_memory_unlink(const char *name);

/// brood_memory_data returns where the block is in this process, at the beginning of a page. NULL
/// gives NULL.
///
/// Threads: safe from any thread; what they do with the bytes is theirs to order.
BROOD_API void *brood_memory_data(const brood_memory *memory);

/// brood_memory_size returns its size in bytes, exactly as it was asked for. (Opened by its name, a
/// block that another library made, or on macOS any, has whole pages.) NULL gives 0.
///
/// Threads: safe from any thread.
BROOD_API size_t brood_memory_size(const brood_memory *memory);

/// brood_memory_name returns the name it was made or opened with, also where it was received; NULL
/// if it has none. Borrowed from the object.
///
/// Threads: safe from any thread.
BROOD_API const char *brood_memory_name(const brood_memory *memory);

/// brood_memory_read_only tells whether this process can only read it.
///
/// Threads: safe from any thread.
BROOD_API bool brood_memory_read_only(const brood_memory *memory);

/// brood_memory_ref adds an owner and returns `memory`; NULL gives NULL. A block that a message or
/// call brought is kept so.
///
/// Threads: safe from any thread.
BROOD_API brood_memory *brood_memory_ref(brood_memory *memory);

/// brood_memory_free drops an owner. With the last one the bytes are no longer there in this process;
/// others keep them. NULL is allowed.
///
/// A block that arrives while this process has it already, from an earlier arrival or because it was
/// made here, is the same object once more.
///
/// Threads: safe from any thread; nobody may use what was the last owner's afterwards.
BROOD_API void brood_memory_free(brood_memory *memory);

BROOD_END_C

#endif
