"""Redis: no line for a wrong password; the driver is here to see the day when there is one."""

PACKAGES = ["redis-server", "redis-tools"]
FILTERS = ["redis"]


def run(m):
    m.start("redis-server --bind '* -::*' --port 6379 --requirepass right --loglevel verbose --logfile /var/log/redis.log --protected-mode no --dir /tmp")
    m.wait_for_port(6379)
    m.log("/var/log/redis.log")
    for visitor in m.honest:
        with m.act(visitor, "right password"):
            visitor.run("redis-cli -h {server} -a right ping")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", neutral=True):
            visitor.run("redis-cli -h {server} -a wrong ping")
        with m.act(visitor, "HTTP on the Redis port", neutral=True):
            visitor.talk(6379, "POST / HTTP/1.0", "Host: x", greeting=False)
