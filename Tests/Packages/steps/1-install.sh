# A fresh server, the package beside it: apt installs it, and it watches without banning.
useradd --create-home alice
echo alice:correct | chpasswd
mkdir -p /etc/ssh/sshd_config.d
printf 'PasswordAuthentication yes\nMaxStartups 100\nPerSourcePenalties no\n' >/etc/ssh/sshd_config.d/test.conf
sshd -t 2>/dev/null || sed -i /PerSourcePenalties/d /etc/ssh/sshd_config.d/test.conf # OpenSSH before 9.8 has none
systemctl restart ssh
login 10.77.0.3 alice correct || fail "alice cannot log in"

find / -xdev -not -path '/var/cache/*' -not -path '/test*' | sort >/test/files-before
started=$(date +%s%N)
show apt-get install -y -q /test/before.deb
installed=$(date +%s%N)
until_so bailiff status
echo "installed after $(((installed - started) / 1000000)) ms, answering after $((($(date +%s%N) - started) / 1000000)) ms"

[ "$(systemctl is-enabled bailiff)" = enabled ] || fail "not enabled"
[ "$(systemctl is-active bailiff)" = active ] || fail "not active"
show bailiff check
show bailiff status
show cat /etc/bailiff/bailiff.yaml

attack 10.77.0.2
until_so sh -c 'bailiff audit --kind ban --json | grep -qF 10.77.0.2'
show bailiff audit --kind ban
[ -z "$(in_firewall)" ] || fail "a dry run changed the firewall: $(in_firewall)"
reaches 10.77.0.2 || fail "a dry run keeps 10.77.0.2 out"
