#!/bin/bash
# A nats-server that runs alone takes an update of a stream to three copies, and says that it has them.
#
# Guess: a server without a cluster refuses `num_replicas: 3`, for there is nowhere to put the others.
# Seen (nats-server 2.9.10, Debian 12): it refuses to make such a stream ("replicas > 1 not supported in non-clustered mode", 10074), and
# takes $JS.API.STREAM.UPDATE of one with one copy: the answer, and STREAM.INFO from then on, say `"num_replicas":3`. Who checks what
# was set by reading it back believes in copies that nobody holds. Look at `cluster` in the answer: it is not there.
set -euo pipefail
. "$(dirname "$0")/lib/debian.sh"
version=2.9.10-1+b3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
debian "$work/new" bookworm "nats-server=$version"
cat > "$work/ask.py" <<'PYTHON'
import json, os, re, socket, subprocess, sys, time
server, store = sys.argv[1:]
reserved = socket.socket()
reserved.bind(("127.0.0.1", 0))
port = reserved.getsockname()[1]
reserved.close()
process = subprocess.Popen([server, "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", store], stderr=subprocess.DEVNULL)
try:
    for _ in range(100):
        try:
            connection = socket.create_connection(("127.0.0.1", port), 5)
            break
        except OSError:
            time.sleep(0.05)
    stream = connection.makefile("rwb")
    stream.readline()
    stream.write(b'CONNECT {"verbose":false}\r\nSUB inbox 1\r\n')
    def ask(subject, config):
        body = json.dumps(config).encode()
        stream.write(b"PUB %s inbox %d\r\n%s\r\n" % (subject.encode(), len(body), body))
        stream.flush()
        while not (line := stream.readline()).startswith(b"MSG"):
            if line.startswith(b"PING"):
                stream.write(b"PONG\r\n")
                stream.flush()
        return json.loads(stream.read(int(line.split()[-1]) + 2))
    three = {"name": "S", "subjects": ["s"], "storage": "file", "num_replicas": 3}
    print("create with 3:", ask("$JS.API.STREAM.CREATE.S", three)["error"]["err_code"])
    ask("$JS.API.STREAM.CREATE.S", three | {"num_replicas": 1})
    answer = ask("$JS.API.STREAM.UPDATE.S", three)
    print("update to 3:", answer["config"]["num_replicas"], "cluster" in answer)
finally:
    process.kill()
PYTHON
python3 "$work/ask.py" "$(find "$work/new/root" -name nats-server -type f -perm -1 | head -n 1)" "$work/store" | tee "$work/seen"
[ "$(cat "$work/seen")" = 'create with 3: 10074
update to 3: 3 False' ] || exit 1
