# Nothing of ours is left.
show apt-get purge -y -q bailiff
[ -z "$(in_firewall)" ] || fail "left in the firewall: $(in_firewall)"
left=$(find / -xdev -not -path '/var/cache/*' -not -path '/test*' | sort | comm -13 /test/files-before - | grep -i bailiff || true)
[ -z "$left" ] || fail "left on the disk: $left"
[ -z "$(systemctl list-unit-files --no-legend 'bailiff*')" ] || fail "a unit is left"
