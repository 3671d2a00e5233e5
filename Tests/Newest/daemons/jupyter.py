"""Jupyter Server: standard error; `401 POST /login?next=%2F (@ADDRESS)`."""

import re

PACKAGES = ["jupyter-server"]
FILTERS = ["jupyter"]


def run(m):
    m.run("mkdir -p /tmp/notebooks")
    hashed = m.run(["python3", "-c", "from jupyter_server.auth import passwd; print(passwd('right', 'sha256'))"]).split()[-1]
    m.start(f"cd /tmp/notebooks && exec jupyter-server --allow-root --no-browser --ip='*' --port=8888 --IdentityProvider.token= "
            f"--PasswordIdentityProvider.hashed_password='{hashed}'", log="/var/log/jupyter.log")
    m.wait_for_port(8888, timeout=60)
    m.log("/var/log/jupyter.log")

    def login(visitor, password):
        page = visitor.http("/login", port=8888)
        cookie = re.search(r"_xsrf=([^;]+)", page)
        token = cookie[1] if cookie else ""
        visitor.http("/login?next=%2F", "POST", body=f"_xsrf={token}&password={password}", port=8888,
                     headers=[f"Cookie: _xsrf={token}", "Content-Type: application/x-www-form-urlencoded"])

    for visitor in m.honest:
        with m.act(visitor, "the login page", settle=3):
            visitor.http("/", port=8888)
        with m.act(visitor, "right password", settle=3):
            login(visitor, "right")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", settle=3):
            login(visitor, "wrong")
        with m.act(visitor, "wrong token", settle=3):
            visitor.http("/api/contents?token=wrong", port=8888)
        with m.act(visitor, "forged: a path with another address", forged=True, settle=3):
            visitor.http("/x%20(@203.0.113.9)", port=8888)
