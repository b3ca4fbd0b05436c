#!/bin/sh
# provision.sh - on the builder: installs jobq's packages and leaves nothing of the build behind.
set -eu
arch=$(dpkg --print-architecture)
export DEBIAN_FRONTEND=noninteractive
sudo apt-get update -q
sudo apt-get install -y -q --no-install-recommends "/tmp/jobq_"*"_$arch.deb" \
    "/tmp/libjobq0_"*"_$arch.deb" /tmp/python3-jobq_*_all.deb
jobq --version
sudo apt-get clean
sudo rm -rf /tmp/*.deb /var/lib/apt/lists/* /home/admin/.ssh/authorized_keys /root/.ssh/authorized_keys
# Without this a box would take itself for one that has booted before, and ignore its user data.
sudo cloud-init clean --logs --seed
sudo truncate -s 0 /etc/machine-id
sudo rm -f /etc/ssh/ssh_host_* /var/lib/dbus/machine-id
