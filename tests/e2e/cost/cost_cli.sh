#!/bin/bash
# jobqcost as people run it: figures, exit codes, faults that leave nothing behind.
set -u
program=${1:-bin/jobqcost}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() { echo "FAIL: $*"; failed=1; }

# code WANTED TEXT ARGS...: exit code, and TEXT in what was printed (either stream).
expect() {
    local want=$1 text=$2
    shift 2
    "$program" "$@" >"$work/out" 2>"$work/err" </dev/null
    local code=$?
    [ $code = "$want" ] || fail "exit $code, not $want: $*: $(head -3 "$work/err")"
    grep -qF -- "$text" "$work/out" "$work/err" || fail "no '$text': $*: $(head -3 "$work/out" "$work/err")"
}
json() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$work/out" "$1"; }
is() { [ "$1" = "$2" ] || fail "$1 is not $2"; }

# Its rows go as soon as their jobs are done, by hand.
seed="--payload 100 --job-time 0s --concurrency 1 --batch 1 --instance none --keep 0 --housekeeping never"

# The seed's flow, in its year and today.
expect 0 'cost $12.24: 75 % is SimpleDB' eval $seed --date 2012-10
expect 0 'cost $10.44' eval $seed --date 2026
expect 0 'cost $10.44' eval $seed --date 2026 --formula closed

# The answer comes first, in numbers as people write them: what it counts, a day and a month,
# services, boxes, what halves it, what reaches $1, how sure.
"$program" eval --instance t4g.small >"$work/out" 2>"$work/err" || fail "eval: $(cat "$work/err")"
[ -s "$work/err" ] && fail "eval warns of what the answer says: $(cat "$work/err")"
[ "$(head -c 15 "$work/out")" = 'A million jobs ' ] || fail "the answer is not first: $(head -2 "$work/out")"
for label in 'this is' 'in all' 'by service' boxes 'half of it' 'for \$1' 'how sure'; do
    grep -q "^  $label  *[^ ]" "$work/out" || fail "the answer has no line '$label'"
done
grep -nE '[0-9]e[-+]?[0-9]|.{81}' "$work/out" && fail "an exponent, or a line over 80 columns"
expect 0 '58 a second' eval --arrivals 58/s --boxes 20 -q
expect 0 'a whole run of 1,000,000 jobs' eval --jobs 1,000,000 --boxes 4
expect 0 'without EC2' eval --instance none
expect 0 'jobs of 2 KiB' eval --payload 2KiB
# What it proposes costs what it says.
expect 0 jobq.cost/1 eval --json --job-time 1s
is "$(json 'abs(sum(d["answer"]["services_per_million_usd"].values()) / d["per_million_usd"] - 1) < 1e-9')" True
is "$(json 'd["answer"]["half"]["reached"] and d["answer"]["half"]["per_million_usd"] <= d["per_million_usd"] / 2')" True
is "$(json 'abs(d["answer"]["per_day_usd"] / d["per_million_usd"] - 1) < 1e-9')" True
half=$(json 'd["answer"]["half"]["settings"]') usd=$(json 'round(d["answer"]["half"]["per_million_usd"], 6)')
# shellcheck disable=SC2086
expect 0 jobq.cost/1 eval --json --job-time 1s $half -q
is "$(json 'round(d["per_million_usd"], 6)')" "$usd"
# The headline names the cheapest rows that can still be asked for a status, and what they cost.
expect 0 jobq.cost/1 eval --json --job-time 1s
status=$(json 'd["answer"]["with_status"]["settings"]') usd=$(json 'round(d["answer"]["with_status"]["per_million_usd"], 6)')
expect 0 'The least with a status: ' eval --job-time 1s
# shellcheck disable=SC2086
expect 0 jobq.cost/1 eval --json --job-time 1s $status -q
is "$(json 'round(d["per_million_usd"], 6)')" "$usd"
is "$(json 'd["answer"]["with_status"]["reached"]')" False
expect 0 'end alone, cost' eval --store dynamodb --rows end
expect 0 '1 KiB and 512 MiB of memory' eval --memory 512MiB
# Fewer rows never cost more, and which arrangements reach a dollar says when a status is there.
expect 0 jobq.compare/1 compare --store dynamodb --over rows=all,claim,end,none --json -q
is "$(json '[r["usd_per_million"] for r in d["rows"]] == sorted([r["usd_per_million"] for r in d["rows"]], reverse=True)')" True
expect 0 jobq.solve/1 solve --target 1.00 --free batch,rows,store,instance,concurrency --json -q
is "$(json '[r["status"] for r in d["results"]]')" "['never', 'once ended']"
# A price of confidence M is 85 % of it: the interval says so, and more without a source.
expect 0 'simpledb.box, last seen' eval --job-time 1s
expect 0 jobq.cost/1 eval --json --job-time 1s
is "$(json 'd["answer"]["price_half_usd"] / d["per_million_usd"] > 0.05 and d["interval95_per_million_usd"][1] > d["interval95_model_per_million_usd"][1]')" True

