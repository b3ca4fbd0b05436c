#!/bin/bash
# Puts the npm packages that package.json pins into build/e2e and says so by exit 0. Exit 77
# with a line that says why where npm or its registry cannot be used.
set -u
here=$(cd "$(dirname "$0")" && pwd)
to=$here/../../build/e2e
mkdir -p "$to"
exec 9>"$to/lock" && flock 9
if cmp -s "$here/package-lock.json" "$to/installed-lock.json"; then exit 0; fi
command -v npm >/dev/null && command -v node >/dev/null || {
    echo "SKIP: npm and node are not installed"
    exit 77
}
cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$to/"
if ! (cd "$to" && timeout 240 npm ci --ignore-scripts) >"$to/npm.log" 2>&1; then
    echo "SKIP: npm ci failed: $(tail -1 "$to/npm.log")"
    exit 77
fi
cp "$here/package-lock.json" "$to/installed-lock.json"
