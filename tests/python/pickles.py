'''What CPython says about pickles; tests/codec_python_test.cc asks.

write COUNT: makes that many values and writes each in protocols 2 to 5, by all picklers that there
    are: the pickle, what brood has to say to it (nothing if it takes it), what it has to print.
check COUNT: makes the same values again and compares them with what brood made of each pickle.
show: reads pickles and writes each value as brood_value_print does.

Everything goes through standard input and output as texts of 4 bytes of size and the bytes.
'''
import array
import ast
import collections
import datetime
import decimal
import enum
import fractions
import io
import pickle
import pickletools
import random
import struct
import sys

PROTOCOLS = (2, 3, 4, 5)


# ---- values ----

class Color(enum.IntEnum):
    RED = 1


class Plain:
    def __init__(self):
        self.x = 1


Point = collections.namedtuple('Point', 'x y')


class Text(str):
    pass


STRANGERS = [1j, range(3), Ellipsis, NotImplemented, int, len, sys.exit, Color.RED, Plain(), Plain,
             Point(1, 2), Text('text'), collections.OrderedDict(a=1), collections.deque([1]),
             collections.defaultdict(list, a=[1]), collections.Counter('abc'), slice(1, 2),
             datetime.datetime(2024, 6, 11), decimal.Decimal('1.5'), fractions.Fraction(1, 3),
             array.array('i', [1]), ValueError('x'), memoryview, type(None), object()]
EDGES = [0, 2**7, 2**8, 2**15, 2**16, 2**31, 2**32, 2**53, 2**63, 2**64, 2**65, 2**2039, 2**2040]
FLOATS = [0.0, -0.0, 1.5, -1e300, 5e-324, -5e-324, 2.2250738585072014e-308, 2.225073858507201e-308,
          1.7976931348623157e308, float('inf'), float('-inf'), float('nan'), -float('nan'),
          struct.unpack('>d', bytes.fromhex('7ff8000000000123'))[0], 0.1, 1e16, 1e22, 1e23, 123456.0]
TEXTS = ['', 'a', 'name', 'it\'s', '"', '\'"', 'back\\slash', 'é€😀', 'zero\0byte', '\udcff',
         'lone \ud83d', '\ud83d\ude00', '\x7f\x80\x85\xa0\u2028\u200b\u202e\u2066\ufeff', '\n\r\t\x1b',
         '\U0010ffff', 'x' * 63, 'x' * 64, 'y' * 255, 'y' * 256, 'é' * 127, 'é' * 128]
COLLIDING = [0, False, 0.0, -0.0, 1, True, 1.0, -1, -2, 2**61 - 1, 2**61, '1', b'1', (), (1,),
             (True,), (1.0,), None, '', b'', frozenset(), frozenset([1]), float('nan')]


def integer(rng):
    if rng.random() < 0.5:
        return rng.choice([1, -1]) * (rng.choice(EDGES[:10]) + rng.randrange(-2, 3))
    if rng.random() < 0.03:
        return rng.choice([1, -1]) * (rng.choice(EDGES) + rng.randrange(-1, 2))
    return rng.getrandbits(rng.randrange(1, 64)) - (rng.getrandbits(63) if rng.random() < .5 else 0)


def real(rng):
    kind = rng.randrange(4)
    if kind == 0:
        return struct.unpack('>d', rng.randbytes(8))[0]
    return rng.gauss(0, 10 ** rng.randrange(-300, 300)) if kind == 1 else rng.choice(FLOATS)


def text(rng):
    kind = rng.randrange(8)
    if kind == 0:
        return ''.join(rng.choices('abc\'"\\\n\x00é€😀\udc80', k=rng.randrange(40)))
    return str(rng.random()) if kind == 1 else rng.choice(TEXTS)


