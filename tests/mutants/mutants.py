#!/usr/bin/python3
"""Is each program that is broken on purpose found by torture, and how soon?

usage: mutants.py [--starts N] [--check] [--record] [NAME...]   build, run, print a table
       mutants.py --build NAME                                  build one, say where it is
       mutants.py --corpus PROGRAM                              play the corpus on a sound program

A mutant is NAME.patch: a line that says what it breaks, then a patch of one or two C files.
It is applied to copies in build/mutants/NAME/, which are compiled and linked with the other
objects of the build into a jobqsim of its own. The file `limits` has a line for each: how many
seeds at most until it is found, `check` if it is part of `make check`, and options of torture
that it needs. A mutant that is not found within its limit fails, from whichever of the starting
seeds, and so does a patch that no longer applies.

tests/corpus/torture holds a failing run of each, made small: NAME has what it breaks, the check
that found it and the options that repeat it. A sound program plays all of them without a
finding, and each must still be found on its mutant. --record writes them anew. Those that are
called past-* failed on jobq itself, once.

make passes the compiler, its flags and the objects in MUTANT_CC, MUTANT_LINK, MUTANT_OBJECTS,
MUTANT_LIBS and MUTANT_BUILD."""
import argparse
import concurrent.futures
import os
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
OUT = os.path.join(ROOT, "build", "mutants")
CORPUS = os.path.join(ROOT, "tests", "corpus", "torture")
CORES = len(os.sched_getaffinity(0))
APART = 1000000     # from one starting seed to the next
RUN_LIMIT_S = 20.0  # of one run, which takes some milliseconds: longer means that it hangs


class Broken(Exception):
    """The mutant could not be built."""


class Mutant:
    def __init__(self, name, limit, in_check, options):
        self.name, self.limit, self.in_check, self.options = name, limit, in_check, options
        self.dir = os.path.join(OUT, name)
        self.patch = os.path.join(HERE, name + ".patch")
        self.past = os.path.join(CORPUS, name)
        self.program = os.path.join(self.dir, "jobqsim")
        with open(self.patch) as text:
            self.breaks = text.readline().strip()
            self.files = re.findall(r"^\+\+\+ b/(\S+)", text.read(), re.M)

    def build(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        for path in self.files:
            os.makedirs(os.path.dirname(os.path.join(self.dir, path)), exist_ok=True)
            shutil.copy(os.path.join(ROOT, path), os.path.join(self.dir, path))
        done = run(["patch", "-p1", "-s", "--no-backup-if-mismatch", "-i", self.patch], cwd=self.dir)
        if done.returncode:
            raise Broken("the patch does not apply: " + done.stdout.strip().split("\n")[-1])
        objects = os.environ["MUTANT_OBJECTS"].split()
        for path in self.files:
            made = os.path.join(self.dir, path[:-2] + ".o")
            command = shlex.split(os.environ["MUTANT_CC"]) + ["-w", "-D_GNU_SOURCE", "-o", made, "-c", made[:-2] + ".c"]
            done = run(command, cwd=ROOT)
            if done.returncode:
                raise Broken("%s does not compile:\n%s" % (path, done.stdout[:800]))
            objects[objects.index(os.path.join(os.environ["MUTANT_BUILD"], path[:-2] + ".o"))] = made
        done = run(shlex.split(os.environ["MUTANT_LINK"]) + ["-o", self.program] + objects +
                   shlex.split(os.environ["MUTANT_LIBS"]), cwd=ROOT)
        if done.returncode:
            raise Broken("it does not link:\n" + done.stdout[:800])

    def record(self, seed):
        """Makes the failing run of a seed small and keeps it."""
        done = run([self.program, "torture", "--seed", str(seed), "--shrink"] + self.options)
        found = re.search(r"^shrunk in .* runs: ([^:]+): .*\n +jobqsim torture (.*)", done.stdout, re.M)
        if not found:  # it ended the program
            check, options = "it ends the program", "--seed %d %s" % (seed, " ".join(self.options))
        else:
            check, options = found.groups()
        with open(self.past, "w") as out:
            out.write("# %s\n# found by: %s\n%s\n" % (self.breaks, check, options.strip()))

    def replays(self):
        """What is wrong with the run that is kept, or None."""
        if not os.path.exists(self.past):
            return "tests/corpus/torture has no run of it: --record"
        check, options = read_past(self.past)
        done = run([self.program, "torture"] + options, timeout=RUN_LIMIT_S)
        if check == "it ends the program":
            found = done.returncode not in (0, 1)
        else:
            found = re.search(r"^seed=\d+: %s: " % re.escape(check), done.stdout, re.M)
        return None if found else "the run in tests/corpus/torture is not found any more: --record"

    def torture(self, first, seeds):
        """(how many seeds until one is found, what was found); (0, "") if none was."""
        command = [self.program, "torture", "--first", str(first), "--seeds", str(seeds), "--threads", "1"]
        try:
            done = run(command + self.options, timeout=RUN_LIMIT_S + seeds * 0.1)
        except subprocess.TimeoutExpired:
            return (1, "it hangs") if seeds == 1 else self.one_by_one(first, seeds)
        found = re.search(r"^seed=(\d+): (.*)", done.stdout, re.M)
        if done.returncode in (0, 1) and not found:
            return 0, ""
        if found:
            return int(found.group(1)) - first + 1, found.group(2)
        said = re.search(r"Assertion .* failed", done.stdout)
        return (1, said.group(0) if said else "exit %d" % done.returncode) if seeds == 1 else self.one_by_one(first, seeds)

    def one_by_one(self, first, seeds):
        """A run that ends the program says nothing of those before it."""
        for i in range(seeds):
            found, what = self.torture(first + i, 1)
            if found:
                return i + 1, what
        return 0, ""

    def search(self, first):
        """How many seeds it takes from there, and what was found; None if the limit is not enough."""
        tried, chunk = 0, 4
        while tried < self.limit:
            chunk = min(chunk, self.limit - tried)
            found, what = self.torture(first + tried, chunk)
            if found:
                return tried + found, what
            tried, chunk = tried + chunk, chunk * 2
        return None


def run(command, **kwargs):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **kwargs)


