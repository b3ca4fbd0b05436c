#!/bin/bash
# Rows in DynamoDB and fewer of them: the closed form against the simulator over a grid of fleets,
# in dollars a job; and each simulated point has to lie within the interval that is stated for it.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# check STORE MEDIAN P95 COVERED: shares. The fit tells a mean, and a point is one run, so that
# of 120 points six are outside a 95 % interval by chance: 93 % leaves room for two more.
check() {
    local store=$1
    shift
    bin/jobqsim sweep -o "$work/$store.csv" --quiet --seed 3 --design lhs:120 --jobs 2000 \
        --payload 64..8k:log --job-time 10ms..100s:log --concurrency 1..32:log \
        --boxes 1,2,4,8 --batch 1,2,5,10 --prefetch auto,0 --domains 16 \
        --store "$store" --rows all,claim,end --instance c7g.medium &&
        bin/jobqcost fit -q --json --formula closed --date 2026 \
            --check "$work/$store.csv" >"$work/$store.json" ||
        { failed=1; return; }
    python3 - "$work/$store.json" "$store" "$@" <<'END' || failed=1
import json, sys
got = json.load(open(sys.argv[1]))
median, p95, covered = map(float, sys.argv[3:6])
bad = got['error_median'] > median or got['error_p95'] > p95 or got['covered'] < covered
print('%-4s --store %s --rows all,claim,end: %d points off by %.2f %% (median), %.2f %% (95th); '
      '%.1f %% within their interval' % ('FAIL' if bad else 'ok', sys.argv[2], got['points'],
      100 * got['error_median'], 100 * got['error_p95'], 100 * got['covered']))
sys.exit(bad)
END
}

check dynamodb 0.01 0.05 0.93
exit $failed
