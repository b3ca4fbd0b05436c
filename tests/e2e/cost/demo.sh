#!/bin/bash
# What `make demo` shows a new user: the answer in at most 25 lines of 80 columns, the
# report's path, three commands that work, and nothing else.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*"; tail -30 "$work/said"; exit 1; }

# An older build's demo was here.
mkdir "$work/out"
for left in check assumed-sweep; do
    printf '# schema=jobq.sweep/1\n# seed=1\npoint,a\n0,1\n' >"$work/out/$left.csv"
done
reports/demo.sh "$work/out" >"$work/said" 2>&1 </dev/null || fail "the demo ended with $?"
[ "$(wc -l <"$work/said")" -le 25 ] || fail "$(wc -l <"$work/said") lines"
wide=$(sed "s|$work|reports|g" "$work/said" | grep -nE '.{81}') && fail "over 80 columns: $wide"
head -2 "$work/said" | tr '\n' ' ' | grep -q 'A million jobs .* cost \$[0-9.]*: ' ||
    fail "the answer is not first"
for label in 'in all' 'by service' boxes 'half of it' 'for \$1' 'how sure' checked; do
    grep -q "^  $label  *[^ ]" "$work/said" || fail "no line '$label'"
done
grep -q "^The report: $work/out/report.html" "$work/said" || fail "the report is not named"
[ "$(grep -c '^  bin/' "$work/said")" = 3 ] || fail "not three commands to try"
sed -n 's|^  \(bin/.*\)|\1|p' "$work/said" | while read -r command; do
    $command >"$work/tried" 2>&1 || { cat "$work/tried"; exit 1; }
done || fail "a command to try fails"
for part in report.html report.json pareto.png queue.png tornado.png assumed.csv; do
    [ -s "$work/out/$part" ] || fail "$part was not made"
done
[ "$(wc -l <"$work/out/assumed.csv")" -gt 20 ] || fail "hardly an assumption was tried"
