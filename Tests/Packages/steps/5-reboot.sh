# The kernel's sets are gone after a reboot; the next step finds the bans back.
echo "\$ systemctl reboot"
systemctl reboot
sleep infinity
