"""Icecast: its access log is combined; the error log names the mount and not the client."""

import acts

PACKAGES = ["icecast2"]
FILTERS = ["http-probe"]


def run(m):
    m.write("/etc/icecast-test.xml", "<icecast><hostname>www.example.test</hostname><location>x</location><admin>a@example.test</admin><authentication><source-password>right</source-password>"
            "<admin-user>alice</admin-user><admin-password>right</admin-password></authentication><listen-socket><port>8000</port></listen-socket>"
            "<paths><basedir>/usr/share/icecast2</basedir><logdir>/tmp</logdir><webroot>/usr/share/icecast2/web</webroot><adminroot>/usr/share/icecast2/admin</adminroot></paths>"
            "<logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog><loglevel>3</loglevel></logging>"
            "<security><changeowner><user>nobody</user><group>nogroup</group></changeowner></security></icecast>\n")
    m.start("icecast2 -c /etc/icecast-test.xml")
    m.wait_for_port(8000)
    m.log("/tmp/access.log")
    m.log("/tmp/error.log", "error")
    # The log has no name, so a wrong password is every browser's first request.
    acts.basic_password(m, 8000, path="/admin/stats", like_challenge=True)
