"""Nagios: the web pages' passwords are Apache's, so its lines are Apache's error log."""

import acts

PACKAGES = ["nagios4-cgi", "nagios4-common", "apache2", "apache2-utils"]
FILTERS = ["apache-auth", "http-probe"]


def run(m):
    m.run("htpasswd -bc /etc/nagios4/htpasswd.users alice right; a2enmod cgid auth_digest authz_groupfile rewrite; a2enconf nagios4-cgi || true; "
          "sed -i 's/AuthDigestDomain.*//; s/AuthDigestProvider.*//; s/AuthType.*/AuthType Basic/; s/^\\(.*\\)AuthName.*/\\1AuthName Nagios/; s/Require *all granted/Require valid-user/' /etc/apache2/conf-enabled/nagios4-cgi.conf", check=False)
    m.write("/etc/apache2/conf-enabled/name.conf", "ServerName server.example.test\n")
    m.start("apache2ctl -D FOREGROUND")
    m.wait_for_port(80)
    m.log("/var/log/apache2/error.log")
    m.log("/var/log/apache2/access.log", "access")
    acts.basic_password(m, 80, path="/nagios4/")
