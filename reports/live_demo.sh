#!/bin/sh
# One scenario, three ways: predicted, simulated, and run by real processes against jobqmock with
# the latencies of its model. Takes half a minute, needs no account and leaves the network alone.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
mock=
trap 'test -z "$mock" || kill "$mock"; rm -rf "$work"' EXIT
cat >"$work/fleet.ini" <<'END'
[scenario]
jobs = 1,000
job-time = lognormal:mean=1500ms,cv=0.5
payload = 4KiB
instance = c7g.large
boxes = 2
concurrency = 40
domains = 8
boot = none
housekeeping = never
END
echo "The scenario: two boxes that run already, 40 jobs at a time on each."
sed -n '2,6p' "$work/fleet.ini" | sed 's/^/    /'
echo
echo "1. Predicted, by the closed form (jobqcost predict fleet.ini -o predicted.json):"
bin/jobqcost predict "$work/fleet.ini" --formula closed -q -o "$work/predicted.json" | tail -2 | sed 's/^/    /'
echo
echo "2. Simulated (jobqsim run fleet.ini -o simulated.json):"
bin/jobqsim run "$work/fleet.ini" -o "$work/simulated.json" | grep -E '^(jobs|makespan|cost)' | sed 's/^/    /'
echo
echo "3. Run: $(grep -c . "$work/fleet.ini") lines of settings, 2 drainers, jobqmock as AWS (jobq run fleet.ini -o live.json):"
bin/jobqmock --port 0 --latency model >"$work/mock" 2>&1 &
mock=$!
while ! grep -q http "$work/mock"; do sleep 0.05; done
url=$(sed -n 's,.*\(http://[^ ]*\).*,\1,p' "$work/mock" | head -1)
env -u AWS_PROFILE HOME="$work" AWS_ENDPOINT_URL="$url" AWS_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true \
    AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY \
    bin/jobq run "$work/fleet.ini" --queue jobs -o "$work/live.json" | sed 's/^/    /'
echo
echo "4. Held against each other (jobqcost reconcile predicted.json simulated.json live.json):"
code=0
bin/jobqcost reconcile "$work/predicted.json" "$work/simulated.json" "$work/live.json" --tolerance 2% -q \
    >"$work/reconciled" || code=$?
sed -n "s,$work/,,gp; /^observed\|^took\|outside, mean\|^explained\|^no line/p" "$work/reconciled" | sed 's/^/    /'
sed -n '/live.json against/,$p' "$work/reconciled" | sed -n '/^line/,$p' | cut -c1-80 | sed 's/^/    /'
case $code in
0) echo; echo "Every line that moves dollars is inside." ;;
3) echo; echo "A line is marked OUTSIDE: of so short a run a few requests more or less are." ;;
*) exit "$code" ;;
esac
