#!/bin/bash
# libcurl sends a mail's bare LF as it is, and doubles a dot only behind CRLF.
#
# Guess: for SMTP libcurl ends lines by CRLF, as RFC 5321 (2.3.8) demands, and doubles every dot at a line's beginning (4.5.2).
# Seen (curl and libcurl 7.88.1, Debian 12): a body with LF arrives with LF; the lines "." and ".two" are not doubled, so a server that
# takes LF for a line's end reads the end of the mail, or ".two" as "two". With CRLF in the body (what --crlf makes) both are right. And
# what is sent in EHLO is the URL's path, which with `--upload-file mail.txt` is the file's name: "EHLO mail.txt".
set -euo pipefail
version=7.88.1-10+deb12u15
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
apt-get download -q "curl=$version" "libcurl4=$version" >/dev/null 2>&1 || { echo "curl $version is not to be had" >&2; exit 1; }
for package in ./*.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH=$work/root/usr/lib/x86_64-linux-gnu
curl=root/usr/bin/curl
$curl --version | head -1 | cut -d' ' -f1-4

cat > server.py <<'PY'
"""Takes two mails, and says what came."""
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], file=open("port", "w"), flush=True)
for _ in range(2):
    connection, _ = listener.accept()
    lines = connection.makefile("rb")
    connection.sendall(b"220 test\r\n")
    for line in lines:
        verb = line[:4].upper()
        if verb == b"EHLO":
            print(line.decode().strip(), flush=True)
        if verb == b"DATA":
            connection.sendall(b"354 go on\r\n")
            body = b""
            while not body.endswith(b"\r\n.\r\n"):
                body += lines.readline()
            print(body[:-3], flush=True)
        connection.sendall(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
        if verb == b"QUIT":
            break
PY
python3 server.py > seen &
server=$!
for _ in $(seq 50); do [ -s port ] && break; sleep 0.1; done
url=smtp://127.0.0.1:$(cat port)
printf 'Subject: x\n\none\n.\n.two\nlast\n' > mail.txt
$curl -sS "$url" --mail-from a@example.test --mail-rcpt b@example.test --upload-file mail.txt
$curl -sS "$url/host.example.test" --crlf --mail-from a@example.test --mail-rcpt b@example.test --upload-file - < mail.txt
wait "$server"
server=
cat seen
expect() { grep -qxF "$1" seen || { echo "no longer so: $1" >&2; exit 1; }; }
expect 'EHLO mail.txt'
expect "b'Subject: x\\n\\none\\n.\\n.two\\nlast\\n\\r\\n'"
expect 'EHLO host.example.test'
expect "b'Subject: x\\r\\n\\r\\none\\r\\n..\\r\\n..two\\r\\nlast\\r\\n'"