def scalar(rng):
    kind = rng.randrange(12)
    if kind < 2:
        return rng.choice([None, True, False])
    if kind < 5:
        return integer(rng)
    if kind < 7:
        return real(rng)
    if kind < 10:
        return text(rng)
    if kind == 10:
        return rng.randbytes(rng.choice([0, 1, 10, 255, 256, 300]))
    return bytearray(rng.randbytes(rng.choice([0, 1, 300]))) if rng.random() < 0.2 else rng.random()


def key(rng, depth, seen=()):
    kind = rng.randrange(8)
    if kind == 7 and seen:
        x = rng.choice(seen)  # so that an item of a list is a key, too
        if isinstance(x, (str, bytes, frozenset)):
            return x
    if kind == 0 and depth > 0:
        return tuple([key(rng, depth - 1) for _ in range(rng.randrange(5))])
    if kind == 1 and depth > 0:
        return frozenset([key(rng, depth - 1) for _ in range(rng.randrange(4))])
    if kind < 4:
        return rng.choice(COLLIDING)
    x = scalar(rng)
    return bytes(x) if isinstance(x, bytearray) else x


def value(rng, depth, seen):
    kind = rng.randrange(15) if depth > 0 else 0
    if kind < 4:
        x = scalar(rng)
    elif kind < 6 and seen:
        return rng.choice(seen)  # the same object once more
    elif kind < 8:
        x = [value(rng, depth - 1, seen) for _ in range(rng.choice([0, 1, 1, 2, 3, 5]))]
    elif kind < 10:
        x = tuple([value(rng, depth - 1, seen) for _ in range(rng.randrange(6))])
    elif kind < 12:
        x = {key(rng, 2, seen): value(rng, depth - 1, seen)
             for _ in range(rng.choice([0, 1, 2, 5]))}
    elif kind == 12:
        x = {key(rng, 2, seen) for _ in range(rng.randrange(5))}
    elif kind == 13:
        x = frozenset([key(rng, 2, seen) for _ in range(rng.randrange(5))])
    else:
        x = rng.choice(STRANGERS) if rng.random() < 0.2 else [[], (), {}, set(), frozenset()]
    seen.append(x)
    return x


def cyclic(rng):
    '''What contains itself: a tuple does in ways of its own, by its size.'''
    inner = rng.choice([[], {}])
    outer = rng.choice([inner, [1, inner], {'a': 1, 'b': inner}, *[(1,) * n + (inner,)
                                                                    for n in range(6)]])
    if isinstance(inner, list):
        inner.append(outer)
    else:
        inner['x'] = outer
    return rng.choice([outer, inner, [1, outer], (outer, outer)])


def shared(rng):
    '''Few objects that stand for many.'''
    x = rng.choice([[1], (1, 'x'), {'a': 1.5}, 'text', frozenset([1])])
    for _ in range(rng.choice([1, 2, 3, 4, 5, 40])):
        count = rng.randrange(2, 9)
        x = rng.choice([lambda: [x] * count, lambda: (x,) * count, lambda: {1: x, 'y': x}])()
    return x


def long(rng):
    '''More than fits into one frame, one batch, the small memo indices.'''
    kind = rng.randrange(8)
    if kind == 0:
        return rng.choice(['z' * 70000, '\udcff' * 30000, b'z' * 70000, bytearray(70000)])
    if kind == 1:
        return [str(i) * rng.choice([1, 100]) for i in range(rng.choice([255, 257, 1001]))] * 2
    if kind == 2:
        return {str(i): [i] for i in range(rng.choice([999, 1000, 1001, 2001]))}
    if kind == 3:
        return set(range(rng.choice([999, 1000, 1001])))
    if kind == 4:
        return list(range(rng.choice([999, 1000, 1001, 1002, 20000])))
    if kind == 5:
        return tuple(b'%d' % i * 50 for i in range(1300))
    if kind == 6:
        return ['x' * 40000, 'y' * 65535, 'é' * 40000, b'b' * 65537, 'end']
    x = ()
    for i in range(rng.choice([100, 200])):
        x = rng.choice([(x,), [x], {i: x}, [i, x], (x, None)])
    return x


