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
# The domain is the whole of sim/sweep/wide.c: runs at once and arrivals, 1 to 1,000 boxes of 1 to
# 1,000 slots, any spread of job times, both stores. A scrambled Sobol sequence fills it evenly; the
# check's points are independent of it.
case $era in
2026) points=256 seed=31 fresh=150 fresh_seed=41 date=2026 ;;
2012) points=128 seed=32 fresh=80 fresh_seed=42 date=2012-12 ;;
*) echo "formula.sh: no era '$era'" >&2; exit 2 ;;
esac
mkdir -p "$dir"
# sweep FILE DESIGN SEED
sweep() {
    [ -e "$1" ] || bin/jobqsim sweep -o "$1" --domain wide --model "aws-$era" --design "$2" --seed "$3" \
        --control --precision 3%
}
sweep "$dir/sweep-$era.csv" sobol:$points $seed
sweep "$dir/check-$era.csv" random:$fresh $fresh_seed
bin/jobqcost fit "$dir/sweep-$era.csv" -o "$dir/formula-$era.json" --name "aws-$era" \
    --check "$dir/check-$era.csv" --date "$date"
