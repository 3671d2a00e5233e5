"""TigerVNC: standard error, in blocks without time: `Connections: accepted: ADDRESS::port`, then `SConnection: AuthFailureException`."""

import vnc

PACKAGES = ["tigervnc-standalone-server", "tigervnc-tools", "openssl"]
FILTERS = ["vnc"]
NOISE = r"^$|EncodeManager|ComparingUpdate|xkbcomp|^>|XKEYBOARD|^Errors from"


def run(m):
    m.run("mkdir -p /root/.vnc; echo right | (tigervncpasswd -f || vncpasswd -f) > /root/.vnc/passwd")
    m.start("Xtigervnc :0 -rfbport 5900 -SecurityTypes VncAuth -PasswordFile /root/.vnc/passwd -localhost 0 -Log *:stderr:30", log="/var/log/vnc.log")
    m.wait_for_port(5900)
    m.log("/var/log/vnc.log")
    vnc.visits(m)
