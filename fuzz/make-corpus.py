'''Writes the seeds of the fuzzers into corpus/: python3 make-corpus.py

Only what is interesting by itself; libFuzzer finds the rest. Nothing in here is random, so the same
files come out each time (of the same version of Python).
'''
import hashlib
import pathlib
import pickle
import struct

CORPUS = pathlib.Path(__file__).parent / 'corpus'


def write(target, seeds):
    folder = CORPUS / f'fuzz_{target}'
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if not old.name.startswith('found-'):  # by the fuzzer, and kept by hand
            old.unlink()
    for name, data in seeds.items():
        (folder / name).write_bytes(data)


def codec():
    shared = [1, 'a' * 64]
    cycle = []
    cycle.append(cycle)
    tuples = ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4))
    values = {
        'scalars': [None, True, False, 0, 255, 65535, -1, 2**31, 2**63 - 1, -2**63, 2**64 - 1],
        'floats': [1.5, -0.0, float('inf'), float('nan')],
        'texts': ['', 'é€😀', 'lone \ud83d', 'zero\0', 'x' * 300],
        'large-texts': ['x' * 600, 'y' * 600, b'z' * 300, 'end'],
        'bytes': [b'', b'a', b'b' * 64, b'c' * 300],
        'tuples': list(tuples),
        'dict': {'a': 1, 2: 'b', (3, 'c'): {4.0: None}},
        'sets': [{1}, frozenset([2]), {frozenset([3]): 4}],
        'shared': [shared, shared, (shared, {'k': shared})],
        'cycle': cycle,
        'too-large': 2**64,
    }
    seeds = {}
    for name, value in values.items():
        seeds[name] = pickle.dumps(value, protocol=5)
    seeds['protocol-2'] = pickle.dumps(['two', (1, 2), {3: 4}], protocol=2)
    seeds['protocol-3'] = pickle.dumps([b'three', 1.5], protocol=3)
    seeds['protocol-4'] = pickle.dumps(['four', {5}], protocol=4)
    seeds['bytearray'] = pickle.dumps(bytearray(b'five'), protocol=5)
    seeds['called'] = pickle.dumps(complex(1, 2), protocol=4)
    seeds['stack'] = b'\x80\4((N1N0K\1' b'2(K\1l(NNdt.'
    seeds['memo'] = b'\x80\4(Nq\1h\1]r\0\1\0\0j\0\1\0\0]\x94h\2]r\xff\xff\xff\xff'\
                    b'j\xff\xff\xff\xfft.'
    seeds['ids'] = b'\x80\4](K\1QK\1\x8c\1a\x86QK\1QNQ(K\1K\2K\3K\4tQe.'
    seeds['id-of-an-object'] = b'\x80\4K\1QQ.'
    seeds['id-with-an-object'] = b'\x80\4K\1Q\x85Q.'
    seeds['segments'] = b'\x80\4](K\1e(K\2K\3eK\4a(e.'
    seeds['long4'] = b'\x80\2\x8b\x0b\0\0\0' + b'\1' + b'\0' * 10 + b'.'
    seeds['sized-8'] = b'\x80\4(\x8d' + struct.pack('<Q', 1) + b'x\x8e' + struct.pack('<Q', 2) + \
                       b'yyt.'
    seeds['bomb'] = b'\x80\4](NNe' + b''.join(b'q%c0](h%ch%ce' % (i, i, i) for i in range(30)) + b'.'
    seeds['deep'] = b'\x80\4' + b']' * 999 + b'a' * 998 + b'.'
    seeds['too-deep'] = b'\x80\4N' + b'\x85' * 1001 + b'.'
    seeds['too-deep-empty'] = b'\x80\4)' + b'\x85' * 1000 + b'.'
    seeds['too-deep-again'] = b'\x80\4N' + b'\x85' * 600 + b'\x94h\0' + b'\x85' * 400 + b'\x86.'
    write('codec', seeds)


def memory():
    write('memory', {
        'none': b'\1N',
        'none-open': b'\4N',
        'tuple1': b'\0N\x85\x85\x85',
        'list': b'\1]N0]a',
        'shared-lists': b'\1N\x85]2N',
        'memo': b'\1N\x94h\0',
        'memo-far': b'\1Nr\0\0\1\0j\0\0\1\0',
        'segments': b'\1](N(NeNae',
        'ids': b'\3K\1QK\1K\2\x86Q',
        'dict': b'\0}NNs',
        'set': b'\0\x8f(N\x90(\x91',
        'text': b'\0\x8c\1a',
        'marks': b'\4(',
    })


