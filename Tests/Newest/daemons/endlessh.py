"""endlessh: `ACCEPT host=::ffff:ADDRESS port=… fd=…`, and `CLOSE host=… time=…`; whoever comes is held."""

PACKAGES = ["endlessh", "openssh-client"]
FILTERS = ["endlessh"]


def run(m):
    m.start("endlessh -v -p 2222 -d 500", log="/var/log/endlessh.log")
    m.wait_for_port(2222)
    m.log("/var/log/endlessh.log")
    for visitor in m.abusers:
        with m.act(visitor, "an SSH client, held", settle=4):
            visitor.run("timeout 3 ssh -p 2222 -o StrictHostKeyChecking=no x@{server} true")
        with m.act(visitor, "connect and close", settle=4):
            visitor.connect(2222).close()
