#!/bin/sh
# Installs the Debian packages of packages.txt that are missing; says which; does nothing
# when all are there. Works as root or with sudo.
set -eu
cd "$(dirname "$0")/.."
wanted=$(sed 's/#.*//' packages.txt)
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
echo "deps: will install:$missing"
sudo=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || {
        echo "deps: not root and no sudo; install them and try again" >&2
        exit 1
    }
    sudo=sudo
fi
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q
# shellcheck disable=SC2086
$sudo apt-get install -y -q --no-install-recommends $missing
