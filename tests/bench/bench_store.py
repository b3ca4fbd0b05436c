#!/usr/bin/env python3
"""A simulated job with DynamoDB beside one with SimpleDB: `make bench-store`.

Arguments: rounds, jobs. Both stores run the same fleet in turn, without throttles, so that
each makes the calls of a calm day: three writes of DynamoDB, two of SimpleDB and a
twenty-fifth. Prints CPU seconds and the median of their ratios, and, where valgrind is
installed, instructions a job, which other work on the machine does not change. Exit 1: the
ratio of CPU is over its bar.
"""
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys

MOST = 0.8
STORES = ('simpledb', 'dynamodb')


def command(store, jobs):
    return ['bin/jobqsim', 'run', '--jobs', str(jobs), '--boxes', '64', '--concurrency', '16',
            '--boot', 'none', '--job-time', '1s', '--payload', '1KiB', '--set',
            'simpledb.writes_per_s=0', '--set', 'dynamodb.throttle=no', '--store', store]


def cpu_s(store, jobs):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command(store, jobs), check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def instructions(store, jobs):
    run = subprocess.run(['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null'] +
                         command(store, jobs), check=True, text=True, capture_output=True)
    return int(re.search(r'Collected : (\d+)', run.stderr).group(1))


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    jobs = int(sys.argv[2]) if len(sys.argv) > 2 else 200000
    spent = {store: [] for store in STORES}
    for _ in range(rounds):
        for store in STORES:
            spent[store].append(cpu_s(store, jobs))
    ratios = sorted(d / s for s, d in zip(spent['simpledb'], spent['dynamodb']))
    for store in STORES:
        print(f'{store:9} {statistics.median(spent[store]) / jobs * 1e6:6.2f} us of CPU a job')
    ratio = statistics.median(ratios)
    print(f'ratio     {ratio:6.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}), at most {MOST}: '
          f'{"met" if ratio <= MOST else "NOT MET"}')
    if shutil.which('valgrind'):
        some, more = 10000, 30000
        a_job = {s: (instructions(s, more) - instructions(s, some)) / (more - some)
                 for s in STORES}
        print(f'instructions a job: SimpleDB {a_job["simpledb"]:.0f}, DynamoDB '
              f'{a_job["dynamodb"]:.0f}, ratio {a_job["dynamodb"] / a_job["simpledb"]:.2f}')
    return ratio > MOST


if __name__ == '__main__':
    sys.exit(main())
