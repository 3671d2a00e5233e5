# Before anybody could reach sshd the bans were in force again.
until_so bailiff status
! reaches 10.77.0.2 || fail "after a reboot 10.77.0.2 reaches the server"
banned fd77:0:0:2: || fail "after a reboot the ban of fd77:0:0:2::/64 is lost"
reaches 10.77.0.3 || fail "after a reboot Alice does not reach the server"
show systemctl show --property=ActiveEnterTimestampMonotonic bailiff ssh
ready=$(systemctl show --value --property=ActiveEnterTimestampMonotonic bailiff)
sshd=$(systemctl show --value --property=ExecMainStartTimestampMonotonic ssh)
[ "$ready" -le "$sshd" ] || fail "sshd was started before the bans were in force"
systemctl is-system-running --quiet || [ -z "$(systemctl --failed --no-legend)" ] || fail "$(systemctl --failed)"
