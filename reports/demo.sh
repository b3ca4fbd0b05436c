#!/bin/bash
# The main job, end to end, in less than a minute: what a million jobs cost, checked against
# simulations of fresh fleets, and the report. `make demo` runs it in the project's root with
# the programs built; what it makes is in reports/out/, or in the folder of its argument.
set -eu
out=${1:-reports/out}
mkdir -p "$out"
fail() { cat "$out/demo.log" >&2; exit 1; }
quiet() { "$@" >>"$out/demo.log" 2>&1 || fail; }
: >"$out/demo.log"
# What an older build left behind would be continued, or refused.
rm -f "$out"/check.csv* "$out"/assumed-sweep.csv*

# Fleets that no formula was fitted to, and a run of the jobs in question.
quiet bin/jobqsim sweep -o "$out/check.csv" --design lhs:80 --seed 7 --quiet \
    --jobs 1000..2000:log --payload 64..16k:log --job-time 100ms..10s:log \
    --concurrency 1..32:log --cpu-share 0..1 --batch 1,10 --boxes 1,2,4 \
    --instance c7g.medium,c7g.large
quiet bin/jobqsim run --jobs 100k -o "$out/run.json"
# The shipped workload, again and again: what its queue looks like.
queue=()
for seed in 1 2 3 4 5; do
    quiet bin/jobqsim run --trace sim/workloads/bursty.swf --boxes 2 --seed $seed \
        --jobs-csv "$out/jobs-$seed.csv"
    queue+=(--jobs-csv "$out/jobs-$seed.csv")
done
quiet reports/assumed.py aws-2026 "$out" --jobs 500 --arrivals poisson:5/s --reps 3
quiet bin/jobqcost report -o "$out" --check "$out/check.csv" --ledger simulated="$out/run.json" \
    --assumed "$out/assumed.csv" "${queue[@]}" -q

bin/jobqcost eval --short -q
python3 - "$out/report.json" <<'PY'
import json, sys
c = json.load(open(sys.argv[1]))["check"]
print("  checked     %d fleets simulated: half within %.2g %%, 95 of 100 within %.2g %%"
      % (c["points"], 100 * c["error_p50"], 100 * c["error_p95"]))
PY
cat <<END

The report: $out/report.html
To try:
  bin/jobqcost eval --arrivals 5M/day --boxes 8 --job-time 1s --store dynamodb
  bin/jobqcost compare --engine ec2,fargate,lambda --job-time 1s
  bin/jobqsim run --trace sim/workloads/bursty.swf --boxes 8
END
