#!/bin/bash
# jobqcost report: exit codes, the page's sections in order, pictures that show something,
# golden data, and a folder that a failed run leaves as it was. UPDATE=1 rewrites the
# golden data.
set -u
program=$PWD/bin/jobqcost
golden=tests/e2e/golden/report
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() { echo "FAIL: $*"; failed=1; }
code() {
    local want=$1
    shift
    "$@" >"$work/said" 2>"$work/err" </dev/null
    local got=$?
    [ $got = "$want" ] || fail "exit $got, not $want: $*: $(head -2 "$work/err")"
}
# What is in a folder, byte for byte; also hidden files.
state() { (cd "$1" && find . -type f -o -type d | sort && find . -type f -print0 | sort -z | xargs -0 cat | cksum); }

scene=(--job-time 2s --concurrency 8 --cpu-share 0.2 --boxes 4 --instance c7g.large
    --date 2026-10 --formula closed)
bin/jobqsim sweep -o "$work/sweep.csv" --payload 64,8k --job-time 100ms,1s --concurrency 1,8 \
    --jobs 200 --instance c7g.medium --quiet || fail "no sweep"
for seed in 1 2 3; do
    bin/jobqsim run --jobs 200 --boxes 2 --concurrency 4 --job-time exp:1s --seed $seed \
        --jobs-csv "$work/jobs-$seed.csv" >"$work/run.txt" || fail "no run"
done
cat >"$work/assumed.csv" <<'CSV'
param,status,value,low,high,usd_swing,p95_swing
<script>put</script>,assumed,0.04,0.03,0.06,0.034,0.002
small,assumed,1,1,2,0.001,0.002
CSV

# A ledger of a million jobs that cost what is predicted.
usd=$("$program" eval "${scene[@]}" --json -q | python3 -c 'import json,sys; print(json.load(sys.stdin)["per_million_usd"])')
python3 -c 'import json,sys; print(json.dumps({"schema": "jobq.ledger/2", "jobs": {"done": 1000000}, "attempts": 1000000,
    "actions": {"PutAttributes": {"requests": 1000000, "box_usage_e10h": int(float(sys.argv[1]) / 0.14 * 1e10)}}}))' \
    "$usd" >"$work/ledger.json"

# Every input given.
code 0 "$program" report -o "$work/out" "${scene[@]}" --sweep "$work/sweep.csv" \
    --check "$work/sweep.csv" --assumed "$work/assumed.csv" --jobs-csv "$work/jobs-1.csv" \
    --jobs-csv "$work/jobs-2.csv" --jobs-csv "$work/jobs-3.csv" \
    --ledger simulated="$work/ledger.json"
page=$work/out/report.html
size=$(stat -c %s "$page")
[ "$size" -lt 1000000 ] || fail "the page has $size bytes"
ids=$(grep -o '<section id="[a-z-]*"' "$page" | cut -d'"' -f2 | tr '\n' ' ')
want="answer services map map-none tornado pareto break-even formula check queue capacity validity assumed provenance "
[ "$ids" = "$want" ] || fail "sections: $ids"
grep -q '<script' "$page" && fail "a script, or an unescaped cell"
grep -q '&lt;script&gt;put' "$page" || fail "the assumed parameter is not shown"
grep -qE '(src|href)="(https?:)?//' "$page" && fail "an asset from elsewhere"
# What a reader meets first: dollars and what they are for; no exponents in the text.
grep -q '<h1>A million of these jobs cost \$[0-9.]*; [0-9]*&#160;% of it is ' "$page" || fail "no answer in the title"
grep -q 'jobq run --jobs 10k --payload 1KiB --job-time 2s .*' "$page" && grep -q -- '--budget [0-9.]* ' "$page" ||
    fail "no command that would compare it with AWS"
grep -q 'you are here: \$' "$page" || fail "the map does not say where one is"
grep -q 'A million jobs = .* &#215; \|A million jobs = .* × .* = \$' "$page" || fail "no formula in one line"
sed 's/<svg.*<\/svg>//; /<svg/,/<\/svg>/d; /<details>/,/<\/details>/d; s/model hash [0-9a-f]*//' "$page" | grep -nE '[0-9]e[-+]?[0-9]{2}' &&
    fail "an exponent"
