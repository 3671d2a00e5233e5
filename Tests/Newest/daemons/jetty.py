"""Jetty 12: the request log (NCSA) has the address; failed logins leave a 401 there and nothing else."""

import acts

PACKAGES = ["jetty12"]
FILTERS = ["jetty", "http-probe"]


def run(m):
    m.run("mkdir -p /tmp/base/webapps/ROOT/WEB-INF /tmp/base/etc /tmp/base/logs; cd /tmp/base; J=/usr/share/jetty12; "
          "java -Djetty.home=$J -jar $J/start.jar --add-modules=server,http,requestlog,ee10-deploy", check=False)
    m.write("/tmp/base/webapps/ROOT/index.html", "hello")
    m.write("/tmp/base/webapps/ROOT/secret/index.html", "secret")
    m.write("/tmp/base/webapps/ROOT/WEB-INF/web.xml", '<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0"><security-constraint><web-resource-collection><web-resource-name>s</web-resource-name><url-pattern>/secret/*</url-pattern></web-resource-collection>'
            '<auth-constraint><role-name>user</role-name></auth-constraint></security-constraint><login-config><auth-method>BASIC</auth-method><realm-name>Test</realm-name></login-config><security-role><role-name>user</role-name></security-role></web-app>')
    m.write("/tmp/base/webapps/ROOT/WEB-INF/jetty-web.xml", '<?xml version="1.0"?><Configure class="org.eclipse.jetty.ee10.webapp.WebAppContext"><Get name="securityHandler"><Set name="loginService"><New class="org.eclipse.jetty.security.HashLoginService"><Set name="name">Test</Set><Set name="config"><Call name="newResource"><Arg>/tmp/base/etc/realm.properties</Arg></Call></Set></New></Set></Get></Configure>')
    m.write("/tmp/base/etc/realm.properties", "alice: right, user\n")
    m.start("cd /tmp/base && exec java -Djetty.home=/usr/share/jetty12 -jar /usr/share/jetty12/start.jar jetty.http.port=8080 jetty.requestlog.filePath=/tmp/base/logs/request.log")
    m.wait_for_port(8080, timeout=120)
    m.log("/tmp/base/logs/request.log", "access")
    m.log("/var/log/daemon.out")
    acts.basic_password(m, 8080, like_challenge=True)
    acts.web_pages(m, 8080)
