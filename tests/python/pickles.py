'''What CPython says about pickles; tests/codec_python_test.cc asks.

write COUNT: writes that many values in protocols 2 to 5, each with what brood has to say to it.
check COUNT: reads what brood made of those that it took, and compares.
show: reads pickles and writes each value as brood_value_print does.

Everything goes through standard input and output as texts of 4 bytes of size and the bytes.
'''
import io
import pickle
import pickletools
import random
import struct
import sys

CALLS = {'GLOBAL', 'STACK_GLOBAL', 'REDUCE', 'BUILD', 'INST', 'OBJ', 'NEWOBJ', 'NEWOBJ_EX', 'EXT1',
         'EXT2', 'EXT4'}
TEXTS = ['', 'a', 'name', 'it\'s', 'é€😀', 'zero\0byte', '\udcff', 'lone \ud83d', 'x' * 63, 'x' * 64,
         'y' * 255, 'é' * 128, 'z' * 70000]


def number(rng):
    size = rng.choice([1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 62, 63, 64, 65, 80])
    return rng.choice([1, -1]) * (rng.getrandbits(size) + rng.choice([-1, 0, 1]))


def scalar(rng):
    kind = rng.randrange(12)
    if kind == 0:
        return None
    if kind == 1:
        return rng.random() < 0.5
    if kind < 5:
        return number(rng)
    if kind < 7:
        return rng.choice([0.0, -0.0, 1.5, -1e300, 5e-324, float('inf'), float('-inf'),
                           float('nan'), rng.random(), rng.gauss(0, 1e9)])
    if kind < 10:
        return rng.choice(TEXTS)
    return rng.randbytes(rng.choice([0, 1, 10, 255, 256, 300]))


def key(rng, depth):
    kind = rng.randrange(8)
    if kind == 0 and depth > 0:
        return tuple(key(rng, depth - 1) for _ in range(rng.randrange(5)))
    if kind == 1 and depth > 0:
        return frozenset(key(rng, depth - 1) for _ in range(rng.randrange(4)))
    return scalar(rng)


def value(rng, depth, seen):
    kind = rng.randrange(14) if depth > 0 else 0
    if kind < 4:
        x = scalar(rng)
    elif kind == 4 and seen:
        return rng.choice(seen)  # the same object once more
    elif kind < 7:
        x = [value(rng, depth - 1, seen) for _ in range(rng.choice([0, 1, 2, 3, 5]))]
    elif kind < 9:
        x = tuple(value(rng, depth - 1, seen) for _ in range(rng.randrange(6)))
    elif kind < 11:
        x = {key(rng, 2): value(rng, depth - 1, seen) for _ in range(rng.choice([0, 1, 2, 5]))}
    elif kind == 11:
        x = {key(rng, 2) for _ in range(rng.randrange(5))}
    elif kind == 12:
        x = frozenset(key(rng, 2) for _ in range(rng.randrange(5)))
    else:
        x = rng.choice([bytearray(b'bytes'), 1j, range(3), list(range(2500)), Ellipsis, int,
                        [[i] for i in range(1200)]])
    seen.append(x)
    return x


def cyclic(rng):
    kind = rng.randrange(3)
    inner = []
    if kind == 0:
        inner.append(inner)
        return inner
    if kind == 1:
        return {'x': inner} if inner.append(d := {'y': inner}) else d
    outer = (inner, 1)
    inner.append(outer)
    return outer


def values(count):
    rng = random.Random(20240611)
    for i in range(count):
        yield cyclic(rng) if i % 50 == 49 else value(rng, rng.randrange(5), [])


def verdict(data):
    '''What brood says: no words for what it takes.'''
    big = ''
    for opcode, argument, position in pickletools.genops(data):
        if opcode.name in CALLS:
            return f'opcode {opcode.name} at byte {position} is not data'
        if opcode.name == 'LONG1' and not big and not -2**63 <= argument < 2**64:
            big = f'the integer at byte {position} does not fit into 64 bits'
    return big or ('the value contains itself' if is_cyclic(pickle.loads(data), []) else '')


def is_cyclic(x, path):
    if not isinstance(x, (list, tuple, dict)):
        return False
    if any(x is y for y in path):
        return True
    items = list(x.values()) if isinstance(x, dict) else x
    return any(is_cyclic(y, path + [x]) for y in items if isinstance(y, (list, tuple, dict)))


def plain(x):
    '''With the types that brood knows, in words that tell -0.0 and nan.'''
    if isinstance(x, (set, frozenset)):
        return 'set', sorted(repr(plain(y)) for y in x)
    if isinstance(x, dict):
        return 'dict', [(plain(k), plain(v)) for k, v in x.items()]
    if isinstance(x, (list, tuple)):
        return type(x).__name__, [plain(y) for y in x]
    if isinstance(x, bytearray):
        return 'bytes', repr(bytes(x))
    return type(x).__name__, repr(x)


def show(x):
    if isinstance(x, (set, frozenset)):
        return '{' + ', '.join(show(y) for y in x) + '}' if x else 'set()'
    if isinstance(x, dict):
        return '{' + ', '.join(f'{show(k)}: {show(v)}' for k, v in x.items()) + '}'
    if isinstance(x, list):
        return '[' + ', '.join(show(y) for y in x) + ']'
    if isinstance(x, tuple):
        return '(' + ', '.join(show(y) for y in x) + (',)' if len(x) == 1 else ')')
    return repr(x)


def put(data):
    sys.stdout.buffer.write(struct.pack('<I', len(data)) + data)


def texts():
    stream = io.BytesIO(sys.stdin.buffer.read())
    while head := stream.read(4):
        yield stream.read(struct.unpack('<I', head)[0])


def pickles(count):
    for x in values(count):
        for protocol in (2, 3, 4, 5):
            yield x, pickle.dumps(x, protocol)


def main():
    if sys.argv[1] == 'write':
        for _, data in pickles(int(sys.argv[2])):
            put(data)
            put(verdict(data).encode())
    elif sys.argv[1] == 'check':
        answers = texts()
        taken = 0
        for x, data in pickles(int(sys.argv[2])):
            if verdict(data):
                continue
            answer = next(answers)
            taken += 1
            if plain(x) != plain(pickle.loads(answer)):
                sys.exit(f'not equal: {x!r:.500} and {pickle.loads(answer)!r:.500}')
        if next(answers, None) is not None:
            sys.exit('more answers than values')
        print(taken)
    else:
        for data in texts():
            put(show(pickle.loads(data)).encode('utf-8', 'surrogatepass'))


main()
