"""lighttpd: error.log for failed passwords, access.log (with the Host header in the second place)."""

import acts

PACKAGES = ["lighttpd"]
FILTERS = ["lighttpd", "http-probe"]

SETTINGS = """
server.document-root = "/var/www/html"
server.errorlog = "/var/log/lighttpd/error.log"
server.modules = ("mod_access", "mod_accesslog", "mod_auth", "mod_authn_file")
accesslog.filename = "/var/log/lighttpd/access.log"
index-file.names = ("index.html")
server.port = 80
$SERVER["socket"] == "[::]:80" { server.set-v6only = "enable" }
auth.backend = "plain"
auth.backend.plain.userfile = "/etc/lighttpd/users"
auth.require = ("/secret/" => ("method" => "basic", "realm" => "secret", "require" => "valid-user"))
"""


def run(m):
    m.write("/etc/lighttpd/lighttpd.conf", SETTINGS)
    m.write("/etc/lighttpd/users", "alice:right\n")
    m.write("/var/www/html/index.html", "hello")
    m.write("/var/www/html/secret/index.html", "secret")
    m.run("mkdir -p /var/log/lighttpd")
    m.start("lighttpd -D -f /etc/lighttpd/lighttpd.conf")
    m.wait_for_port(80)
    m.log("/var/log/lighttpd/error.log")
    m.log("/var/log/lighttpd/access.log", "access")
    acts.basic_password(m, 80)
    acts.web_pages(m, 80)
