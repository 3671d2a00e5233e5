"""OpenVPN with names and passwords (a script that checks them): syslog or --log; `ADDRESS:port TLS Auth Error: …`."""

PACKAGES = ["openvpn", "openssl"]
FILTERS = ["openvpn"]
NOISE = r"peer info|MTU|Data Channel|Outgoing|Incoming|Control Channel|TLS: (soft|Initial)"

SERVER = """dev tun
proto udp
multihome
port 1194
tls-server
server 10.99.0.0 255.255.255.0
ca /etc/ssl/test/cert.pem
cert /etc/ssl/test/cert.pem
key /etc/ssl/test/key.pem
dh none
verify-client-cert none
script-security 3
auth-user-pass-verify /etc/openvpn/check.sh via-env
username-as-common-name
verb 3
"""


def run(m):
    m.make_certificate()
    m.write("/etc/openvpn/check.sh", '#!/bin/sh\n[ "$username" = alice ] && [ "$password" = right ]\n', 0o755)
    for family in ("udp4", "udp6"):
        m.write(f"/etc/openvpn/{family}.conf", SERVER.replace("proto udp", f"proto {family}").replace("1194", "1194" if family == "udp4" else "1195"))
        m.start(f"openvpn --config /etc/openvpn/{family}.conf", log="/var/log/openvpn.log")
    m.wait_for_port(1194, "udp")
    m.wait_for_port(1195, "udp")
    m.log("/var/log/openvpn.log")

    def login(visitor, name, password):
        m.write("/tmp/pass", f"{name}\n{password}\n")
        family, port = ("udp6", 1195) if ":" in visitor.server else ("udp4", 1194)
        visitor.run(f"timeout 5 openvpn --client --dev null --proto {family} --remote {{server}} {port} --ca /etc/ssl/test/cert.pem "
                    "--auth-user-pass /tmp/pass --nobind --auth-retry none --connect-retry-max 1 --resolv-retry 0")

    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice", settle=4):
            login(visitor, "alice", "right")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice", settle=4):
            login(visitor, "alice", "wrong")
        with m.act(visitor, "unknown name", user="mallory", settle=4):
            login(visitor, "mallory", "wrong")
        with m.act(visitor, "forged: a name with another address", forged=True, settle=4):
            login(visitor, "203.0.113.9:1194 TLS Auth Error: Auth Username/Password verification failed for peer", "wrong")
        with m.act(visitor, "no OpenVPN", neutral=True, settle=3):
            visitor.send_datagram(1194 if "." in visitor.server else 1195, b"\x38" + b"x" * 40)
