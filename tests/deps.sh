#!/bin/sh
# Installs what a target needs of packages.txt and the machine lacks; does nothing when all
# is there. Works as root or with sudo. Upgrades nothing but what a new package depends on.
#
# usage: deps.sh demo|build|check|check-slow
set -eu
cd "$(dirname "$0")/.."
case ${1:-check} in
demo) sections='compile report' ;;
build) sections='compile build' ;;
check) sections='compile report build check' ;;
check-slow) sections='compile report build check image boot' ;;
*)
    echo "deps: '$1' is not demo, build, check or check-slow" >&2
    exit 2
    ;;
esac
wanted=$(awk -v sections=" $sections " '/^#/ || !NF { next }
    /^\[/ { on = index(sections, " " substr($0, 2, length($0) - 2) " "); next }
    on' packages.txt)
missing=
for package in $wanted; do
    # A command that is there by other means (node from a vendor's package) counts too.
    case $package in
    nodejs) command -v node >/dev/null 2>&1 && continue ;;
    npm | curl | awscli)
        command -v "${package%cli}" >/dev/null 2>&1 && continue ;;
    esac
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
        missing="$missing $package"
done
[ -z "$missing" ] && exit 0
sudo=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || {
        echo "deps: not root and no sudo; install these and try again:$missing" >&2
        exit 1
    }
    sudo=sudo
fi
echo "deps: installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
get() {
    # shellcheck disable=SC2086
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        --no-upgrade -o Dpkg::Use-Pty=0 $missing >"$log" 2>&1 </dev/null
}
# The lists may be missing or too old.
get || { $sudo apt-get update -qq >"$log" 2>&1 && get; } || {
    cat "$log" >&2
    echo "deps: apt-get failed" >&2
    exit 1
}
