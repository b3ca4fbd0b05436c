#!/bin/bash
# The closed form against the simulator: requests a job to 0.5 % with full batches and to
# 5 % elsewhere, bytes on the wire to 1 %, BoxUsage and instance time to 2 %.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
n=0

# point SHARE_OF_REQUESTS OPTIONS...
point() {
    local share=$1
    shift
    n=$((n + 1))
    # The closed form tells a mean: elsewhere than in full batches a run scatters about it. So
    # does when a drainer first asks whether it is its turn to keep house.
    local reps=40
    [ "$share" = 0.05 ] || { reps=1 && set -- "$@" --housekeeping never; }
    bin/jobqsim sweep -o "$work/$n.csv" --quiet --seed 1 --reps $reps "$@" || { failed=1; return; }
    bin/jobqcost eval -q --json --formula closed "$@" >"$work/$n.json" || { failed=1; return; }
    python3 - "$work/$n" "$share" "$*" <<'END' || failed=1
import csv, json, sys
base, share, what = sys.argv[1], float(sys.argv[2]), sys.argv[3]
lines = [l for l in open(base + '.csv') if not l.startswith('#')]
sim = {k.split('[')[0]: v for k, v in next(csv.DictReader(lines)).items()}
closed = json.load(open(base + '.json'))['usage_per_job']
bad = []
def check(name, a, b, allowed):
    if b and abs(a / b - 1) > allowed:
        bad.append('%s: %.5g in closed form, %.5g simulated (%+.2f %%)' % (name, a, b, 100 * (a / b - 1)))
sqs = ['sqs_send', 'sqs_receive', 'sqs_delete', 'sqs_visibility', 'sqs_other']
check('SQS requests', sum(closed.get(k, 0) for k in sqs), sum(float(sim[k]) for k in sqs), share)
for k in ['sqs_send', 'sqs_receive', 'sqs_delete', 'sdb_put', 'sdb_put_batch', 'sdb_other']:
    check(k, closed.get(k, 0), float(sim[k]), share)
for k in ['box_put', 'box_put_batch', 'box_other', 'instance_busy']:
    check(k, closed.get(k, 0), float(sim[k]), 0.02)
for k in ['wire_out', 'wire_in']:
    check(k, closed.get(k, 0), float(sim[k]), 0.01 if share < 0.05 else 0.05)
print('%-4s %s' % ('FAIL' if bad else 'ok', what))
for b in bad:
    print('     ' + b)
sys.exit(bool(bad))
END
}

# Unbatched. Domains enough that no row is refused for its rate.
point 0.005 --jobs 2000 --boxes 1 --instance t4g.small --payload 1000 --job-time 0s \
    --concurrency 1 --batch 1 --domains 100
# Full batches: enqueue, receive and delete by ten.
point 0.005 --jobs 2000 --boxes 1 --instance t4g.small --payload 1000 --job-time 100ms \
    --concurrency 10
point 0.005 --jobs 4000 --boxes 1 --instance t4g.small --payload 3000 --job-time exp:200ms \
    --concurrency 10 --domains 16
point 0.005 --jobs 2000 --boxes 1 --instance t4g.small --payload 20000 --job-time 1s \
    --concurrency 20 --domains 16
# Elsewhere: no prefetch, heartbeats, processors shared, arrivals one by one.
point 0.05 --jobs 2000 --boxes 2 --instance t4g.small --payload 1000 --job-time exp:1s \
    --concurrency 8 --prefetch 0
point 0.05 --jobs 1000 --boxes 1 --instance t4g.small --payload 1000 --job-time 1s \
    --cpu-share 0.5 --concurrency 8
point 0.05 --jobs 200 --boxes 1 --instance t4g.small --payload 1000 --job-time 100s \
    --concurrency 8
point 0.05 --jobs 2000 --boxes 1 --instance t4g.small --payload 1000 --job-time exp:100ms \
    --concurrency 2 --arrivals poisson:5/s

# The seed's flow by simulation, unbatched, no CPU, at a rate that no domain refuses: the
# figures of the closed form. Making the domains is 0.4 cents a million of these jobs.
bin/jobqsim sweep -o "$work/seed.csv" --quiet --seed 1 --jobs 800k --payload 100 --job-time 0s \
    --concurrency 1 --batch 1 --arrivals every:100ms --keep 0 --housekeeping never || failed=1
for pair in '2012-10 $12.24' '2026 $10.44'; do
    bin/jobqcost bill --sweep "$work/seed.csv" --no-instances --date "${pair% *}" >"$work/out" ||
        failed=1
    if grep -qF -- " ${pair#* } " "$work/out"; then
        echo "ok   the seed's flow, simulated, priced at ${pair% *}: ${pair#* }"
    else
        echo "FAIL the seed's flow at ${pair% *}:"
        cat "$work/out"
        failed=1
    fi
done
exit $failed
