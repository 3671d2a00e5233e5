# Installed again, it finds its settings, and the bans that are still running.
show apt-get install -y -q /test/new.deb
until_so banned 10.77.0.2
until_so sh -c '! ip netns exec others ping -q -n -c 1 -W 1 -I 10.77.0.2 10.77.0.1'
