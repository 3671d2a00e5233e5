"""Transmission: standard error or --logfile; without a level of info it says nothing of a wrong password."""

import acts

PACKAGES = ["transmission-daemon"]
FILTERS = ["transmission"]
NOISE = r"sendto: |cache\.cc|ip-cache|upnp|natpmp|port-forwarding"


def run(m):
    m.write("/etc/transmission-test/settings.json", '{"rpc-authentication-required": true, "rpc-username": "alice", "rpc-password": "right", "rpc-whitelist-enabled": false, '
            '"rpc-bind-address": "::", "rpc-host-whitelist-enabled": false, "anti-brute-force-enabled": true, "anti-brute-force-threshold": 100, "message-level": 6}')
    m.start("transmission-daemon -f --log-level=debug -g /etc/transmission-test", log="/var/log/transmission.log")
    m.wait_for_port(9091)
    m.log("/var/log/transmission.log")
    acts.basic_password(m, 9091, path="/transmission/rpc")
