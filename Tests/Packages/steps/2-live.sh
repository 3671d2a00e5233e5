# One change, and it bans.
show bailiff settings set firewall.backend ipset
show bailiff settings set jails.sshd.port all
show bailiff check --show
show systemctl restart bailiff
attack 10.77.0.2 
attack fd77:0:0:2::2
until_so banned 10.77.0.2
until_so banned fd77:0:0:2:
show bailiff bans
show bailiff explain 10.77.0.2
! reaches 10.77.0.2 || fail "10.77.0.2 is banned, and reaches the server"
! reaches fd77:0:0:2::2 || fail "fd77:0:0:2::2 is banned, and reaches the server"
reaches 10.77.0.3 || fail "Alice's 10.77.0.3 does not reach the server"
reaches fd77:0:0:3::3 || fail "Alice's fd77:0:0:3::3 does not reach the server"
login 10.77.0.3 alice correct || fail "Alice cannot log in"

show systemctl stop bailiff
! reaches 10.77.0.2 || fail "stopping lifted the ban"
show systemctl start bailiff
show systemctl status --no-pager -n 3 bailiff
show systemd-analyze security --no-pager bailiff | tail -n 1