# jobq.cost/1: the components add up to the whole, and so do the items.
expect 0 jobq.cost/1 eval --json --instance c7g.large --concurrency 4 --client internet
is "$(json 'abs(sum(d["components"].values()) / d["per_million_usd"] - 1) < 1e-9')" True
is "$(json 'abs(sum(i["usd_per_million"] for i in d["items"]) / d["per_million_usd"] - 1) < 1e-9')" True
is "$(json 'abs(d["per_job_usd"] * 1e6 / d["per_million_usd"] - 1) < 1e-9')" True
is "$(json 'sorted(d["components"])')" "['bandwidth_in', 'bandwidth_out', 'boot', 'cpu', 'idle', 'service_calls', 'storage']"
is "$(json 'd["interval95_per_million_usd"][0] <= d["per_million_usd"] <= d["interval95_per_million_usd"][1]')" True
is "$(json 'd["sheet"]["region"]')" us-east-1
is "$(json 'd["components"]["bandwidth_out"] > 0')" True
cp "$work/out" "$work/base.json"

# A run has boot and the rounding of its instances; marginal cost has neither.
expect 0 boot eval --json --jobs 1000 --boxes 2 --instance c1.medium --date 2012-12 --job-time 1s
is "$(json 'd["components"]["boot"] > 0 and d["components"]["idle"] > 0')" True
expect 0 boot eval --json --instance c1.medium --date 2012-12 --job-time 1s
is "$(json 'd["components"]["boot"]')" 0.0

# Regions, dates, borrowed prices.
expect 4 "no price for 'simpledb.box' in us-east-2" eval --region us-east-2
expect 4 'AWS does not offer SimpleDB there' eval --region us-east-2
expect 4 'give it with --price simpledb.box=USD' eval --region eu-central-1
expect 0 'A million jobs' eval --region eu-central-1 --price simpledb.box=0.14 \
    --price simpledb.storage=0.25
expect 4 'ebs.gp3' eval --region eu-west-1 --volume 8
expect 0 'root volumes' eval --region eu-west-1 --volume 8 --price ebs.gp3=0.088
expect 4 'give it with --price ec2.c9z.large=USD' eval --instance c9z.large
expect 0 'A million jobs' eval --instance c9z.large --price ec2.c9z.large=0.07
expect 0 'assumed from us-east-1: simpledb.box' eval --region us-east-2 --assume-from us-east-1
expect 0 'A million jobs' eval --region us-east-2 --store none --instance c7g.medium
for region in us-east-1 us-east-2 eu-central-1; do
    expect 0 'A million jobs' eval --region $region --store dynamodb --spot
done
for region in us-west-2 eu-west-1 ap-northeast-1 ap-southeast-1; do
    expect 0 'A million jobs' eval --region $region --instance c7g.medium
    expect 0 'A million jobs' eval --region $region --instance c7g.medium --spot
