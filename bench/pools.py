'''The rows of bench/pool.cc, timed with CPython's Pool of two workers (fork).

pools.py ROUNDS SLICE: writes a JSON object, name: seconds of one task in each round. Rounds are few: each takes
as long as it takes.
'''
import json
import multiprocessing
import platform
import sys
import time


def square(n):
    return n * n


def echo(data):
    return data


def samples(work, count, rounds):
    work(count)
    result = []
    for _ in range(rounds):
        start = time.perf_counter()
        work(count)
        result.append((time.perf_counter() - start) / count)
    return result


def new_and_terminate(context, count):
    for _ in range(count):
        context.Pool(2).terminate()


def main():
    rounds = min(5, int(sys.argv[1]))
    context = multiprocessing.get_context('fork')
    large = b'x' * (1 << 20)
    rows = {'python': platform.python_implementation() + ' ' + platform.python_version()}
    with context.Pool(2) as pool:
        rows['pool map, chunk 1'] = samples(
            lambda n: pool.map(square, range(n), chunksize=1), 10000, rounds)
        rows['pool map, default chunk'] = samples(
            lambda n: pool.map(square, range(n)), 100000, rounds)
        rows['pool apply, one by one'] = samples(
            lambda n: [pool.apply(square, (7,)) for _ in range(n)], 1000, rounds)
        rows['pool apply_async, a burst'] = samples(
            lambda n: [r.get() for r in [pool.apply_async(square, (7,)) for _ in range(n)]], 10000,
            rounds)
        rows['pool apply, 1 MiB in and out'] = samples(
            lambda n: [pool.apply(echo, (large,)) for _ in range(n)], 50, rounds)
    rows['pool new+terminate, 2 workers'] = samples(
        lambda n: new_and_terminate(context, n), 3, rounds)
    print(json.dumps(rows))


main()
