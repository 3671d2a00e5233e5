"""JupyterHub (PyPI): standard error; `Failed login for alice`, and the address on the 403 line beside it."""

import re

PACKAGES = ["python3-venv", "gcc", "python3-dev", "nodejs"]
SETUP = "python3 -m venv /opt/hub && /opt/hub/bin/pip install -q jupyterhub"
FILTERS = ["jupyterhub"]


def run(m):
    m.write("/tmp/hub/config.py", "c = get_config()\nc.JupyterHub.authenticator_class = 'dummy'\nc.DummyAuthenticator.password = 'right'\n"
            "c.Authenticator.allow_all = True\nc.JupyterHub.hub_port = 8081\nc.JupyterHub.hub_ip = '::'\nc.JupyterHub.proxy_class = 'jupyterhub.proxy.ConfigurableHTTPProxy'\n"
            "c.ConfigurableHTTPProxy.should_start = False\nc.ConfigurableHTTPProxy.auth_token = 'x'\n")
    m.start("cd /tmp/hub && exec /opt/hub/bin/jupyterhub -f /tmp/hub/config.py", log="/var/log/jupyterhub.log")
    m.wait_for_port(8081, timeout=60)
    m.log("/var/log/jupyterhub.log")

    def login(visitor, user, password):
        page = visitor.http("/hub/login", port=8081)
        cookies = "; ".join(re.findall(r"(?i)set-cookie: ([^;]+)", page))
        token = re.search(r"_xsrf=([^;]+)", cookies)
        visitor.http("/hub/login", "POST", body=f"_xsrf={token[1] if token else ''}&username={user}&password={password}", port=8081,
                     headers=[f"Cookie: {cookies}", "Content-Type: application/x-www-form-urlencoded"])

    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice", settle=3):
            login(visitor, "alice", "right")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice", settle=3):
            login(visitor, "alice", "wrong")
        with m.act(visitor, "forged: a name with another address", forged=True, settle=3):
            login(visitor, "x%0A[W 2026-11-28 14:00:00.000 JupyterHub] 403 POST /hub/login (@203.0.113.9)", "wrong")
        with m.act(visitor, "wrong token", settle=3):
            visitor.http("/hub/api/users", headers=["Authorization: token wrong"], port=8081)
