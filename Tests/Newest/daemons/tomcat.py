"""Tomcat: the access log alone has the address; the manager's LockOutRealm says `An attempt was made to authenticate the locked user`."""

import acts

PACKAGES = ["tomcat11", "tomcat11-admin"]
FILTERS = ["tomcat-manager", "http-probe"]


def run(m):
    m.write("/etc/tomcat11/tomcat-users.xml", '<?xml version="1.0"?><tomcat-users xmlns="http://tomcat.apache.org/xml">'
            '<role rolename="manager-gui"/><user username="alice" password="right" roles="manager-gui"/></tomcat-users>')
    m.write("/etc/tomcat11/Catalina/localhost/manager.xml", '<Context path="/manager" docBase="/usr/share/tomcat11-admin/manager" antiResourceLocking="false" privileged="true"/>')
    # Otherwise the access log is written seconds late, and lines fall to the next act.
    m.run("sed -i 's#AccessLogValve\"#AccessLogValve\" buffered=\"false\"#' /etc/tomcat11/server.xml")
    m.run("chown -R tomcat: /var/log/tomcat11 /var/lib/tomcat11 /etc/tomcat11 2>/dev/null; chgrp -R tomcat /etc/tomcat11", check=False)
    m.start("become tomcat sh -c 'cd /var/lib/tomcat11; JAVA_HOME=$(dirname $(dirname $(readlink -f $(command -v java)))) CATALINA_HOME=/usr/share/tomcat11 CATALINA_BASE=/var/lib/tomcat11 CATALINA_TMPDIR=/tmp "
            "exec sh /usr/share/tomcat11/bin/catalina.sh run'")
    m.wait_for_port(8080, timeout=120)
    day = m.run("date +%F").strip()
    acts_log = f"/var/log/tomcat11/localhost_access_log.{day}.txt"
    m.log(acts_log, "access")
    m.log("/var/log/daemon.out")
    acts.basic_password(m, 8080, path="/manager/html")
    acts.web_pages(m, 8080)
    for visitor in m.abusers:
        with m.act(visitor, "seven wrong passwords: LockOutRealm", user="alice", settle=4):
            for _ in range(7):
                visitor.http("/manager/html", user="alice", password="wrong", port=8080)
