"""FreeRADIUS with `auth = yes`: the person's address is there only if the NAS sends it as Calling-Station-Id."""

PACKAGES = ["freeradius", "freeradius-utils"]
FILTERS = ["freeradius"]


def run(m):
    m.run("cd /etc/freeradius/3.0 && sed -i 's/^\\([ \\t]*auth = \\)no/\\1yes/' radiusd.conf")
    m.write("/etc/freeradius/3.0/clients.conf", "client vpn1 {\n ipaddr = 198.51.100.0/24\n secret = testing123\n}\nclient vpn6 {\n ipv6addr = 2001:db8:78::/64\n secret = testing123\n}\n")
    m.write("/etc/freeradius/3.0/mods-config/files/authorize", 'alice Cleartext-Password := "right"\n')
    m.run("mkdir -p /run/freeradius; chown freerad: /run/freeradius; touch /var/log/freeradius/radius.log; chown freerad: /var/log/freeradius/radius.log")
    m.start("freeradius -f")
    m.wait_for_port(1812, "udp")
    m.log("/var/log/freeradius/radius.log")

    def ask(visitor, user, password, secret="testing123"):
        request = f'User-Name = "{user}"\nUser-Password = "{password}"\nCalling-Station-Id = "{visitor.address}"\nNAS-Port = 7\n'
        visitor.run(f"radclient -r 1 -t 3 {{url_host}}:1812 auth {secret}", input=request)

    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice", settle=3):
            ask(visitor, "alice", "right")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice", settle=4):
            ask(visitor, "alice", "wrong")
        with m.act(visitor, "unknown name", user="mallory", settle=4):
            ask(visitor, "mallory", "wrong")
        with m.act(visitor, "forged: a name with another address", forged=True, settle=4):
            ask(visitor, "x] (from client vpn1 port 7 cli 203.0.113.9)", "wrong")
        with m.act(visitor, "a NAS with a wrong secret", neutral=True, settle=4):
            ask(visitor, "alice", "right", "wrong")
