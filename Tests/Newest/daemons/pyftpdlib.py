"""pyftpdlib's FTP server: `ADDRESS:port-[] USER 'alice' failed login.`, wherever the program logs."""

import acts

PACKAGES = ["python3-pyftpdlib"]
FILTERS = ["pyftpdlib"]


def run(m):
    m.write("/tmp/server.py", "import logging, warnings\nwarnings.simplefilter('ignore')\nfrom pyftpdlib.authorizers import DummyAuthorizer\nfrom pyftpdlib.handlers import FTPHandler\nfrom pyftpdlib.servers import FTPServer\nimport socket\n"
            "logging.basicConfig(filename='/tmp/ftp.log', level=logging.INFO, format='[%(levelname)1.1s %(asctime)s] %(message)s')\n"
            "a = DummyAuthorizer()\na.add_user('alice', 'right', '/tmp')\nFTPHandler.authorizer = a\nFTPHandler.auth_failed_timeout = 1\n"
            "s = socket.socket(socket.AF_INET6)\ns.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)\ns.bind(('::', 21))\ns.listen(9)\n"
            "FTPServer(s, FTPHandler).serve_forever()\n")
    m.start("python3 /tmp/server.py")
    m.wait_for_port(21)
    m.log("/tmp/ftp.log")
    acts.ftp(m)
