'''The values of bench/codec.cc, timed with CPython's pickle: protocol 4, the pickler written in C.

pickles.py ROUNDS SLICE: writes a JSON object, name: seconds of the processor's time of one operation in
each round, of about SLICE seconds each. The names are those of the rows.
'''
import json
import pickle
import platform
import sys
import time

MIB = 1 << 20
SMALL = {'id': 123456, 'name': 'a small message', 'ratio': 0.5, 'tags': [1, 2, 3]}


def values():
    yield 'a small message', SMALL
    yield '1,000 ints', list(range(0, 1000 * 1000, 1000))
    yield '1,000 floats', [i * 1.1 for i in range(1000)]
    yield '1,000 short texts', [f'text {i}' for i in range(1000)]
    yield '1,000 tuples', [(i, i * 1.1, f'text {i}') for i in range(1000)]
    yield '1,000 lists', [[i, i * 1.1, f'text {i}'] for i in range(1000)]
    yield '1,000 dicts', [{'id': i, 'name': f'text {i}', 'ratio': i * 1.1} for i in range(1000)]
    yield '1,000 times one dict', [SMALL] * 1000
    yield '16 MiB of bytes', b'x' * (16 * MIB)
    yield '16 MiB of text', 'x' * (16 * MIB)


def seconds(work, count):
    start = time.process_time()
    for _ in range(count):
        work()
    return time.process_time() - start


def samples(work, rounds, slice_seconds):
    count = 1
    while seconds(work, count) < slice_seconds / 4:
        count *= 2
    count = max(1, int(count * slice_seconds / seconds(work, count)))
    return [seconds(work, count) / count for _ in range(rounds)]


def main():
    rounds, slice_seconds = int(sys.argv[1]), float(sys.argv[2])
    rows = {'python': platform.python_implementation() + ' ' + platform.python_version()}
    for name, value in values():
        data = pickle.dumps(value, 4)
        rows['encode ' + name] = samples(lambda: pickle.dumps(value, 4), rounds, slice_seconds)
        rows['decode ' + name] = samples(lambda: pickle.loads(data), rounds, slice_seconds)
    print(json.dumps(rows))


main()
