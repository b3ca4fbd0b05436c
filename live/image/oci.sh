#!/bin/sh
# oci.sh DEBS OUT VERSION - an OCI image layout in OUT whose entry point is jobq: a minimal Debian
# with jobq's packages from DEBS. Needs mmdebstrap and umoci, and no daemon. Copy it anywhere:
#
#   skopeo copy oci:build/oci:VERSION docker://REGISTRY/jobq:VERSION
#
# `jobq drain QUEUE` needs nothing but its environment (AWS_REGION, the task's role).
set -eu
debs=$1 out=$2 version=$3
arch=$(dpkg --print-architecture)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$out"
live/image/rootfs.sh "$debs" "$version" "$work/root.tar" --variant=essential
umoci init --layout "$out"
umoci new --image "$out:$version"
umoci raw add-layer --image "$out:$version" "$work/root.tar"
umoci config --image "$out:$version" --architecture "$arch" --os linux \
    --config.user 65534:65534 --config.workingdir /tmp \
    --config.entrypoint /usr/bin/jobq --config.cmd help --config.stopsignal SIGTERM \
    --config.label org.opencontainers.image.title=jobq \
    --config.label "org.opencontainers.image.version=$version"
umoci gc --layout "$out"
echo "$out: $(du -sh "$out" | cut -f1)"
