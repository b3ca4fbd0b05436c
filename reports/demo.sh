#!/bin/bash
# The main job, end to end: sweep, fit, check, answer, replay. `make demo` runs it in the
# project's root with the programs built; what it makes is in reports/out/. Interrupted, it
# goes on where it was.
set -eu
out=${1:-reports/out}
mkdir -p "$out"
say() { printf '\n== %s\n' "$*"; }
started=$(date +%s)

# Where the formula holds: one box, jobs all there at once, saturated slots.
box=(--payload 64..64k:log --job-time 10ms..100s:log --concurrency 1..32:log
    --cpu-share 0..1 --batch 1,2,5,10,10,10 --jobs 2000)
now=(--model aws-2026 --instance c7g.medium)
then=(--model aws-2012 --instance m1.small)

say "Sweep: 800 points of 2,000 jobs in virtual time, and 200 fresh ones to check with"
bin/jobqsim sweep -o "$out/sweep-2026.csv" --design lhs:800 "${now[@]}" "${box[@]}"
bin/jobqsim sweep -o "$out/check-2026.csv" --design lhs:200 --seed 2 "${now[@]}" "${box[@]}"
bin/jobqsim sweep -o "$out/sweep-2012.csv" --design lhs:400 "${then[@]}" "${box[@]}"

say "Fit: usage a job, line by line ($out/formula-*.json)"
bin/jobqcost fit "$out/sweep-2012.csv" -o "$out/formula-2012.json" -q
bin/jobqcost fit "$out/sweep-2026.csv" -o "$out/formula-2026.json" \
    --check "$out/check-2026.csv" --region us-east-1

say "Does a million jobs cost \$1?"
for date in 2012-10 2026; do
    printf 'The smallest flow, unbatched, no processor time, %s:\n' "$date"
    bin/jobqcost eval --payload 100 --job-time 0s --concurrency 1 --batch 1 \
        --instance none --date "$date" --formula closed -q
done
printf '\nWhat reaches it:\n'
bin/jobqcost solve --target 1.00 --free batch,store --job-time 0s --top 3 \
    --formula closed -q || true

say "Replay: a bursty workload that the project ships (synthetic)"
bin/jobqsim run --trace sim/workloads/bursty.swf --boxes 8 --concurrency 8

took=$(($(date +%s) - started))
say "Done in $took s. Everything is in $out/"
