"""Apache: access.log (combined) and error.log (`[client ADDRESS:port]`)."""

import re

import acts

PACKAGES = ["apache2"]
FILTERS = ["apache-auth", "apache-error", "http-probe"]

SITE = """
<VirtualHost *:80>
  DocumentRoot /var/www/html
  ErrorLog /var/log/apache2/error.log
  CustomLog /var/log/apache2/access.log combined
  <Location /secret/>
    AuthType Basic
    AuthName secret
    AuthUserFile /etc/apache2/users
    Require valid-user
  </Location>
  <Location /digest/>
    AuthType Digest
    AuthName digest
    AuthUserFile /etc/apache2/digest
    Require valid-user
  </Location>
  <Location /denied/>
    Require all denied
  </Location>
</VirtualHost>
"""


def run(m):
    m.write("/etc/apache2/sites-available/000-default.conf", SITE)
    m.write("/etc/apache2/conf-enabled/name.conf", "ServerName server.example.test\n")
    m.write("/var/www/html/secret/index.html", "secret")
    m.run("htpasswd -bc /etc/apache2/users alice right; a2enmod auth_digest cgid; echo alice:digest:$(printf alice:digest:right | md5sum | cut -d' ' -f1) > /etc/apache2/digest")
    m.start("apache2ctl -D FOREGROUND")
    m.wait_for_port(80)
    m.log("/var/log/apache2/access.log", "access")
    m.log("/var/log/apache2/error.log", "error")
    acts.basic_password(m, 80)
    acts.web_pages(m, 80)
    for visitor in m.abusers:
        for name, note in (("mallory", "unknown name"), ("alice", "wrong password")):
            with m.act(visitor, f"digest authentication, {note}", user=name):
                nonce = re.search(r'nonce="([^"]+)"', visitor.http("/digest/"))[1]
                visitor.http("/digest/", headers=[
                    f'Authorization: Digest username="{name}", realm="digest", nonce="{nonce}", uri="/digest/", '
                    f'response="{"0" * 32}", algorithm=MD5, qop=auth, nc=00000001, cnonce="x"'])
        with m.act(visitor, "a denied place"):
            visitor.http("/denied/")
