# The next version comes while bans are in force: not one packet gets through meanwhile, and what was recorded stays.
failures() { bailiff audit --kind failure --json --since 1d | wc -l; }
recorded=$(failures)
ip netns exec others ping -q -n -i 0.02 -W 1 -I 10.77.0.2 10.77.0.1 >/test/pings &
pings=$!
printf '\n# a line of the administrator\n' >>/etc/bailiff/bailiff.yaml
show apt-get install -y -q /test/new.deb
until_so bailiff status
kill -INT $pings
wait $pings || true
cat /test/pings
grep -q ' 0 received' /test/pings || fail "packets of a banned address came through during the upgrade"
banned 10.77.0.2 || fail "the upgrade lost the ban"
[ "$(failures)" -ge "$recorded" ] || fail "the upgrade lost failures: $recorded before, $(failures) after"
grep -q 'a line of the administrator' /etc/bailiff/bailiff.yaml || fail "the upgrade overwrote the settings"
show bailiff audit verify
