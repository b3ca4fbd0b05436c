#!/bin/bash
# Bad input to jobqsim run: one clear line on stderr, exit 2, nothing on stdout, no file left
# half-written; what was there before is as it was.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
jobqsim=$PWD/bin/jobqsim
failed=0

bad() { # what the line must say; options...
    says=$1
    shift
    echo kept >"$work/jobs.csv"
    (cd "$work" && "$jobqsim" run "$@" --jobs-csv jobs.csv >out 2>err </dev/null)
    code=$?
    lines=$(wc -l <"$work/err")
    left=$(find "$work" -name '*.tmp-*')
    if [ $code != 2 ] || [ "$lines" != 1 ] || [ -s "$work/out" ] || [ -n "$left" ] ||
        [ "$(cat "$work/jobs.csv")" != kept ] || ! grep -qF -- "$says" "$work/err" ||
        LC_ALL=C grep -q '[^ -~]' "$work/err"; then
        echo "FAIL: run $*: exit $code, $lines lines, want '$says':"
        cat "$work/err"
        failed=1
    fi
}

row="1 -1 -1 -1 -1 -1 -1 1 1 -1 -1 -1 -1 -1"
printf '1 0 -1 5 %s\n' "$row" >"$work/good.swf"
printf '2 7 -1\n' >"$work/truncated.swf"
printf '2 x -1 5 %s\n' "$row" >"$work/malformed.swf"
printf '2 1 -1 99999999999 %s\n' "$row" >"$work/range.swf"
printf '2 1 -1 \001\033 %s\n' "$row" >"$work/binary.swf"
printf '1 0 -1 5 %s\n2 7 -1\n3 1 -1 -7 %s\n' "$row" "$row" >"$work/mixed.swf"
printf '1 0 -1 0 %s\n' "$row" >"$work/unusable.swf"
: >"$work/empty.swf"
printf 'app,func,end_timestamp,duration\na,b,3\n' >"$work/short.csv"
printf '[scenario]\nboxes = 2\ncolour = red\n' >"$work/key.ini"
printf 'boxes = none\n' >"$work/value.ini"
printf '[other]\nboxes = 2\n' >"$work/section.ini"
printf 'boxes 2\n' >"$work/line.ini"
printf '1s\nxyz\n' >"$work/times.txt"

bad "unknown option '--conc'; did you mean '--concurrency'?" --conc 4
bad "unknown option '--jbos'; did you mean '--jobs'?" --jbos 4
bad "unknown option '--slots'; did you mean '--concurrency'?" --slots 4
bad "unknown option '--type'; did you mean '--instance'?" --type c7g.large
bad "'--vcpus' is no setting of jobqsim run, only of jobqcost" --vcpus 2
bad "--limit: '0' is out of range, want all or 1 to 1G" --limit 0
bad "--prefetch: '1001' is out of range, want auto or 0 to 1000" --prefetch 1001
bad "--arrivals: malformed arrivals '5M/week'" --arrivals 5M/week
bad "--store: unknown value 'disk', want simpledb|none|dynamodb" --store disk
bad "unknown option '--xyzzy'" --xyzzy
bad "unknown option '--a\\x1b'" "--a$(printf '\033')"
bad "cannot open 'stray'" stray
bad "unknown option '-j'" -j 5
bad "no model called 'aws-1999'" --model aws-1999
bad "unknown instance type 'z9.huge'" --instance z9.huge
bad "--jobs: '0' is out of range" --jobs 0
bad "--boxes: '0' is out of range" --boxes 0
bad "--concurrency: '0' is out of range" --concurrency 0
bad "--batch: '11' is out of range, want 1 to 10" --batch 11
bad "--visibility: '13h' is out of range, want 1s to 12h" --visibility 13h
bad "--wait: '21' is out of range" --wait 21
bad "--cpu-share: '1.5' is out of range" --cpu-share 1.5
bad "--prefetch: malformed count 'many'" --prefetch many
bad "--domains: '251' is out of range" --domains 251
bad "exceeds the store's limit of 249856 bytes" --payload 245KiB
bad "is out of range" --payload 2MiB
bad "exceeds the queue's limit of 65536 bytes" --payload 64KiB --model aws-2012 \
    --payload-in message
bad "--job-time: malformed distribution 'norm:1s'" --job-time norm:1s
bad "--job-time: malformed duration 'soon'" --job-time soon
bad "--job-time: times.txt:2: malformed duration 'xyz'" --job-time empirical:times.txt
bad "--arrivals: malformed arrivals 'poisson:0/s'" --arrivals poisson:0/s
bad "--seed: malformed seed '-1'" --seed -1
bad "--set: want SECTION.KEY=VALUE" --set sqs.duplicate_rate
bad "--set: " --set sqs.no_such_key=1
bad "cannot open trace 'missing.swf': no such file" --trace missing.swf
bad "no usable job: 1 lines skipped (line 1: 3 of 18 fields)" --trace truncated.swf
bad "(line 1: malformed submit time 'x')" --trace malformed.swf
bad "(line 1: run time '99999999999' is out of range" --trace range.swf
bad "(line 1: malformed run time '\\x01\\x1b'" --trace binary.swf
bad "trace 'unusable.swf' has no usable job: 1 lines skipped (line 1: a run time of 0 or less)" --trace unusable.swf
bad "trace 'empty.swf' is empty" --trace empty.swf
bad "1 lines skipped (line 2: 3 of 4 fields)" --trace short.csv
bad "'jobs' does not go with 'trace', use 'limit'" --trace good.swf --jobs 5
bad "'limit' needs 'trace'" --limit 5
bad "cannot open 'missing.ini'" --scenario missing.ini
bad "key.ini:3: unknown setting 'colour'" --scenario key.ini
bad "value.ini:1: boxes: malformed count 'none'" --scenario value.ini
bad "section.ini:2: unknown section 'other'" --scenario section.ini
bad "line.ini:1: malformed line" --scenario line.ini
bad "1M slots" --boxes 10k --concurrency 10k
bad "cannot write" --page /no/such/folder/page.html

