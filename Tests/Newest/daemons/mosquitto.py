"""Mosquitto: log file or standard error; `log_type all` brings the address beside the refusal (CONNACK … 5)."""

PACKAGES = ["mosquitto", "mosquitto-clients"]
FILTERS = ["mosquitto"]

SETTINGS = """
listener 1883
allow_anonymous false
password_file /etc/mosquitto/users
log_dest file /var/log/mosquitto/mosquitto.log
log_timestamp_format %Y-%m-%dT%H:%M:%S
"""


def run(m):
    m.write("/etc/mosquitto/default.conf", SETTINGS)
    m.write("/etc/mosquitto/all.conf", SETTINGS.replace("1883", "1884").replace("mosquitto.log", "all.log") + "log_type all\n")
    m.run("mosquitto_passwd -b -c /etc/mosquitto/users alice right; chown mosquitto: /etc/mosquitto/users; mkdir -p /var/log/mosquitto; chown mosquitto: /var/log/mosquitto")
    m.start("mosquitto -c /etc/mosquitto/default.conf")
    m.start("mosquitto -c /etc/mosquitto/all.conf")
    m.wait_for_port(1883)
    m.wait_for_port(1884)
    m.log("/var/log/mosquitto/mosquitto.log")
    m.log("/var/log/mosquitto/all.log", "all")

    def publish(visitor, *options):
        for port in ("1883", "1884"):
            visitor.run(["mosquitto_pub", "-h", visitor.server, "-p", port, "-t", "a", "-m", "b", *options])

    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice"):
            publish(visitor, "-u", "alice", "-P", "right", "-i", "sensor1")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice"):
            publish(visitor, "-u", "alice", "-P", "wrong")
        with m.act(visitor, "unknown name", user="mallory"):
            publish(visitor, "-u", "mallory", "-P", "wrong", "-i", "bot")
        with m.act(visitor, "no name and no password"):
            publish(visitor, "-V", "mqttv5")
        with m.act(visitor, "forged: a client id with another address", forged=True):
            publish(visitor, "-u", "mallory", "-P", "wrong", "-i", "203.0.113.9 (0, 5)")
        with m.act(visitor, "no MQTT"):
            for port in (1883, 1884):
                visitor.talk(port, b"GET / HTTP/1.0\r\n\r\n", greeting=False)
        with m.act(visitor, "connect and close", neutral=True):
            visitor.connect(1883).close()
            visitor.connect(1884).close()
