# Runs inside the machine, as a service of its systemd: the steps one after the other. A step that reboots goes on with the
# next one after the boot.
set -euo pipefail
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
echo 'Dpkg::Use-Pty "0"; Dpkg::Progress-Fancy "0";' >/etc/apt/apt.conf.d/90test
cd /test
source helpers.sh

finish() {
  echo "$1" >result
  systemctl poweroff
  sleep infinity # until that ends this service
}
trap 'said "failed, exit $?, at: $BASH_COMMAND"; journalctl -u bailiff -n 20 --no-pager | cat; finish 1' ERR
set -E

network
for step in [0-9]*.sh; do
  [ ! -e "done-$step" ] || continue
  said "$step"
  touch "done-$step"
  source "$step"
done
finish 0
