"""InspIRCd: its own log, type USERS and OPER; a wrong connection password only with `USERS` at level default."""

from ngircd import irc_visits

PACKAGES = ["inspircd"]
FILTERS = ["inspircd"]


def run(m):
    m.write("/etc/inspircd/inspircd.conf", """
<server name="server.example.test" description="test" network="test" id="97K">
<admin name="a" description="a" email="a@example.test">
<bind address="*" port="6667" type="clients">
<bind address="::" port="6667" type="clients">
<connect name="main" allow="*" password="right" timeout="10" resolvehostnames="no" useident="no" uselocal="no" threshold="100">
<class name="all" commands="*"> <type name="all" classes="all">
<oper name="admin" password="right" host="*@*" type="all">
<log method="file" type="* -USERINPUT -USEROUTPUT -RAWIO" level="normal" target="/var/log/inspircd/ircd.log" flush="1">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="debug" target="/var/log/inspircd/debug.log" flush="1">
<dns server="127.0.0.1" timeout="1">
<pid file="/run/inspircd/inspircd.pid">
""")
    m.run("mkdir -p /run/inspircd /var/log/inspircd; chown -R irc: /run/inspircd /var/log/inspircd")
    m.start("become irc sh -c 'exec inspircd --nofork --config /etc/inspircd/inspircd.conf'")
    m.wait_for_port(6667)
    m.log("/var/log/inspircd/ircd.log")
    irc_visits(m, "right", 6667)