grep -q 'inside the interval' "$page" || fail "the run's ledger is not compared"
grep -q 'Not shown' "$page" && fail "a section says that its input is missing"
[ "$(grep -oE ' id="[^"]*"' "$page" | sort | uniq -d | wc -l)" = 0 ] || fail "an id twice"
python3 - "$work/out" <<'PY' || fail "pictures"
import glob, json, struct, sys, zlib
bad = 0
pictures = sorted(glob.glob(sys.argv[1] + "/*.png"))
page = open(sys.argv[1] + "/report.html").read()
# Each is in the page twice: for a screen and for a phone.
if len(pictures) < 8 or page.count("<svg") != 2 * len(pictures):
    print(len(pictures), "pictures,", page.count("<svg"), "in the page"); bad = 1
for name in pictures:
    data = open(name, "rb").read()
    size, at, packed = struct.unpack(">II", data[16:24]), 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IDAT":
            packed += data[at + 8:at + 8 + length]
        at += 12 + length
    pixels = zlib.decompress(packed)
    # Filtered rows of an empty picture are all zeros.
    marks = len(pixels) - pixels.count(0)
    if size[0] != 1600 or size[1] < 400 or marks < 5000:
        print(name, size, marks); bad = 1
facts = json.load(open(sys.argv[1] + "/report.json"))
low, high = facts["interval95_per_million_usd"]
if not low <= facts["per_million_usd"] <= high or facts["schema"] != "jobq.report/2":
    print(facts); bad = 1
sys.exit(bad)
PY
# The page's number is eval's.
"$program" eval "${scene[@]}" --json -q | python3 -c '
import json, sys
a, b = json.load(sys.stdin)["per_million_usd"], json.load(open(sys.argv[1]))["per_million_usd"]
sys.exit(abs(a / b - 1) > 1e-9)' "$work/out/report.json" || fail "the page and eval differ"
for data in breakeven services pareto queue tornado heat-none-contour; do
    [ "${UPDATE:-}" = 1 ] && cp "$work/out/$data.csv" "$golden/"
    cmp -s "$work/out/$data.csv" "$golden/$data.csv" || fail "$data.csv is not the golden one"
done

before=$(state "$work/out")

code 0 "$program" report -o "$work/plain" "${scene[@]}"
# The same scenario gives the same picture, here and there.
cmp "$work/out/pareto.png" "$work/plain/pareto.png" || fail "a picture differs from run to run"
[ "$(grep -c 'Not shown: no --' "$work/plain/report.html")" = 3 ] || fail "missing inputs are not said"
# A year whose messages were smaller: what it refused is left out of the maps.
code 0 "$program" report -o "$work/then" --date 2012-10 --formula closed -q
code 0 "$program" report -o "$work/then" --date 2012-10 --formula closed --store none --arrivals 5/s \
    --boxes 10 -q

# Faults leave the folder as it was and make none.
code 2 "$program" report
code 2 "$program" report -o "$work/new" stray
code 2 "$program" report -o "$work/out" --sweep "$work/nothing.csv"
printf '# schema=jobq.sweep/1\npoint,a\n0,x,y\n' >"$work/bad.csv"
code 2 "$program" report -o "$work/out" "${scene[@]}" --sweep "$work/bad.csv"
grep -q 'bad.csv:3' "$work/err" || fail "no line: $(cat "$work/err")"
code 2 "$program" report -o "$work/out" "${scene[@]}" --jobs-csv "$work/bad.csv"
code 2 "$program" report -o "$work/out" "${scene[@]}" --assumed "$work/sweep.csv"
code 2 "$program" report -o "$work/out" "${scene[@]}" --ledger "$work/ledger.json"
code 2 "$program" report -o "$work/out" "${scene[@]}" --ledger live="$work/bad.csv"
code 1 env PATH="$work" "$program" report -o "$work/out" "${scene[@]}"
grep -q 'gnuplot is not installed' "$work/err" || fail "gnuplot is not named: $(cat "$work/err")"
code 1 env PATH="$work" "$program" report -o "$work/new" "${scene[@]}"
[ -e "$work/new" ] && fail "a failed run made a folder"
[ "$(state "$work/out")" = "$before" ] || fail "a failed run changed the folder"

[ $failed = 0 ] && echo "report: ok ($size bytes)"
exit $failed
