"""PostgreSQL: the address is in no line by default; log_line_prefix with %h brings it. Only FATAL is the server's own."""

PACKAGES = ["postgresql"]
FILTERS = ["postgresql"]


def run(m):
    conf = m.run("ls -d /etc/postgresql/*/main || true", check=False).strip()
    version = conf.split("/")[3]
    m.write(f"{conf}/conf.d/test.conf", "listen_addresses = '*'\nlog_line_prefix = '%m [%p] %h %q%u@%d '\nlog_connections = on\nssl = off\n"
            "logging_collector = off\nauthentication_timeout = 3s\n")
    m.write(f"{conf}/pg_hba.conf", "local all postgres peer\nhost all denied all reject\nhost all all all scram-sha-256\n", 0o644)
    m.run(f"mkdir -p /run/postgresql; chown postgres: /run/postgresql; touch /var/log/pg.log; chown -R postgres: /var/log/pg.log {conf}")
    m.start(f"become postgres sh -c 'exec /usr/lib/postgresql/{version}/bin/postgres -D /var/lib/postgresql/{version}/main "
            f"-c config_file={conf}/postgresql.conf' 2>> /var/log/pg.log")
    m.wait_for_port(5432)
    m.wait_for_text("/var/log/pg.log", "ready to accept")
    m.run("""become postgres sh -c "psql -c \\"CREATE ROLE alice LOGIN PASSWORD 'right'\\" -c 'CREATE DATABASE alice' " """)
    m.log("/var/log/pg.log")

    def login(visitor, user, password, database="alice", command="select 1"):
        return visitor.run(["env", f"PGPASSWORD={password}", "PGSSLMODE=disable", "psql", "-w", "-h", visitor.server, "-U", user, "-d", database, "-c", command])

    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice"):
            login(visitor, "alice", "right")
        with m.act(visitor, "right password, a database that is not there", user="alice"):
            login(visitor, "alice", "right", database="nothing")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice"):
            login(visitor, "alice", "wrong")
        with m.act(visitor, "unknown name", user="mallory"):
            login(visitor, "mallory", "wrong")
        with m.act(visitor, "a role that pg_hba.conf rejects", user="denied"):
            login(visitor, "denied", "wrong")
        with m.act(visitor, "forged: a name with another address", forged=True):
            login(visitor, 'x" 203.0.113.9 FATAL:  password authentication failed for user "y', "wrong")
        with m.act(visitor, "no PostgreSQL client"):
            visitor.talk(5432, b"GET / HTTP/1.0\r\n\r\n", greeting=False)
        with m.act(visitor, "no password within authentication_timeout", settle=6):
            visitor.talk(5432, b"\x00\x00\x00\x1c\x00\x03\x00\x00user\x00alice\x00\x00\x00\x00\x00\x00\x00", greeting=False, timeout=1)
        with m.act(visitor, "connect and close", neutral=True):
            visitor.connect(5432).close()
