#!/bin/bash
# What `make demo` shows a new user: it ends well, makes the report and fits 80 columns.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*"; tail -20 "$work/said"; exit 1; }

reports/demo.sh "$work/out" >"$work/said" 2>&1 </dev/null || fail "the demo ended with $?"
wide=$(sed "s|$work|reports|g" "$work/said" | grep -nE '.{81}') && fail "over 80 columns: $wide"
grep -q '\$1.00 per million is reached' "$work/said" || fail "the question is not answered"
for part in report.html report.json pareto.png queue.png tornado.png assumed.csv; do
    [ -s "$work/out/$part" ] || fail "$part was not made"
done
[ "$(wc -l <"$work/out/assumed.csv")" -gt 20 ] || fail "hardly an assumption was tried"
