"""RabbitMQ: a message of two lines, `Error on AMQP connection <0.914.0> (ADDRESS:port -> …` and the reason, joined by the process."""

import struct

PACKAGES = ["rabbitmq-server"]
FILTERS = ["rabbitmq"]


def amqp(visitor, user, password, host="/"):
    """AMQP 0-9-1 as far as Connection.Open."""
    def short(text):
        return bytes([len(text)]) + text.encode()

    def frame(payload):
        return b"\x01\x00\x00" + struct.pack(">I", len(payload)) + payload + b"\xce"

    token = f"\0{user}\0{password}".encode()
    start_ok = struct.pack(">HHI", 10, 11, 0) + short("PLAIN") + struct.pack(">I", len(token)) + token + short("en_US")
    tune_ok = struct.pack(">HHHIH", 10, 31, 100, 131072, 0)
    opening = struct.pack(">HH", 10, 40) + short(host) + b"\x00\x00"
    return visitor.talk(5672, b"AMQP\x00\x00\x09\x01", frame(start_ok), frame(tune_ok) + frame(opening), greeting=False, timeout=6)


def run(m):
    m.write("/etc/rabbitmq/rabbitmq.conf", "log.file = /var/log/rabbitmq/rabbit.log\nlog.file.level = info\n")
    m.write("/etc/rabbitmq/enabled_plugins", "[rabbitmq_management].\n")
    m.write("/etc/rabbitmq/rabbitmq-env.conf", "NODENAME=rabbit@localhost\n")
    m.run("mkdir -p /run/rabbitmq; chown -R rabbitmq: /etc/rabbitmq /var/lib/rabbitmq /var/log/rabbitmq /run/rabbitmq")
    m.start("become rabbitmq sh -c 'exec rabbitmq-server'")
    m.wait_for_port(5672, timeout=120)
    m.wait_for_port(15672, timeout=120)
    m.run("become rabbitmq sh -c 'rabbitmqctl -n rabbit@localhost add_user alice right && rabbitmqctl -n rabbit@localhost set_permissions alice .\\* .\\* .\\* "
          "&& rabbitmqctl -n rabbit@localhost set_user_tags alice management'", timeout=120)
    m.log("/var/log/rabbitmq/rabbit.log")
    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice", settle=3):
            amqp(visitor, "alice", "right")
        with m.act(visitor, "right password, a virtual host that is not there", user="alice", settle=3):
            amqp(visitor, "alice", "right", "/nothing")
        with m.act(visitor, "management, the challenge", settle=3):
            visitor.http("/api/overview", port=15672)
        with m.act(visitor, "management, right password", user="alice", settle=3):
            visitor.http("/api/overview", user="alice", password="right", port=15672)
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice", settle=6):
            amqp(visitor, "alice", "wrong")
        with m.act(visitor, "unknown name", user="mallory", settle=6):
            amqp(visitor, "mallory", "wrong")
        with m.act(visitor, "guest from elsewhere", user="guest", settle=6, neutral=True):
            amqp(visitor, "guest", "guest")
        with m.act(visitor, "forged: a name with another address", forged=True, settle=6):
            amqp(visitor, "x\n2026-11-28 13:00:00.000000+00:00 [error] <0.1.0> Error on AMQP connection <0.1.0> (203.0.113.9:1 -> 1:5672, state: starting):", "wrong")
        with m.act(visitor, "management, wrong password", user="alice", settle=4):
            visitor.http("/api/overview", user="alice", password="wrong", port=15672)
        with m.act(visitor, "no AMQP", settle=4):
            visitor.talk(5672, b"GET / HTTP/1.0\r\n\r\n", greeting=False)
        with m.act(visitor, "connect and close", neutral=True, settle=4):
            visitor.connect(5672).close()