done
expect 4 "no price sheet of region 'mars-1'" eval --region mars-1
expect 4 "there is 2012-10, 2012-12" eval --date 1999
expect 0 'no price sheet of 2012-11 for us-east-1: prices are those of 2012-10' eval --date 2012-11
expect 4 "there is 2012-10, 2012-12" eval --date soon
expect 0 'older than a year: simpledb.box' compare --over batch=1,10
is "$(grep -c 'older than' "$work/err")" 1
expect 0 'jobs of 12 h or more cannot end' eval --job-time 12h
expect 0 'there was no long poll' eval --date 2012-10

# Rows are kept longer than their messages, and what waits longer than the queue keeps it is lost.
expect 2 "--keep '10d' is not longer than '14.5d'" eval --keep 10d
expect 0 'keep 10d' eval --keep 10d --retention 9d
expect 0 'the queue drops what waits longer than 14:' eval --job-time 1h --concurrency 1 --boxes 1 --jobs 1000

# Bare bills and ledgers.
expect 0 '$2.52' bill --requests sqs.standard=6.3M --date 2026 --free-tier none
expect 0 '$2.12' bill --requests sqs.standard=6.3M --date 2026 --free-tier all
expect 0 '$6.30' bill --requests sqs.standard=6.3M --date 2012-10
expect 0 '$0.13' bill --usage ec2.m1.small=1.5 --date 2012-12
cat >"$work/ledger.json" <<'END'
{"schema": "jobq.ledger/2", "jobs": {"done": 1000000}, "attempts": 1000000, "actions": {
 "SendMessage": {"requests": 1000000}, "ReceiveMessage": {"requests": 1000000},
 "DeleteMessage": {"requests": 1000000},
 "PutAttributes": {"requests": 3000000, "box_usage_e10h": 659727000000}}}
END
expect 0 '$12.24 for 1000000 finished jobs' bill "$work/ledger.json" --date 2012-10
# What a job costs is said of those that finished, and the others beside it.
sed 's/"done": 1000000/"done": 250000, "expired": 750000/' "$work/ledger.json" >"$work/expired.json"
expect 0 '$48.94 per million' bill "$work/expired.json" --date 2012-10
expect 0 'jobs that did not finish: 750000 expired' bill "$work/expired.json" --date 2012-10

# A simulated run is a ledger: its own dollars, and the bill's, and the closed form's.
burst="--jobs 300 --job-time 1s --cpu-share 1 --concurrency 2 --boxes 1 --instance t4g.small --store none"
bin/jobqsim run $burst --json -o "$work/run-ledger.json" >"$work/run.json" || fail "jobqsim run"
python3 - "$work/run.json" <<'END' || fail "dollars of a simulated run"
import json, sys
run = json.load(open(sys.argv[1]))
assert run['prices'] == 'us-east-1@2026-10', run['prices']
assert 0 < run['usd_by_service']['SQS'] < run['usd_by_service']['EC2'], run['usd_by_service']
assert abs(sum(run['usd_by_service'].values()) / run['usd'] - 1) < 1e-9
assert run['ledger']['schema'] == 'jobq.ledger/2' and run['ledger']['jobs'] == {'done': 300}
assert 299e9 < run['ledger']['instances'][0]['cpu_ns'] < 301e9, run['ledger']['instances']
END
usd=$(python3 -c 'import json,sys; print("%.9g" % json.load(open(sys.argv[1]))["usd"])' "$work/run.json")
for file in run.json run-ledger.json; do
    expect 0 jobq.bill/1 bill "$work/$file" --json -q
    is "$(json '"%.9g" % d["usd"]')" "$usd"
