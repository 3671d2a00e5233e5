"""Kamailio with auth_db-less digest (a script of a few lines): it logs what its script says; the common form is
`auth failed … $si`; pike and htable bans are the script's, too."""

import sip

PACKAGES = ["kamailio", "kamailio-extra-modules"]
FILTERS = ["kamailio"]

SCRIPT = """#!KAMAILIO
debug=2
log_stderror=no
log_facility=LOG_LOCAL0
children=2
listen=udp:198.51.100.1:5060
listen=udp:[2001:db8:78::1]:5060
loadmodule "kex.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "sanity.so"
loadmodule "xlog.so"
loadmodule "maxfwd.so"
loadmodule "pike.so"
loadmodule "auth.so"
modparam("pike", "sampling_time_unit", 2)
modparam("pike", "reqs_density_per_unit", 10)
request_route {
  if (!pike_check_req()) { xlog("L_ALERT","ALERT: pike blocking $rm from $fu (IP:$si:$sp)\\n"); exit; }
  if (!sanity_check("17895", "7")) { xlog("Malformed SIP request from $si:$sp\\n"); exit; }
  if (is_method("REGISTER")) {
    if (!pv_auth_check("$fd", "right", "0", "0")) { auth_challenge("$fd", "0"); exit; }
    sl_send_reply("200", "OK"); exit;
  }
  sl_send_reply("403", "Not here");
}
"""


def run(m):
    m.write("/etc/kamailio/test.cfg", SCRIPT)
    m.start_syslog()
    m.start("kamailio -DD -f /etc/kamailio/test.cfg")
    m.wait_for_port(5060, "udp")
    m.log("/var/log/syslog")
    for visitor in m.honest:
        with m.act(visitor, "registers", user="alice"):
            sip.register(visitor, "alice", "right")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice", neutral=True):
            sip.register(visitor, "alice", "wrong")
        with m.act(visitor, "no SIP"):
            visitor.send_datagram(5060, b"GET / HTTP/1.0\r\n\r\n")
        with m.act(visitor, "sixty requests in a second", settle=4):
            for number in range(60):
                with visitor.connect(5060, kind=2) as connection:
                    connection.send(sip.request(visitor, f"u{number}", f"c{number}"))
        with m.act(visitor, "forged: a name with another address", forged=True):
            sip.register(visitor, "x(IP:203.0.113.9:5060)", "wrong")
