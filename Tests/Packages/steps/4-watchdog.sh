# A daemon that hangs is ended and started again, and what was in force stays in force.
mkdir -p /run/systemd/system/bailiff.service.d
printf '[Service]\nWatchdogSec=%ds\nTimeoutAbortSec=1s\n' $((3 * slow)) >/run/systemd/system/bailiff.service.d/test.conf
systemctl daemon-reload
systemctl restart bailiff
sleep $((5 * slow))
[ "$(systemctl show --value --property=NRestarts bailiff)" = 0 ] || fail "the watchdog ended a daemon that was well"
show systemctl kill --signal=STOP bailiff
until_so sh -c '[ "$(systemctl show --value --property=NRestarts bailiff)" = 1 ] && systemctl is-active bailiff'
show journalctl --no-pager --output=cat --unit bailiff --grep 'atchdog' -n 3
until_so bailiff status
! reaches 10.77.0.2 || fail "the watchdog's restart lifted the ban"
rm -r /run/systemd/system/bailiff.service.d
systemctl daemon-reload

# Settings are read again without a restart; wrong ones change nothing.
pid=$(systemctl show --value --property=MainPID bailiff)
show bailiff settings set jails.sshd.maxretry 4
show systemctl reload bailiff
until_so sh -c "journalctl --no-pager -u bailiff -n 20 | grep -qi reload"
[ "$(systemctl show --value --property=MainPID bailiff)" = "$pid" ] || fail "a reload started another daemon"
! reaches 10.77.0.2 || fail "a reload lifted the ban"
