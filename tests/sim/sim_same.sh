#!/bin/bash
# The same seed gives the same bytes of every output, whatever the number of threads, and
# another seed gives others.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
jobqsim=bin/jobqsim

play() { # name, options...
    name=$1
    shift
    $jobqsim run "$@" >"$work/$name.txt"
    $jobqsim run "$@" --json --jobs-csv "$work/$name.csv" --page "$work/$name.html" \
        >"$work/$name.json"
}

compare() { # a, b
    for kind in txt json csv html; do
        cmp "$work/$1.$kind" "$work/$2.$kind"
        test -s "$work/$1.$kind"
    done
}

scenario() { # options: the same, played five times
    play a "$@" --threads 1
    for threads in 1 2 8; do
        play b "$@" --threads $threads
        compare a b
    done
    play b "$@" --threads 2
    compare a b
    play b "$@" --threads 1 --seed 7
    ! cmp -s "$work/a.json" "$work/b.json"
    ! cmp -s "$work/a.csv" "$work/b.csv"
    echo "same bytes: $*"
}

scenario --jobs 2000 --boxes 3 --concurrency 8 --job-time exp:2s --reps 12
scenario --trace sim/workloads/bursty.swf --boxes 2 --concurrency 8 --spot --reps 4 \
    --set ec2.spot_hazard_per_hour=20
scenario --jobs 1000 --arrivals poisson:20/s --job-time gamma:mean=1s,cv=2 --cpu-share 0.5 \
    --concurrency 30 --boxes 2 --reps 8 --visibility 3s --set sqs.duplicate_rate=0.02