def values(count):
    rng = random.Random(20240611)
    for i in range(count):
        if i % 200 == 199:
            yield long(rng)
        elif i % 50 == 48:
            yield cyclic(rng)
        elif i % 50 == 47:
            yield shared(rng)
        else:
            yield value(rng, rng.randrange(5), [])


# ---- pickles ----

def without_memo(pickler, x, protocol):
    stream = io.BytesIO()
    p = pickler(stream, protocol)
    p.fast = True
    p.dump(x)
    return stream.getvalue()


def dump(number, x, protocol, plan):
    '''By one pickler or the other, most often by the fastest.'''
    way = (number + protocol) % 16
    if way == 0:
        return pickle._dumps(x, protocol)
    if way == 1 and plan.total < 10000:
        return pickletools.optimize(pickle.dumps(x, protocol))
    if way < 4 and plan.total < 10000 and not plan.cycle:
        pickler = pickle.Pickler if way == 2 else pickle._Pickler
        try:
            return without_memo(pickler, x, protocol)
        except (ValueError, KeyError):  # many frozensets are a cycle to it
            pass
    return pickle.dumps(x, protocol)


# ---- what brood has to say ----

CALLS = {'GLOBAL', 'STACK_GLOBAL', 'REDUCE', 'BUILD', 'INST', 'OBJ', 'NEWOBJ', 'NEWOBJ_EX', 'EXT1',
         'EXT2', 'EXT4'}


class Plan:
    '''What is in a value: which protocol is the first to have it as data (6: none), whether there
    is an integer beyond 64 bits, a cycle, and how many values it stands for.'''

    def __init__(self, x):
        self.first = 2
        self.big = False
        self.cycle = False
        self.totals = {}
        self.total = self.walk(x)

    def needs(self, protocol):
        self.first = max(self.first, protocol)

    def walk(self, x):
        kind = type(x)
        if kind is int:
            self.big = self.big or not -2**63 <= x < 2**64
        elif kind is bytes:
            self.needs(3)
        elif kind is bytearray:
            self.needs(5)
        elif kind in (list, tuple, dict, set, frozenset):
            return self.walk_items(x, kind)
        elif kind not in (str, float, bool, type(None)):
            self.needs(6)
        return 1

    def walk_items(self, x, kind):
        known = self.totals.get(id(x))
        if known is not None:
            self.cycle = self.cycle or known == 0
            return known
        self.totals[id(x)] = 0
        if kind in (set, frozenset):
            self.needs(4)
        total = 1
        for y in x:
            total += self.walk(y)
        if kind is dict:
            for y in x.values():
                total += self.walk(y)
        self.totals[id(x)] = total
        return total


def verdict(data, protocol, plan):
    if plan.first > protocol:
        for opcode, _, position in pickletools.genops(data):
            if opcode.name in CALLS:
                return f'opcode {opcode.name} at byte {position} is not data'
    if plan.big:
        for opcode, argument, position in pickletools.genops(data):
            if opcode.name in ('LONG1', 'LONG4') and not -2**63 <= argument < 2**64:
                return (f'opcode {opcode.name} at byte {position} has an integer that does not fit '
                        'into 64 bits')
    stop = f'opcode STOP at byte {len(data) - 1} finds'
    if plan.cycle:
        return f'{stop} a value that contains itself'
    most = max(10**6, 64 * len(data))
    return f'{stop} what stands for more than {most} values' if plan.total > most else ''


def show(x):
    if isinstance(x, (set, frozenset)):
        return '{' + ', '.join([show(y) for y in x]) + '}' if x else 'set()'
    if isinstance(x, dict):
        return '{' + ', '.join([f'{show(k)}: {show(v)}' for k, v in x.items()]) + '}'
    if isinstance(x, list):
        return '[' + ', '.join([show(y) for y in x]) + ']'
    if isinstance(x, tuple):
        return '(' + ', '.join([show(y) for y in x]) + (',)' if len(x) == 1 else ')')
    return repr(bytes(x) if isinstance(x, bytearray) else x)