(cd "$work" && "$jobqsim" run --jobs 5 --boxes >out 2>err)
[ $? = 2 ] && grep -q "needs a value" "$work/err" || { echo "FAIL: no value"; failed=1; }

# What is good stays good: options from a file, the command line before it, every format.
printf '[scenario]\njobs = 50\nboxes = 2\njob-time = exp:1s\nutilisation = 0.5\n' >"$work/good.ini"
(cd "$work" && "$jobqsim" run --json --scenario good.ini --jobs 60 --jobs-csv jobs.csv >out) || failed=1
grep -q '"enqueued": 60' "$work/out" && [ "$(wc -l <"$work/jobs.csv")" = 61 ] || {
    echo "FAIL: --scenario"
    failed=1
}
(cd "$work" && "$jobqsim" run --trace good.swf --model ideal --jobs-csv jobs.csv >out) || failed=1
[ "$(sed -n 2p "$work/jobs.csv" | cut -d, -f2-)" = "0,0,5000000000,1,0,done" ] || {
    echo "FAIL: --jobs-csv:"
    cat "$work/jobs.csv"
    failed=1
}
# Lines of a trace that are no use are skipped, counted and named.
(cd "$work" && "$jobqsim" run --trace mixed.swf --model ideal >out) || failed=1
for says in "1 jobs of" "skipped 2 lines: 1 run times of 0 or less, 0 arrivals unknown, 1 unreadable" \
    "line 2: 3 of 18 fields" "line 3: a run time of 0 or less"; do
    grep -qF "$says" "$work/out" || { echo "FAIL: mixed.swf: no '$says'"; cat "$work/out"; failed=1; }
done
# What was asked, as a file, is the same scenario again.
(cd "$work" && "$jobqsim" run --trace good.swf --limit all --show-scenario >again.ini &&
    "$jobqsim" run --scenario again.ini --show-scenario >thrice.ini) || failed=1
cmp "$work/again.ini" "$work/thrice.ini" || failed=1
(cd "$work" && "$jobqsim" run --json --jobs 1,000 --arrivals 5M/day >out &&
    "$jobqsim" run --json --jobs 1k --arrivals poisson:5M/day >err && cmp out err) || {
    echo "FAIL: one rate in two spellings"
    failed=1
}
"$jobqsim" run --help | awk 'length > 80 { print "FAIL: help is wider than 80: " $0; bad = 1 }
    END { exit bad }' || failed=1
"$jobqsim" run --jobs 200 --boxes 2 --reps 3 | awk 'length > 80 { print "FAIL: wide: " $0; bad = 1 }
    END { exit bad }' || failed=1
"$jobqsim" run --jobs 10 >/dev/full 2>"$work/err" && { echo "FAIL: a full disk is no error"; failed=1; }

# torture: what never happened fails a campaign that was long enough, and is only said of a
# short one; shards share the seeds; Ctrl-C ends the runs that have begun and prints the sums.
torture() { # exit code, what it says; options...
    want=$1 says=$2
    shift 2
    "$jobqsim" torture "$@" >"$work/out" 2>&1
    code=$?
    if [ $code != "$want" ] || ! grep -q -- "$says" "$work/out"; then
        echo "FAIL: torture $*: exit $code, want $want and '$says':"
        cat "$work/out"
        failed=1
    fi
}
one="--jobs 1 --boxes 1 --concurrency 1 --until 2s"
torture 3 "^never happened: .*killed" $one --seeds 2500 -q
torture 0 "^not seen, for which 20 runs may be too few: .*killed" $one --seeds 20
torture 0 "^3 runs, " --seeds 10 --shard 2/3 -q
torture 0 "^paused  *processes are stopped" --list
torture 2 "'lat' is no fault; 'late' is one" --faults lat
torture 2 "one seed: not with --minutes" --seed 1 --minutes 1
"$jobqsim" torture --minutes 5 -q >"$work/out" 2>&1 &
pid=$!
until grep -q SigCgt:.*2$ /proc/$pid/status 2>/dev/null; do sleep 0.05; done
kill -INT $pid
wait $pid
code=$?
[ $code = 130 ] && grep -q "runs, .* 0 findings; .* times as fast as real time" "$work/out" || {
    echo "FAIL: torture interrupted: exit $code"
    cat "$work/out"
    failed=1
}

# Ctrl-C: exit 130, and no file.
rm -f "$work"/*
(cd "$work" && exec "$jobqsim" run --jobs 10M --boxes 8 --jobs-csv jobs.csv >out 2>err) &
pid=$!
for _ in $(seq 100); do
    ls "$work"/*.tmp-* >/dev/null 2>&1 && break
    sleep 0.1
done
kill -INT $pid
wait $pid
code=$?
[ $code = 130 ] && [ "$(ls "$work")" = "$(printf 'err\nout')" ] || {
    echo "FAIL: interrupted: exit $code, left: $(ls "$work")"
    failed=1
}
[ $failed = 0 ] && echo "bad input is told and refused"
exit $failed