def read_past(path):
    """(the check that found it, the options of torture)"""
    with open(path) as lines:
        _, check, options = lines.read().strip().split("\n")
    return check.split(": ", 1)[1], options.split()


def play_corpus(program):
    names, wrong = sorted(os.listdir(CORPUS)), []
    for name in names:
        check, options = read_past(os.path.join(CORPUS, name))
        done = run([program, "torture"] + options, timeout=RUN_LIMIT_S)
        if done.returncode:
            wrong.append("%s: %s" % (name, done.stdout.split("\n")[0]))
    print("%d failures of the past, played again: %d findings" % (len(names), len(wrong)))
    for why in wrong:
        print("FAIL " + why)
    sys.exit(1 if wrong else 0)


def read_limits():
    mutants = []
    with open(os.path.join(HERE, "limits")) as lines:
        for words in (line.split("#")[0].split() for line in lines):
            if words:
                mutants.append(Mutant(words[0], int(words[1]), "check" in words[2:3],
                                      [word for word in words[2:] if word != "check"]))
    listed = {mutant.name for mutant in mutants}
    for name in sorted(os.listdir(HERE)):
        if name.endswith(".patch") and name[:-6] not in listed:
            sys.exit("tests/mutants/limits has no line for '%s'" % name[:-6])
    return mutants


def try_one(mutant, starts, record):
    """(its row of the table, what is wrong or None)"""
    try:
        mutant.build()
    except Broken as why:
        return "%-59s%s" % (mutant.name, mutant.breaks), "%s: %s" % (mutant.name, why)
    firsts = [1 + i * APART for i in range(starts)]
    found = [mutant.search(first) for first in firsts]
    took = [one[0] for one in found if one]
    missed = None if len(took) == starts else "%s: not found within %d seeds from %d of %d starting seeds" % (
        mutant.name, mutant.limit, starts - len(took), starts)
    if record and found[0]:
        mutant.record(firsts[0] + found[0][0] - 1)
    missed = missed or (mutant.replays() and "%s: %s" % (mutant.name, mutant.replays()))
    what = next((one[1] for one in found if one), "-")
    what = what.split(": ")[0]  # the check's name; the rest is about one run
    median = "%g" % statistics.median(took) if took else "-"
    row = "%-24s %6s %6s  %-18s %s" % (mutant.name, median, max(took, default="-"), what[:18], mutant.breaks)
    return row, missed


def main():
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--starts", type=int, default=5)
    options.add_argument("--check", action="store_true")
    options.add_argument("--record", action="store_true")
    options.add_argument("--build")
    options.add_argument("--corpus")
    options.add_argument("names", nargs="*")
    given = options.parse_args()
    if given.corpus:
        play_corpus(given.corpus)
    mutants = read_limits()
    unknown = set(given.names + ([given.build] if given.build else [])) - {mutant.name for mutant in mutants}
    if unknown:
        sys.exit("no mutant is called '%s'" % sorted(unknown)[0])
    if given.build:
        mutant = next(mutant for mutant in mutants if mutant.name == given.build)
        try:
            mutant.build()
        except Broken as why:
            sys.exit("%s: %s" % (mutant.name, why))
        print(mutant.program)
        return
    if given.names or given.check:
        mutants = [m for m in mutants if (m.name in given.names if given.names else m.in_check)]
    begun, wrong = time.monotonic(), []
    print("%-24s %6s %6s  %-18s %s" % ("mutant", "median", "most", "found by", "what it breaks"))
    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        for row, why in pool.map(lambda mutant: try_one(mutant, given.starts, given.record), mutants):
            print(row, flush=True)
            if why:
                wrong.append(why)
    print("%d mutants, seeds until each is found from %d starting seeds: %d found, %d not, in %.0f s" % (
        len(mutants), given.starts, len(mutants) - len(wrong), len(wrong), time.monotonic() - begun))
    for why in wrong:
        print("FAIL " + why)
    sys.exit(1 if wrong else 0)


main()
