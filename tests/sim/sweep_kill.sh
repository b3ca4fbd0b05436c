#!/bin/bash
# A sweep killed at ten random moments and resumed gives the bytes of the uninterrupted one,
# as do one thread, two, and merged shards; nothing finished is done twice.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
RANDOM=${SEED:-7}
echo "seed=${SEED:-7}"
points=(--design lhs:400 --jobs 400 --payload 64..64k:log --job-time 10ms..10s:log
    --concurrency 1..32:log --reps 2 --seed 3)
bin/jobqsim sweep -o "$dir/whole.csv" "${points[@]}" --threads 2
bin/jobqsim sweep -o "$dir/one.csv" "${points[@]}" --threads 1
cmp "$dir/whole.csv" "$dir/one.csv"

rows() { cat "$dir/killed.csv.part" 2>/dev/null | grep -cE '^[0-9]' || true; }
kills=0 tries=0 files=0
# Kills may come late on a busy machine; then one file does not take all ten of them.
while [ $kills -lt 10 ]; do
    rm -f "$dir/killed.csv"
    while [ ! -e "$dir/killed.csv" ]; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || { echo "never finished"; exit 1; }
        before=$(rows)
        bin/jobqsim sweep -o "$dir/killed.csv" "${points[@]}" --threads 2 &
        pid=$!
        if [ $kills -lt 10 ]; then
            # Until a few more rows are there, then at once.
            want=$((before + 1 + RANDOM % 30))
            while kill -0 $pid 2>/dev/null &&
                [ "$(rows)" -lt $want ]; do :; done
            kill -9 $pid 2>/dev/null || true
        fi
        code=0
        wait $pid 2>/dev/null || code=$?
        [ $code != 137 ] || kills=$((kills + 1))
        [ -e "$dir/killed.csv" ] || {
            repeated=$(grep -E '^[0-9]' "$dir/killed.csv.part" | cut -d, -f1 | sort | uniq -d | wc -l)
            [ "$repeated" = 0 ] || { echo "rows done twice: $repeated"; exit 1; }
        }
    done
    files=$((files + 1))
    cmp "$dir/whole.csv" "$dir/killed.csv"
done

AWS_BATCH_JOB_ARRAY_INDEX=0 AWS_BATCH_JOB_ARRAY_SIZE=3 bin/jobqsim sweep -o "$dir/shard1.csv" "${points[@]}" --shard auto
SLURM_ARRAY_TASK_ID=20 SLURM_ARRAY_TASK_MIN=10 SLURM_ARRAY_TASK_MAX=30 SLURM_ARRAY_TASK_COUNT=3 \
    bin/jobqsim sweep -o "$dir/shard2.csv" "${points[@]}" --shard auto
bin/jobqsim sweep -o "$dir/shard3.csv" "${points[@]}" --shard 3/3
bin/jobqsim merge -o "$dir/merged.csv" "$dir"/shard?.csv
cmp "$dir/whole.csv" "$dir/merged.csv"

# Bad input: one line, exit 2, nothing left.
bad() {
    code=0
    bin/jobqsim sweep -o "$dir/bad.csv" "$@" >"$dir/out" 2>"$dir/err" || code=$?
    [ $code = 2 ] && [ "$(wc -l <"$dir/err")" = 1 ] && [ ! -e "$dir/bad.csv" ] &&
        [ ! -e "$dir/bad.csv.part" ] || { echo "bad input: $*: exit $code"; cat "$dir/err"; exit 1; }
}
bad --payload 64,2M
bad --concurrency 0,1
bad --jobz 3
bad --design lhs:0
bad --shard 4/3
bad --shard auto
AWS_BATCH_JOB_ARRAY_INDEX=3 AWS_BATCH_JOB_ARRAY_SIZE=3 bad --shard auto
SLURM_ARRAY_TASK_ID=11 SLURM_ARRAY_TASK_MIN=10 SLURM_ARRAY_TASK_MAX=30 SLURM_ARRAY_TASK_COUNT=3 bad --shard auto
bad --precision 200%
bad --json yes
echo "killed $kills times in $tries runs of $files files; 400 points each way, the same bytes"
