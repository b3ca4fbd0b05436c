#!/bin/sh
# rootfs.sh DEBS VERSION OUT.tar [mmdebstrap options] - a minimal Debian with jobq's packages from
# DEBS, as a tar file. Needs mmdebstrap, and no daemon.
set -eu
debs=$1 version=$2 out=$3
shift 3
arch=$(dpkg --print-architecture)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cp "$debs/jobq_${version}_$arch.deb" "$debs/libjobq0_${version}_$arch.deb" "$work"
# The packages' archives are those that this machine itself uses.
sources=/etc/apt/sources.list
[ -s "$sources" ] || sources=/etc/apt/sources.list.d/debian.sources
# The hook's $1 is the root that mmdebstrap makes.
# shellcheck disable=SC2016
mmdebstrap --quiet --include=ca-certificates \
    --hook-dir=/usr/share/mmdebstrap/hooks/file-mirror-automount \
    --include="$work/jobq_${version}_$arch.deb" --include="$work/libjobq0_${version}_$arch.deb" \
    "$@" \
    --customize-hook='rm -rf "$1"/usr/share/doc/* "$1"/usr/share/man/* "$1"/usr/share/locale/* "$1"/var/cache/* "$1"/var/lib/apt/lists/*' \
    bookworm "$out" "$sources"
