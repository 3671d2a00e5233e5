"""Caddy: JSON; nothing of requests unless `log` is set. `Authorization` is REDACTED when credentials came."""

import acts

PACKAGES = ["caddy"]
FILTERS = ["caddy", "http-probe"]


def run(m):
    digest = m.run("caddy hash-password --plaintext right").split()[-1]
    directive = "basic_auth" if "2.6" not in m.run("caddy version") else "basicauth"
    m.write("/etc/caddy/Caddyfile", f"""
{{
  auto_https off
  admin off
}}
:80 {{
  log {{
    output file /var/log/caddy/access.log
  }}
  root * /var/www/html
  {directive} /secret/* {{
    alice {digest}
  }}
  file_server
}}
""")
    m.write("/var/www/html/index.html", "hello")
    m.write("/var/www/html/secret/index.html", "secret")
    m.run("mkdir -p /var/log/caddy")
    m.start("caddy run --config /etc/caddy/Caddyfile")
    m.wait_for_port(80)
    m.log("/var/log/caddy/access.log")
    acts.basic_password(m, 80)
    acts.web_pages(m, 80)