done
# CPU credits are most of it, in the closed form too.
expect 0 't4g, CPU credits' bill "$work/run.json" -q
expect 0 jobq.cost/1 eval $burst --json -q
is "$(json "abs(d['per_million_usd'] / 1e6 * 300 / $usd - 1) < 0.02")" True
bin/jobqsim run --jobs 1 --region us-east-1 --date 2012-10 --model aws-2012 | grep -q 'prices of us-east-1 2012-10' || fail "prices by setting"
bin/jobqsim run --jobs 1 --model aws-2012 | grep -q 'prices of us-east-1 2012-12' || fail "prices of the model's year"
expect 2 "give a ledger" bill
expect 2 "'Fly' is not an action" bill <(echo '{"schema":"jobq.ledger/2","actions":{"Fly":{}}}')

# Inverted, optimised, compared.
expect 0 'out of reach; the least is $8.6' solve --target 1 -q
expect 0 'is reached, cheapest first' solve --target 1 --free store,batch -q
expect 0 'the target is crossed at job-time' solve --target 1 --free job-time=1ms..100s \
    --instance t4g.nano --store none --concurrency 8 -q
expect 0 'jobq.solve/1' solve --target 1 --json -q
is "$(json 'd["reached"]')" False
is "$(json 'd["binding_component"]')" service_calls
expect 0 'p95 wait' optimise --arrivals 50/s --job-time exp:200ms --p95-wait 2s -q
expect 0 'jobq.optimise/1' optimise --jobs 100k --job-time 1s --cpu-share 1 --deadline 1h --json -q
is "$(json 'all(r["makespan_s"] <= 3600 for r in d["results"])')" True
expect 4 'within the limits' optimise --jobs 1G --job-time 1h --cpu-share 1 --deadline 1s -q
expect 0 dynamodb compare --over store=simpledb,dynamodb --over date=2026 \
    --break-even payload=1..100k -q
# What runs the jobs: EC2, Fargate, Lambda.
expect 0 'cheaper below' compare --engine ec2,fargate,lambda --arrivals 1/s --store dynamodb \
    --break-even arrivals=0.001/s..5/s -q
grep -q '^lambda .*ec2 ' "$work/out" || fail "no rate at which Lambda is cheaper: $(cat "$work/out")"
expect 0 'Lambda ends a function after 15 minutes' compare --engine ec2,lambda --job-time 20min -q
expect 0 'none of these crosses another' compare --over batch=1,10 --break-even payload=1..1k -q
expect 2 "'mars' is not ec2, fargate or lambda" compare --engine mars
expect 0 'usd_per_million' compare --over date=2012-10,2026 --csv -q
is "$(wc -l <"$work/out")" 3

# The gate: report first, then 3.
expect 3 EXCEEDED check --max-per-million 5
grep -q 'per million jobs' "$work/out" || fail "check does not report first"
expect 0 passed check --max-per-million 50
expect 3 EXCEEDED check --max-increase 5% --baseline "$work/base.json" --instance c7g.large \
    --concurrency 2 --client internet
expect 0 passed check --max-increase 5% --baseline "$work/base.json" --instance c7g.large \
    --concurrency 4 --client internet
expect 2 'go together' check --max-increase 5%

# A prediction against itself, and against more requests than it allows.
expect 0 '' eval --json --payload 100 --batch 1 --instance none --job-time 0
cp "$work/out" "$work/predicted.json"
expect 0 '0 lines outside' reconcile "$work/ledger.json" "$work/ledger.json"
sed 's/"SendMessage": {"requests": 1000000}/"SendMessage": {"requests": 1100000}/' \
    "$work/ledger.json" >"$work/more.json"
expect 3 OUTSIDE reconcile "$work/ledger.json" "$work/more.json"
expect 3 OUTSIDE reconcile "$work/predicted.json" "$work/more.json" --json
{ echo '{"schema":"jobq.trace/1","pid":1}'; echo '{"call":"SendMessage"}'
  echo "{\"ledger\":$(tr -d '\n' <"$work/ledger.json")}"; } >"$work/trace.jsonl"
expect 0 '$12.24 for 1000000 finished jobs' bill "$work/trace.jsonl" --date 2012-10
expect 0 '0 lines outside' reconcile "$work/ledger.json" "$work/trace.jsonl"
expect 2 'trace without its ledger' bill <(head -2 "$work/trace.jsonl")
expect 2 'needs two files' reconcile "$work/ledger.json"

