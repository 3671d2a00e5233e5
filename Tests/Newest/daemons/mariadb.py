"""MariaDB: error log, `Access denied for user 'alice'@'ADDRESS' (using password: YES)` at log_warnings 2 (the default)."""

PACKAGES = ["mariadb-server", "mariadb-client"]
FILTERS = ["mariadb"]

SETTINGS = """
[mariadbd]
bind-address = *
log_error = /var/log/mysql/error.log
skip-ssl
"""


def run(m):
    m.write("/etc/mysql/mariadb.conf.d/99-test.cnf", SETTINGS)
    m.run("mkdir -p /run/mysqld /run/mariadbd /var/log/mysql; chown mysql: /run/mysqld /run/mariadbd /var/log/mysql; "
          "[ -d /var/lib/mysql/mysql ] || mariadb-install-db --user=mysql >/dev/null")
    m.start("mariadbd --user=mysql")
    m.wait_for_port(3306)
    m.run("mariadb --skip-ssl -e \"CREATE USER alice@'%' IDENTIFIED BY 'right'; CREATE DATABASE a; DROP USER IF EXISTS ''@'localhost'\"")
    m.log("/var/log/mysql/error.log")

    def login(visitor, user, password, *more):
        visitor.run(["mariadb", "--skip-ssl", "-h", visitor.server, f"-u{user}", f"-p{password}", *more, "-e", "select 1"])

    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice"):
            login(visitor, "alice", "right")
        with m.act(visitor, "right password, a database that is not allowed", user="alice"):
            login(visitor, "alice", "right", "a")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice"):
            login(visitor, "alice", "wrong")
        with m.act(visitor, "no password", user="alice"):
            login(visitor, "alice", "")
        with m.act(visitor, "unknown name", user="mallory"):
            login(visitor, "mallory", "wrong")
        with m.act(visitor, "forged: a name with another address", forged=True):
            login(visitor, "x'@'203.0.113.9' (using password: YES)", "wrong")
        with m.act(visitor, "no MariaDB client"):
            visitor.talk(3306, b"GET / HTTP/1.0\r\n\r\n")
        with m.act(visitor, "connect and close", neutral=True):
            visitor.connect(3306).close()
