/* The pickle format's opcodes (CPython 3.13, Lib/pickletools.py): what follows each, and which are
 * data. */
#ifndef BROOD_SRC_OPCODE_H
#define BROOD_SRC_OPCODE_H

#include <stdint.h>

typedef enum brood_opcode {
    BROOD_OP_MARK = '(',
    BROOD_OP_STOP = '.',
    BROOD_OP_POP = '0',
    BROOD_OP_POP_MARK = '1',
    BROOD_OP_DUP = '2',
    BROOD_OP_BINFLOAT = 'G',
    BROOD_OP_BININT = 'J',
    BROOD_OP_BININT1 = 'K',
    BROOD_OP_BININT2 = 'M',
    BROOD_OP_NONE = 'N',
    BROOD_OP_BINPERSID = 'Q',
    BROOD_OP_BINUNICODE = 'X',
    BROOD_OP_APPEND = 'a',
    BROOD_OP_DICT = 'd',
    BROOD_OP_APPENDS = 'e',
    BROOD_OP_BINGET = 'h',
    BROOD_OP_LONG_BINGET = 'j',
    BROOD_OP_LIST = 'l',
    BROOD_OP_BINPUT = 'q',
    BROOD_OP_LONG_BINPUT = 'r',
    BROOD_OP_SETITEM = 's',
    BROOD_OP_TUPLE = 't',
    BROOD_OP_SETITEMS = 'u',
    BROOD_OP_EMPTY_TUPLE = ')',
    BROOD_OP_EMPTY_LIST = ']',
    BROOD_OP_EMPTY_DICT = '}',
    BROOD_OP_BINBYTES = 'B',
    BROOD_OP_SHORT_BINBYTES = 'C',
    BROOD_OP_PROTO = 0x80,
    BROOD_OP_TUPLE1 = 0x85,
    BROOD_OP_TUPLE2 = 0x86,
    BROOD_OP_TUPLE3 = 0x87,
    BROOD_OP_NEWTRUE = 0x88,
    BROOD_OP_NEWFALSE = 0x89,
    BROOD_OP_LONG1 = 0x8a,
    BROOD_OP_LONG4 = 0x8b,
    BROOD_OP_SHORT_BINUNICODE = 0x8c,
    BROOD_OP_BINUNICODE8 = 0x8d,
    BROOD_OP_BINBYTES8 = 0x8e,
    BROOD_OP_EMPTY_SET = 0x8f,
    BROOD_OP_ADDITEMS = 0x90,
    BROOD_OP_FROZENSET = 0x91,
    BROOD_OP_MEMOIZE = 0x94,
    BROOD_OP_FRAME = 0x95,
    BROOD_OP_BYTEARRAY8 = 0x96
} brood_opcode;

/* What an opcode's form says, in one byte: how many bytes follow, and how it counts. */
#define BROOD_FORM_ARGUMENT 0x07 /* bytes of the argument: 0, 1, 2, 4, or 7, which means 8 */
#define BROOD_FORM_EIGHT 0x07
#define BROOD_FORM_SIZED 0x08 /* the argument is the size of what follows it */
#define BROOD_FORM_LEAF 0x10  /* a value that is no container */
#define BROOD_FORM_PUSH 0x20  /* one more value on the stack */
#define BROOD_FORM_GET 0x40   /* which comes out of the memo */
#define BROOD_FORM_DATA 0x80  /* always set: the others are refused */

/// brood_opcode_forms has the form of each byte, 0 for those that are not data.
extern const uint8_t brood_opcode_forms[256];

/// brood_opcode_name returns the format's own name, NULL for a byte that is no opcode.
const char *brood_opcode_name(uint8_t byte);

#endif
