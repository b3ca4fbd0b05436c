#!/bin/bash
# jobqmock beside fauxqs (npm) and empty handlers, over 8 and then 16 kept-alive connections
# (CONNECTIONS="8 16"). Argument: the bench program.
set -u
bench=$1
cd "$(dirname "$0")/../.." || exit 1
trap 'kill $pid 2>/dev/null' EXIT
pid=

of_mock() { # connections, messages queued first
    echo "jobqmock"
    exec 3< <(exec bin/jobqmock --port 0)
    pid=$!
    read -r line <&3
    "$bench" -c "$1" -p $pid -m "$2" "${line##* }"
    kill $pid
}

of_fauxqs() {
    echo "fauxqs"
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    FAUXQS_PORT=$port FAUXQS_LOGGER=false build/e2e/node_modules/.bin/fauxqs >/dev/null 2>&1 &
    pid=$!
    "$bench" -c "$1" -m "$2" http://127.0.0.1:$port
    kill $pid
    wait $pid 2>/dev/null
}

tests/e2e/npm.sh
npm=$?
for connections in ${CONNECTIONS:-8 16}; do
    echo "== $connections connections"
    "$bench" -c "$connections" evhttp
    "$bench" -c "$connections" net
    of_mock "$connections" 0
    of_mock "$connections" 1000000
    [ $npm = 0 ] || continue
    of_fauxqs "$connections" 0
    of_fauxqs "$connections" 100000
done
pid=
exit 0