# ---- are two values the same? ----

def same(a, b, seen):
    '''With the types that brood knows, and so that -0.0 and the bits of nan count.'''
    if isinstance(a, (list, tuple, dict)):
        if type(a) is not type(b) or len(a) != len(b):
            return False
        if (id(a), id(b)) in seen:
            return True
        seen.add((id(a), id(b)))
        if isinstance(a, dict):
            return (all(same(x, y, seen) for x, y in zip(a, b)) and
                    all(same(x, y, seen) for x, y in zip(a.values(), b.values())))
        return all(same(x, y, seen) for x, y in zip(a, b))
    if isinstance(a, (set, frozenset)):
        return isinstance(b, (set, frozenset)) and fingerprint(a) == fingerprint(b)
    if type(a) is float and type(b) is float:
        return struct.pack('>d', a) == struct.pack('>d', b)
    return type(b) is (bytes if type(a) is bytearray else type(a)) and a == b


def fingerprint(x):
    '''Of what can be in a set; Python's order in there depends on the history.'''
    if isinstance(x, (set, frozenset)):
        return 'set', sorted(repr(fingerprint(y)) for y in x)
    if isinstance(x, tuple):
        return 'tuple', [fingerprint(y) for y in x]
    return type(x).__name__, struct.pack('>d', x) if type(x) is float else x


# ---- what is printed ----

def has_hashed_set(x):
    if isinstance(x, (set, frozenset)):
        return any(isinstance(y, frozenset) or has_hashed_set(y) for y in x)
    if isinstance(x, dict):
        return any(isinstance(k, frozenset) or has_hashed_set(k) for k in x) or any(
            has_hashed_set(y) for y in x.values())
    return isinstance(x, (list, tuple)) and any(has_hashed_set(y) for y in x)


def check_literal(x, shown):
    '''Python reads its own way of writing; it has no literal for a frozenset inside of another set,
    for nan and for infinity.'''
    if 'nan' in shown or 'inf' in shown or has_hashed_set(x):
        return
    if not same(x, ast.literal_eval(shown), set()):
        sys.exit(f'does not read back: {shown:.500}')


# ---- the conversation ----

def put(data):
    sys.stdout.buffer.write(struct.pack('<I', len(data)))
    sys.stdout.buffer.write(data)


def texts():
    stream = sys.stdin.buffer
    while head := stream.read(4):
        yield stream.read(struct.unpack('<I', head)[0])


def write(count):
    for number, x in enumerate(values(count)):
        plan = Plan(x)
        shown = b''
        if plan.first < 6 and plan.total < 100000 and not plan.cycle:
            shown = show(x).encode('utf-8', 'surrogatepass')
        if b'\\U0010ffff' in shown:  # brood has no table of all that Python does not print
            shown = b''
        for protocol in PROTOCOLS:
            data = dump(number, x, protocol, plan)
            put(data)
            put(verdict(data, protocol, plan).encode())
            put(shown)


def check(count):
    answers = texts()
    taken = 0
    for number, x in enumerate(values(count)):
        checked = b''
        for _ in PROTOCOLS:
            data = next(answers)
            taken += data != b''
            if data in (b'', checked):
                continue
            loads = pickle._loads if number % 16 == 0 else pickle.loads
            if not same(x, loads(data), set()):
                sys.exit(f'not equal: {x!r:.500} and {loads(data)!r:.500}')
            checked = data
    if next(answers, None) is not None:
        sys.exit('more answers than pickles')
    print(taken)


def main():
    if sys.argv[1] == 'write':
        write(int(sys.argv[2]))
    elif sys.argv[1] == 'check':
        check(int(sys.argv[2]))
    else:
        for data in texts():
            x = pickle.loads(data)
            shown = show(x)
            check_literal(x, shown)
            put(shown.encode('utf-8', 'surrogatepass'))


main()