def frame():
    def short(data):
        return struct.pack('>i', len(data)) + data

    def wide(data):
        return struct.pack('>iQ', -1, len(data)) + data

    def announced(handles, filler, marks):
        return struct.pack('>iII', -2, handles, len(filler)) + filler + marks

    messages = short(b'') + short(b'abc') + wide(b'defg') + short(b'h' * 150)
    write('frame', {
        'whole': b'\0' + bytes([0] * 4) + messages,
        'bytes': b'\x55' + bytes([1] * 4) + messages,
        'pieces': b'\xcc' + bytes([3, 2, 5, 7]) + messages + short(b'at the end'),
        'cut': b'\x0f' + bytes([9, 1, 9, 1]) + messages + short(b'long')[:6],
        'cut-header': b'\x0f' + bytes([9, 1, 9, 1]) + short(b'a') + wide(b'b')[:9],
        'too-long': b'\xff' + bytes([0] * 4) + short(b'a') + short(b'x' * 301),
        'two-gibibytes': b'\0' + bytes([0] * 4) + struct.pack('>iQ', -1, 2**31) + b'x',
        'negative': b'\0' + bytes([4] * 4) + short(b'a') + struct.pack('>i', -3),
        'handles': b'\x33' + bytes([0] * 4) + announced(3, b'', b'h') + short(b'a') +
                   announced(300, b'fill', b'hh') + short(b'bc'),
        'handles-in-pieces': b'\x55' + bytes([5, 6, 3, 1]) + announced(600, b'filler', b'hhh') +
                             short(b'piece by piece'),
        'called-off': b'\0' + bytes([0] * 4) + announced(300, b'f', b'hc') + short(b'a') +
                      announced(1, b'', b'c'),
        'announced-twice': b'\0' + bytes([0] * 4) + announced(1, b'', b'h') +
                           announced(1, b'', b'h') + short(b'a'),
        'wrong-mark': b'\0' + bytes([0] * 4) + announced(251, b'', b'hx') + short(b'a'),
        'beyond': b'\0' + bytes([4] * 4) + short(b'a') + struct.pack('>iQ', -1, 2**63),
    })


def bootstrap():
    def record(body, handles, size=None, version=1, flags=0):
        key = bytes(range(32))
        head = b'brood bs' + struct.pack('>II', version, flags)
        size = len(body) if size is None else size
        rest = struct.pack('>QII', size, 0, handles)
        tag = hashlib.blake2b(head + rest + body, key=key, digest_size=32).digest()
        return head + key + rest + tag + body

    def report(code, words, result, size=None):
        size = len(words) if size is None else size
        return b'brpt' + struct.pack('>iII', code, size, 0) + words + result

    write('bootstrap', {
        'record': record(b'body', 3),
        'record-alone': record(b'', 0),
        'record-spoilt': record(b'body', 3)[:-1] + b'x',
        'record-cut': record(b'body', 3)[:90],
        'record-size': record(b'body', 3, size=2**64 - 1),
        'record-version': record(b'body', 3, version=2),
        'record-flags': record(b'body', 3, flags=1),
        'report': report(3, b'it failed', b'\x80\4K\1.'),
        'report-empty': report(0, b'', b''),
        'report-error': report(-1001, b'words', b''),
        'report-code': report(-1, b'words', b''),
        'report-zero': report(0, b'a\0b', b''),
        'report-size': report(0, b'words', b'', size=6),
        'report-long': report(0, b'w' * 512, b''),
    })


def quoting():
    write('quoting', {
        'plain': b'\0C:\\dir\\p.exe\0--brood-child\x001f4',
        'quotes': b'\0p\0a b\0\0"\0a"b\0a b\\\0\\\\"\0',
        'line': b'\0p "a b c" d\\\\\\"e "f""g" \\"h\ti',
        'open': b'\0"p q" "r s\\',
        'program': b'\0p"q r"s t',
        'blanks': b'\0 p  q \t ',
        'wide': b'\0\xff\0\xe4 \xff',
        'long': b'\xffp\0abc',
        'long-quotes': b'\xfep\0"a\\',
    })


codec()
memory()
frame()
bootstrap()
quoting()
