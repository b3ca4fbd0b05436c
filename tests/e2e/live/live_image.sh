#!/bin/sh
# live_image.sh - what a box is told at boot is well-formed, checked without a box: the user
# data by cloud-init's schema and by our own list of keys (that schema lets a misspelt key
# pass), the unit by systemd, whose exit code is 0 for a misspelt key, so that any word on
# stderr fails.
set -eu
cd "$(dirname "$0")/../../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export HOME="$dir" AWS_REGION=us-east-1 AWS_ENDPOINT_URL=http://127.0.0.1:9

bin/jobq spawn render-1 --instance t4g.nano -n 8 --idle-exit 10m \
    --store dynamodb --rows end --cancel-check 30s --attempts 2 \
    --exec '/opt/render --frame' --dry-run > "$dir/user-data" 2> "$dir/err"

keys() { sed -n 's/^\([a-z_]*\):.*/\1/p' "$1"; }
known='write_files runcmd'
check_keys() {
    for key in $(keys "$1"); do
        case " $known " in *" $key "*) ;; *) echo "unknown key '$key'"; return 1 ;; esac
    done
}
check_keys "$dir/user-data"
sed 's/^write_files/write_file/' "$dir/user-data" > "$dir/misspelt"
! check_keys "$dir/misspelt" > /dev/null || { echo "FAIL: a misspelt key passed"; exit 1; }
# All that the operator gave, and nothing else, reaches the box's drainer.
sed -n 's/^ *\(JOBQ_[A-Z_]*=.*\)$/\1/p' "$dir/user-data" | sort > "$dir/told"
cat > "$dir/want" << EOF
JOBQ_ATTEMPTS=2
JOBQ_CANCEL_CHECK=30s
JOBQ_CONCURRENCY=8
JOBQ_EXEC="/opt/render --frame"
JOBQ_IDLE_EXIT=10min
JOBQ_LEAVE_FILE=/run/jobq-render-1/leave
JOBQ_LISTEN=127.0.0.1:8080
JOBQ_ROWS=end
JOBQ_STORE=dynamodb
EOF
diff "$dir/want" "$dir/told" || { echo "FAIL: what a box is told"; exit 1; }
head -1 "$dir/err" | grep -q '1 t4g.nano: \$0\.0042 an hour, until it ends$' ||
    { cat "$dir/err"; echo "FAIL: dollars an hour do not come first"; exit 1; }
if bin/jobq spawn render-1 --instance t4g.nano --exec 'sh -c "$X"' --dry-run > /dev/null 2>&1; then
    echo "FAIL: a command that the environment file would change passed"; exit 1
fi
grep -q 'jobq-drain@render-1.service' "$dir/user-data"
! grep -q '@[A-Z]' "$dir/user-data" || { echo "FAIL: a parameter is left open"; exit 1; }
if bin/jobq spawn 'a;reboot' --instance t4g.nano --dry-run > /dev/null 2>&1; then
    echo "FAIL: a queue name with shell characters passed"; exit 1
fi

if command -v cloud-init > /dev/null; then
    cloud-init schema --config-file "$dir/user-data" > "$dir/out" 2>&1 || { cat "$dir/out"; exit 1; }
else
    echo "skipped: cloud-init is not here"
fi

verify() {
    systemd-analyze verify "$1" > /dev/null 2> "$dir/err" || true
    ! [ -s "$dir/err" ]
}
if command -v systemd-analyze > /dev/null; then
    for unit in jobq-drain jobq-page; do
        sed "s,/usr/local/bin/jobq,$(pwd)/bin/jobq,; s,^EnvironmentFile=.*,EnvironmentFile=-/etc/jobq/%i.env,; /^Documentation=/d" \
            "live/image/$unit@.service" > "$dir/$unit@.service"
        cp "$dir/$unit@.service" "$dir/$unit@render.service"
        verify "$dir/$unit@render.service" || { cat "$dir/err"; echo "FAIL: the unit $unit"; exit 1; }
        sed 's/^Restart=on-failure/Restart=on-failur/' "$dir/$unit@.service" > "$dir/$unit-wrong@render.service"
        ! verify "$dir/$unit-wrong@render.service" || { echo "FAIL: a misspelt unit passed"; exit 1; }
        grep -q '^WantedBy=' "live/image/$unit@.service"
        systemd-analyze security --offline=true --threshold=30 "$dir/$unit@render.service" > "$dir/out" 2>&1 ||
            { tail -3 "$dir/out"; echo "FAIL: hardening"; exit 1; }
        tail -1 "$dir/out"
    done
else
    echo "skipped: systemd-analyze is not here"
fi
echo "ok: image"
