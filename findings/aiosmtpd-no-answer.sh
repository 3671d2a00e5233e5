#!/bin/bash
# aiosmtpd answers nothing to a log-in that its authenticator refuses, unless the result says that it is not "handled".
#
# Guess: an authenticator that returns AuthResult(success=False) has the server answer 535 (RFC 4954, section 6), as one that returns
# AuthResult(success=True) has it answer 235 by itself.
# Seen (aiosmtpd 1.4.6, PyPI): success is answered, refusal is not: `handled` is true unless it is given, and only for a refusal it
# means that the authenticator has answered. The client waits until its own time is over. With handled=False the answer is 535.
set -euo pipefail
version=1.4.6
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip -q install "aiosmtpd==$version" || { echo "aiosmtpd $version is not to be had" >&2; exit 1; }
cat > try.py <<'PY'
import smtplib, socket

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

def login(password, **more):
    def authenticate(server, session, envelope, mechanism, data):
        return AuthResult(success=data.password == b"right", **more)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(
        object(), hostname="127.0.0.1", port=port, authenticator=authenticate, auth_require_tls=False)
    controller.start()
    try:
        with smtplib.SMTP("127.0.0.1", controller.port, timeout=5) as client:
            client.ehlo("client.example.test")
            client.user, client.password = "alice", password
            try:
                return str(client.auth("PLAIN", client.auth_plain)[0])
            except smtplib.SMTPAuthenticationError as error:
                return str(error.smtp_code)
            except (TimeoutError, smtplib.SMTPServerDisconnected):
                return "no answer"
    except (TimeoutError, smtplib.SMTPServerDisconnected):
        return "no answer"
    finally:
        controller.stop()

print("right:", login("right"))
print("wrong:", login("wrong"))
print("wrong, handled=False:", login("wrong", handled=False))
PY
env/bin/python try.py > seen 2> errors || { cat errors >&2; exit 1; }
cat seen
expect() { grep -qxF "$1" seen || { echo "no longer so: $1" >&2; exit 1; }; }
expect 'right: 235'
expect 'wrong: no answer'
expect 'wrong, handled=False: 535'
