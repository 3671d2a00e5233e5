"""strongSwan (charon): syslog, facility daemon; the number before [NET], [IKE] … is the thread's, `from ADDRESS[port]` is on [NET] lines."""

import random
import struct

PACKAGES = ["charon-systemd", "strongswan-swanctl", "libcharon-extra-plugins", "libstrongswan-extra-plugins", "openssl"]
FILTERS = ["strongswan"]

SETTINGS = """
connections {
  rw {
    version = 2
    proposals = aes256-sha256-modp2048,default
    local { auth = psk
            id = server.example.test }
    remote { auth = psk
             id = alice }
    children { net { local_ts = 10.1.0.0/16 } }
  }
}
secrets { ike-alice { id = alice
  secret = right } }
"""


def run(m):
    m.write("/etc/swanctl/swanctl.conf", SETTINGS)
    m.write("/etc/strongswan.d/test.conf", "charon-systemd { journal { default = -1 } syslog { daemon { default = 1 } auth { default = 0 } } }\n"
            "charon { syslog { daemon { default = 1 } auth { default = 0 } } }\n")
    m.start_syslog()
    m.start("/usr/sbin/charon-systemd")
    m.wait_for_port(500, "udp")
    m.run("sleep 1; swanctl --load-all --noprompt")
    m.log("/var/log/syslog")

    def ike_init(visitor, exchange=34, payload=b""):
        """An IKE_SA_INIT header without a payload of sense."""
        visitor.send_datagram(500, random.randbytes(8) + bytes(8) + struct.pack(">BBBBII", 33, 0x20, exchange, 8, 0, 28 + len(payload)) + payload)

    for visitor in m.abusers:
        with m.act(visitor, "an IKE_SA_INIT without a proposal", settle=3):
            ike_init(visitor)
        with m.act(visitor, "an unknown exchange", settle=3, neutral=True):
            ike_init(visitor, exchange=99)
        with m.act(visitor, "no IKE", settle=3, neutral=True):
            visitor.send_datagram(500, b"GET / HTTP/1.0\r\n\r\n")
