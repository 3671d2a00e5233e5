# Where the kernel has AppArmor, the daemon runs in its profile, and nothing that it needs is refused to it.
if [ -e /sys/kernel/security/apparmor/profiles ]; then
  for backend in nftables ipset; do
    show bailiff settings set firewall.backend $backend
    show systemctl restart bailiff
    until_so bailiff status
    profile=$(cat "/proc/$(systemctl show --value --property=MainPID bailiff)/attr/current")
    echo "with $backend in the profile $profile"
    [ "$profile" = "bailiff (enforce)" ] || fail "the daemon is not confined: $profile"
    ! reaches 10.77.0.2 || fail "with $backend 10.77.0.2 reaches the server"
    reaches 10.77.0.4 || fail "10.77.0.4 does not reach the server"
    attack 10.77.0.4
    until_so banned 10.77.0.4
    ! reaches 10.77.0.4 || fail "with $backend 10.77.0.4 is banned, and reaches the server"
    show bailiff unban 10.77.0.4
    until_so reaches 10.77.0.4
    show systemctl reload bailiff
    show bailiff status
  done
  denied=$(journalctl --no-pager --output=cat --dmesg --grep 'apparmor="DENIED"' 2>/dev/null || true)
  [ -z "$denied" ] || fail "AppArmor refused: $denied"
  complaints=$(journalctl --no-pager --output=cat --boot --unit bailiff --grep 'thread priority|not permitted|denied' 2>/dev/null || true)
  [ -z "$complaints" ] || fail "the daemon complains: $complaints"
fi
