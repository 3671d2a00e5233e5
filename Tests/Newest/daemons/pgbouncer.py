"""PgBouncer: `C-0x…: db/user@ADDRESS:port closing because: password authentication failed (age=0s)`, its log."""

PACKAGES = ["pgbouncer", "postgresql-client"]
FILTERS = ["pgbouncer"]


def run(m):
    m.write("/etc/pgbouncer-test.ini", "[databases]\nalice = host=127.0.0.1\n[pgbouncer]\nlisten_addr = *\nlisten_port = 6432\nauth_type = scram-sha-256\n"
            "auth_file = /etc/pgbouncer-users\nlogfile = /tmp/pgbouncer.log\nadmin_users = alice\nunix_socket_dir =\nignore_startup_parameters = extra_float_digits\n")
    m.write("/etc/pgbouncer-users", '"alice" "right"\n')
    m.run("chown postgres /etc/pgbouncer-users")
    m.start("su postgres -s /bin/sh -c 'pgbouncer /etc/pgbouncer-test.ini'")
    m.wait_for_port(6432)
    m.log("/tmp/pgbouncer.log")

    def login(visitor, user, password, database="pgbouncer"):
        visitor.run(["env", f"PGPASSWORD={password}", "PGSSLMODE=disable", "psql", "-h", visitor.server, "-p", "6432", "-U", user, "-c", "show version", database])

    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice"):
            login(visitor, "alice", "right")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice"):
            login(visitor, "alice", "wrong")
        with m.act(visitor, "unknown name", user="mallory"):
            login(visitor, "mallory", "wrong")
        with m.act(visitor, "unknown database", user="alice", neutral=True):
            login(visitor, "alice", "right", "nothing")
        with m.act(visitor, "forged: a name with another address", forged=True):
            login(visitor, "x@203.0.113.9:1 closing because: password authentication failed (age=0s)", "wrong")
        with m.act(visitor, "no PostgreSQL", neutral=True):
            visitor.talk(6432, "GET / HTTP/1.0", greeting=False, timeout=3)
