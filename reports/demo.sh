#!/bin/bash
# The main job, end to end: sweep, fit, check, answer, replay. `make demo` runs it in the
# project's root with the programs built; what it makes is in reports/out/. Interrupted, it
# goes on where it was.
set -eu
out=${1:-reports/out}
mkdir -p "$out"
say() { printf '\n== %s\n' "$*"; }
started=$(date +%s)

say "Sweep and fit: 1,000 points of 1,000 to 4,000 simulated jobs, 200 fresh"
reports/formula.sh 2026 "$out"

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

say "Report"
fleet=(--jobs 2000 --arrivals poisson:12/s --boxes 2 --concurrency 8
    --job-time lognormal:mean=1s,cv=1.5 --instance c7g.medium)
reports/assumed.py aws-2026 "$out" "${fleet[@]}" --payload 1KiB --reps 5
queue=()
for seed in 1 2 3 4 5 6 7 8 9 10; do
    bin/jobqsim run "${fleet[@]}" --seed $seed --jobs-csv "$out/jobs-$seed.csv" >/dev/null
    queue+=(--jobs-csv "$out/jobs-$seed.csv")
done
bin/jobqcost report -o "$out" --formula "$out/formula-2026.json" \
    --sweep "$out/sweep-2026.csv" --check "$out/check-2026.csv" "${queue[@]}" \
    --assumed "$out/assumed.csv" --payload 1KiB --job-time 1s --concurrency 8 --instance c7g.medium -q

took=$(($(date +%s) - started))
say "Done in $took s. The report: $out/report.html"
