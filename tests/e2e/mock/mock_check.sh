#!/bin/bash
# Runs conformance tests of jobqmock: Python programs (unittest, Debian's boto3) by name.
set -u
cd "$(dirname "$0")" || exit 1
failed=0
for test in "$@"; do
    echo "== $test"
    /usr/bin/python3 -W ignore "$test" || failed=1
done
exit $failed
