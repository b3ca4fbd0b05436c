#!/bin/sh
# boot_image.sh DEBS VERSION DIR - a disk that boots Debian with cloud-init and jobq's packages, its
# kernel and its initrd, in DIR: what live_boot.py starts as boxes.
set -eu
debs=$1 version=$2 dir=$3
rm -rf "$dir"
mkdir -p "$dir/root"
live/image/rootfs.sh "$debs" "$version" "$dir/root.tar" --variant=apt \
    --include=systemd-sysv,dbus,cloud-init,linux-image-cloud-amd64,ifupdown,isc-dhcp-client,udev
tar -C "$dir/root" -xf "$dir/root.tar" --exclude='./dev/*'
cp "$dir"/root/boot/vmlinuz-* "$dir/vmlinuz"
cp "$dir"/root/boot/initrd.img-* "$dir/initrd.img"
mke2fs -q -t ext4 -d "$dir/root" "$dir/root.img" 1G
rm -rf "$dir/root" "$dir/root.tar"
