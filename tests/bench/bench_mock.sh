#!/bin/bash
# jobqmock beside fauxqs (npm) and empty handlers. Argument: the bench program.
set -u
bench=$1
cd "$(dirname "$0")/../.." || exit 1
trap 'kill $pid 2>/dev/null' EXIT
pid=
"$bench" evhttp
"$bench" net
for queued in 0 1000000; do
    echo "jobqmock"
    exec 3< <(exec bin/jobqmock --port 0)
    pid=$!
    read -r line <&3
    "$bench" -p $pid -m $queued "${line##* }"
    kill $pid
done
tests/e2e/npm.sh || exit 0
for queued in 0 100000; do
    echo "fauxqs"
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    FAUXQS_PORT=$port FAUXQS_LOGGER=false build/e2e/node_modules/.bin/fauxqs >/dev/null 2>&1 &
    pid=$!
    "$bench" -m $queued http://127.0.0.1:$port
    kill $pid
    wait $pid 2>/dev/null
done
pid=
exit 0
