"""Squid: access.log; a wrong password is TCP_DENIED/407 with a name, the honest challenge the same with `-`."""

import base64

PACKAGES = ["squid", "apache2-utils"]
FILTERS = ["squid"]

SETTINGS = """
http_port 3128
auth_param basic program /usr/lib/squid/basic_ncsa_auth /etc/squid/users
auth_param basic realm proxy
acl people proxy_auth REQUIRED
acl SSL_ports port 443
acl CONNECT method CONNECT
acl Safe_ports port 80 443
http_access deny !Safe_ports
http_access deny CONNECT !SSL_ports
http_access allow people
http_access deny all
access_log /var/log/squid/access.log
cache_log /var/log/squid/cache.log
pid_filename none
shutdown_lifetime 1 second
dns_nameservers 127.0.0.1
"""


def run(m):
    m.write("/etc/squid/squid.conf", SETTINGS)
    m.run("htpasswd -bc /etc/squid/users alice right; touch /var/log/squid/access.log; chown -R proxy:proxy /var/log/squid")
    m.start("squid -N -d1")
    m.wait_for_port(3128)
    m.log("/var/log/squid/access.log")
    for visitor in m.honest:
        page = f"http://{visitor.url_host}:80/"
        with m.act(visitor, "the challenge: no password yet"):
            visitor.http(page, port=3128)
        with m.act(visitor, "right password", user="alice"):
            visitor.http(page, port=3128, headers=["Proxy-Authorization: Basic " + base64.b64encode(b"alice:right").decode()])
        with m.act(visitor, "right password, a port that is not allowed", user="alice"):
            visitor.http(f"http://{visitor.url_host}:25/", port=3128, headers=["Proxy-Authorization: Basic " + base64.b64encode(b"alice:right").decode()])
    for visitor in m.abusers:
        page = f"http://{visitor.url_host}:80/"
        for note, pair in (("wrong password", b"alice:wrong"), ("unknown name", b"mallory:wrong"),
                           ("forged: a name with another address", b"203.0.113.9 TCP_DENIED/407 1 GET http://x/ bob HIER_NONE/- -:x")):
            with m.act(visitor, note, user=pair.split(b":")[0].decode(), **({"forged": True} if "forged" in note else {})):
                visitor.http(page, port=3128, headers=["Proxy-Authorization: Basic " + base64.b64encode(pair).decode()])
        with m.act(visitor, "CONNECT to a mail server"):
            visitor.http("203.0.113.9:25", method="CONNECT", port=3128)
        with m.act(visitor, "open proxy wanted, no password", neutral=True):
            visitor.http("http://203.0.113.9/", port=3128)
        with m.act(visitor, "no HTTP", neutral=True):
            visitor.talk(3128, b"\x05\x01\x00\r\n\r\n", greeting=False)
