# Without the program nobody could lift a ban, so it takes its rules with it; settings and audit stay until a purge.
show apt-get remove -y -q bailiff
[ -z "$(in_firewall)" ] || fail "left in the firewall: $(in_firewall)"
reaches 10.77.0.2 || fail "10.77.0.2 is still kept out"
[ -e /etc/bailiff/bailiff.yaml ] || fail "removing took the settings"
[ -e /var/lib/bailiff/bailiff.db ] || fail "removing took the audit"
