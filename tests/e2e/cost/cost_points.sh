#!/bin/bash
# The closed form against a sweep that fills the domain: dollars a job, before any fit.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bin/jobqsim sweep -o "$work/points.csv" --quiet --seed 3 --design lhs:300 --jobs 2000 \
    --payload 64..64k:log --job-time 10ms..100s:log --concurrency 1..32:log \
    --boxes 1,2,4,8 --batch 1,2,5,10 --prefetch auto,0 --domains 4,16 \
    --instance c7g.medium || exit 1
# Shares: of the median point, and of the 95th of a hundred.
"$1" "$work/points.csv" 0.01 0.05
