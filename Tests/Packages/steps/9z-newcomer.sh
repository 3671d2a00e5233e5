# The newcomer's path: README's first commands, to the letter, on a system that has never seen Bailiff.
mkdir /root/download
cp /test/new.deb "/root/download/bailiff_$(dpkg-deb -f /test/new.deb Version)_$(dpkg --print-architecture).deb"
cd /root/download
echo 'APT::Get::Assume-Yes "true";' >/etc/apt/apt.conf.d/91newcomer # who answers its question

# The code block after "In one minute"; what follows # is said to people.
newcomer() { awk '/^## In one minute/ { on = 1 } on && /^```/ { blocks++; next } on && blocks == 1' /test/README.md; }
newcomer | grep -q 'apt install' || fail "README has no such path"
started=$(date +%s%N)
while IFS= read -r line; do
  echo "\$ $line"
  # A daemon that has just been started may not answer yet.
  case $line in *bailiff\ status*) until_so bailiff status ;; esac
  bash -c "$line" </dev/null
  case $line in *--go-live*) live=$(date +%s%N) ;; esac
done < <(newcomer)
echo "from the package to protected after $(((live - started) / 1000000)) ms"
[ $(((live - started) / 1000000000)) -lt 60 ] || fail "a newcomer waits longer than a minute"

gets_to_sshd 10.77.0.4 || fail "10.77.0.4 does not get to sshd"
attack 10.77.0.4
until_so banned 10.77.0.4
! gets_to_sshd 10.77.0.4 || fail "10.77.0.4 is banned, and gets to sshd"
show bailiff support >/test/support
grep -q '## Its journal' /test/support || fail "no support report"
! grep -qE '10\.77\.0\.|fd77:' /test/support || fail "the support report has addresses"

# Settings and bans in one file, back on a system from which they were purged.
show bailiff backup /root/backup.tar.gz
show apt-get purge -q bailiff
! banned 10.77.0.4 2>/dev/null || fail "a purge left a ban"
show apt-get install -q ./bailiff_*.deb
until_so bailiff status
show systemctl stop bailiff
show bailiff restore /root/backup.tar.gz
show systemctl start bailiff
until_so banned 10.77.0.4
! gets_to_sshd 10.77.0.4 || fail "10.77.0.4 is banned again, and gets to sshd"

# Stopped for good, nobody is banned.
show bailiff stop --unban
until_so gets_to_sshd 10.77.0.4
[ "$(systemctl is-active bailiff)" = inactive ] || fail "systemd started it again"

# Whoever goes live and is locked out is not for long.
show bailiff settings set firewall.backend dry-run
show systemctl start bailiff
until_so bailiff status
show bailiff setup --go-live --yes --services none --confirm 45s
attack 10.77.0.4
until_so banned 10.77.0.4
until_so sh -c '[ "$(bailiff settings get firewall.backend)" = dry-run ]'
until_so gets_to_sshd 10.77.0.4
cd /test