# A scenario file predicted, simulated and reconciled; the CPU time, the boot that boxes do without.
cat >"$work/fleet.ini" <<'END'
[scenario]
jobs = 2000
job-time = 1s
concurrency = 50
instance = c7g.large
domains = 8
boot = none
END
expect 0 'closed form  $' predict "$work/fleet.ini" -q --formula closed -o "$work/foretold.json"
expect 0 'SimpleDB $' predict "$work/fleet.ini" -q
bin/jobqsim run "$work/fleet.ini" -o "$work/simulated.json" >/dev/null || fail "jobqsim run FILE"
"$program" reconcile "$work/foretold.json" "$work/simulated.json" -q --tolerance 2% --json >"$work/out"
is "$(json 'abs(d["observed_per_million_usd"] / d["predicted_per_million_usd"] - 1) < 0.02')" True
is "$(json 'd["jobs"], d["unfinished"]')" '(2000.0, 0)'
"$program" reconcile "$work/foretold.json" "$work/simulated.json" "$work/simulated.json" -q --json >"$work/out"
is "$(json 'len(d["runs"])')" 2
expect 2 'takes one scenario file' predict "$work/fleet.ini" "$work/fleet.ini"

# Latencies of a known distribution are found again by their likelihood, and a simulated trace too.
python3 - "$work" <<'END'
import math, random, sys
dice = random.Random(7)
with open(sys.argv[1] + "/known.jsonl", "w") as out:
    out.write('{"schema":"jobq.trace/1"}\n')
    for i in range(3000):
        for call, x in (("SendMessage", dice.lognormvariate(math.log(9e6), 0.99)), ("PutAttributes", dice.gammavariate(4, 1e7))):
            out.write('{"call":"%s","start":%d,"ns":%d,"entries":1,"code":"ok"}\n' % (call, i, x))
END
bin/jobqsim calibrate "$work/known.jsonl" -o "$work/params.ini" >"$work/out" || fail "calibrate"
grep -q 'sqs.send_latency *3000  lognormal' "$work/out" && grep -q 'simpledb.write_latency *3000  gamma' "$work/out" ||
    fail "calibrate: $(cat "$work/out")"
grep -qE 'send_latency=lognormal:median=(8\.[6-9]|9\.[0-4])[0-9]*ms' "$work/params.ini" || fail "$(cat "$work/params.ini")"
bin/jobqsim run "$work/fleet.ini" --scenario "$work/params.ini" --record "$work/again.jsonl" >/dev/null || fail "a calibrated run"
bin/jobqsim calibrate "$work/again.jsonl" -o "$work/params.ini" | grep -q 'simpledb.write_latency *4[0-9]*  gamma' || fail "a simulated trace"
bin/jobqsim calibrate "$work/fleet.ini" -o "$work/params.ini" 2>"$work/err" && fail "calibrate took no trace"
grep -q 'no trace' "$work/err" || fail "$(cat "$work/err")"

