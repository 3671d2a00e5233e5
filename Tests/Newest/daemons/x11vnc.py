"""x11vnc: standard error or -o FILE; `Got connection from client ADDRESS`, then `rfbAuthProcessClientMessage: password check failed`."""

import time

import vnc

PACKAGES = ["x11vnc", "xvfb", "openssl"]
FILTERS = ["vnc"]
NOISE = r"^$|Statistics|xset r on|X server key|Framebuffer|FramebufferUpdate|PointerEvent|TOTALS|Raw|UPDATES|incr accepted"


def run(m):
    m.run("x11vnc -storepasswd right /etc/x11vnc.pass")
    m.start("Xvfb :9 -screen 0 640x480x24")
    time.sleep(3)
    m.start("x11vnc -display :9 -rfbport 5900 -rfbauth /etc/x11vnc.pass -forever -shared -6", log="/var/log/x11vnc.log")
    m.wait_for_port(5900)
    m.log("/var/log/x11vnc.log")
    vnc.visits(m)
