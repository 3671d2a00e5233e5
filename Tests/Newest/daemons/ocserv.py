"""ocserv: syslog, tags `ocserv` with `main:ADDRESS:port` or `worker: ADDRESS`; `failed authentication for 'alice' (from ADDRESS)`."""

PACKAGES = ["ocserv", "openconnect", "openssl"]
FILTERS = ["ocserv"]
NOISE = r"sending message|received auth reply|sec-mod: (received|cmd)|TLS handshake completed|Detected OpenConnect|received worker|User-agent"

SETTINGS = """
auth = "plain[passwd=/etc/ocserv/users]"
tcp-port = 443
udp-port = 0
run-as-user = nobody
run-as-group = daemon
socket-file = /run/ocserv-socket
server-cert = /etc/ssl/test/cert.pem
server-key = /etc/ssl/test/key.pem
isolate-workers = false
max-clients = 16
device = vpns
ipv4-network = 10.99.0.0/24
max-ban-score = 800
log-level = 2
"""


def run(m):
    m.make_certificate()
    m.write("/etc/ocserv/test.conf", SETTINGS)
    m.run("(echo right; echo right) | ocpasswd -c /etc/ocserv/users alice")
    m.start_syslog()
    m.start("ocserv -f -c /etc/ocserv/test.conf")
    m.wait_for_port(443)
    m.log("/var/log/syslog")
    pin = m.run("openssl x509 -in /etc/ssl/test/cert.pem -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64").strip()

    def login(visitor, name, password):
        return visitor.run(f"echo {password} | timeout 6 openconnect --non-inter --passwd-on-stdin --authenticate --servercert pin-sha256:{pin} "
                           f"-u '{name}' https://{{url_host}}/")

    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice", settle=4):
            login(visitor, "alice", "right")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice", settle=4):
            login(visitor, "alice", "wrong")
        with m.act(visitor, "unknown name", user="mallory", settle=4):
            login(visitor, "mallory", "wrong")
        with m.act(visitor, "forged: a name with another address", forged=True, settle=4):
            login(visitor, "x (from 203.0.113.9)", "wrong")
        with m.act(visitor, "no TLS", neutral=True, settle=4):
            visitor.talk(443, "GET / HTTP/1.0", "", greeting=False, timeout=3)
        with m.act(visitor, "a page that is not there", neutral=True, settle=4):
            visitor.http("/.env", port=443, tls=True)