# A Cost and Usage Report of a run: its own dollars, its lines, and what a ledger does not know.
cat >"$work/report.csv" <<'END'
identity/LineItemId,lineItem/LineItemType,lineItem/ProductCode,lineItem/UsageType,lineItem/Operation,lineItem/UsageAmount,lineItem/UnblendedCost
1,Usage,AWSQueueService,USE2-Requests-Tier1,SendMessage,1000000,0.40
2,Usage,AWSQueueService,USE2-Requests-Tier1,ReceiveMessage,1000000,0.40
3,Usage,AWSQueueService,USE2-Requests-Tier1,DeleteMessage,1000000,0.40
4,Usage,AmazonSimpleDB,BoxUsage,PutAttributes,65.9727,9.236178
5,Usage,AmazonCloudWatch,"CW:Requests, metrics",GetMetricData,10,0.01
6,Tax,AWSQueueService,,,1,2.00
END
expect 0 '$0.01000 of the report' reconcile "$work/ledger.json" "$work/report.csv" --jobs 1M
expect 0 '$10.45 over 1000000 finished jobs: inside' reconcile "$work/ledger.json" "$work/report.csv" --jobs 1M
expect 2 'give --jobs N' reconcile "$work/ledger.json" "$work/report.csv"
sed 's/SendMessage,1000000,0.40/SendMessage,2000000,0.80/' "$work/report.csv" >"$work/dear.csv"
expect 3 'explained by sqs_send +' reconcile "$work/ledger.json" "$work/dear.csv" --jobs 1M --tolerance 2%
sed 's/65.9727/many/' "$work/report.csv" >"$work/bad.csv"
expect 2 'bad.csv:5: an amount is no number' reconcile "$work/ledger.json" "$work/bad.csv" --jobs 1M

# Sheets: listing, difference, import; a malformed one names its line and leaves nothing.
expect 0 'us-east-1       2026-10' prices show
expect 0 'hour/1h     0  0.08    0.065  -18.8 %' prices diff us-east-1@2012-10 us-east-1@2012-12
expect 4 'no such price' prices show --date 2026 sqs.nothing
cat >"$work/offer.csv" <<'END'
"Publication Date","2026-11-20T00:00:00Z"
"Version","7"
"OfferCode","AWSQueueService"
"SKU","TermType","EffectiveDate","StartingRange","EndingRange","PricePerUnit","Currency","Product Family","serviceCode","Region Code","queueType"
"A","OnDemand","2026-11-01","0","Inf","0.0000004000","USD","API Request","AWSQueueService","us-west-2","Standard"
END
expect 0 '1 rows kept' prices import "$work/offer.csv" --region us-west-2 --date 2026-11 \
    -o "$work/us-west-2@2026-11.csv"
expect 0 '$0.40' bill --requests sqs.standard=1M --region us-west-2 --sheets "$work"
grep -q 'offer_version = 7' "$work/us-west-2@2026-11.csv" || fail "no offer version"
echo keep >"$work/kept.csv"
head -n 3 "$work/offer.csv" >"$work/cut.csv"
expect 2 "cut.csv:4: no header line" prices import "$work/cut.csv" --region us-west-2 \
    --date 2026-11 -o "$work/kept.csv"
echo '{"offerCode": "AWSQueueService"}' >"$work/offer.json"
expect 2 "offer.json:1: this is JSON: jobq reads the CSV form (index.csv)" prices import \
    "$work/offer.json" --region us-west-2 --date 2026-11 -o "$work/kept.csv"
is "$(cat "$work/kept.csv")" keep
is "$(ls "$work" | grep -c tmp)" 0
mkdir "$work/bad"
printf '#: region = x\n#: date = 2026\nservice,item,unit,from,to,usd,source,date,confidence\nsqs,a,furlong,0,,1,x,2026,H\n' \
    >"$work/bad/x@2026.csv"
expect 2 "x@2026.csv:4: unknown unit 'furlong'" eval --sheets "$work/bad" --region x

# Usage.
expect 2 "did you mean '--payload'" eval --paylod 5
expect 2 "--batch: '11' is out of range, want 1 to 10" eval --batch 11
expect 2 'SimpleDB row' eval --payload 300KiB
expect 2 "unknown subcommand 'evil'" evil
expect 2 "cannot open" eval --formula "$work/none.json"
printf '{"schema":\n"jobq.formula/1",\n]' >"$work/formula.json"
expect 2 'formula.json:3:' eval --formula "$work/formula.json"
expect 0 'exit codes' --help
for command in eval solve optimise compare check bill prices reconcile; do
    expect 0 "jobqcost $command" $command --help
    grep -q 'Makes no API call' "$work/out" || fail "$command --help has no API-call line"
done
[ $failed = 0 ] && echo "jobqcost: all as it should be"
exit $failed
