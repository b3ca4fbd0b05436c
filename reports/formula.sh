#!/bin/bash
# Derives the formula of an era: its sweep, its fresh points, the fit, the check.
#
#     reports/formula.sh 2026|2012 DIR        leaves DIR/sweep-ERA.csv, check-ERA.csv,
#                                             formula-ERA.json; prints formula and check
#
# What the program ships (src/cost/fit/formulas/aws-ERA.json) is this with nothing added:
# `make formulas`. Interrupted, it goes on where it was.
set -eu
era=${1:?2026 or 2012} dir=${2:?folder}
# The domain: runs that are there at once, on one to four boxes of one to four processors.
points=(--jobs 1000..4000:log --payload 64..64k:log --job-time 10ms..100s:log
    --concurrency 1..32:log --cpu-share 0..1 --batch 1,2,5,10,10,10 --boxes 1,1,2,4
    --prefetch auto,auto,0 --visibility 30s..10min:log --domains 4,8,16)
case $era in
2026) world=(--model aws-2026 --instance c7g.medium,c7g.large,c7g.xlarge) date=2026 ;;
2012) world=(--model aws-2012 --instance m1.small,m1.large,m1.xlarge) date=2012-12 ;;
*) echo "formula.sh: no era '$era'" >&2; exit 2 ;;
esac
mkdir -p "$dir"
bin/jobqsim sweep -o "$dir/sweep-$era.csv" --design lhs:1000 "${world[@]}" "${points[@]}"
bin/jobqsim sweep -o "$dir/check-$era.csv" --design lhs:200 --seed 2 "${world[@]}" \
    "${points[@]}"
bin/jobqcost fit "$dir/sweep-$era.csv" -o "$dir/formula-$era.json" --name "aws-$era" \
    --check "$dir/check-$era.csv" --date "$date"
