"""RFB (VNC) with VncAuth: the answer to the challenge is DES with the password's bits turned round (RFC 6143, 7.2.2)."""

import subprocess


def login(visitor, password, port=5900, security=2):
    """Tries one password; returns what the server said."""
    try:
        with visitor.connect(port, timeout=6) as connection:
            connection.recv(12)
            connection.sendall(b"RFB 003.008\n")
            connection.recv(64)
            connection.sendall(bytes([security]))
            challenge = connection.recv(16)
            connection.sendall(_answer(visitor.machine, password, challenge))
            return connection.recv(200)
    except OSError as error:
        return str(error).encode()


def _answer(machine, password, challenge):
    key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in password.encode()[:8].ljust(8, b"\0"))
    run = subprocess.run(
        machine.inside(["openssl", "enc", "-des-ecb", "-provider", "legacy", "-provider", "default", "-nopad", "-K", key.hex()]),
        input=challenge, capture_output=True)
    return run.stdout[:16].ljust(16, b"\0")


def visits(m, port=5900):
    for visitor in m.honest:
        with m.act(visitor, "right password", settle=3):
            login(visitor, "right", port)
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", settle=4):
            login(visitor, "wrong", port)
        with m.act(visitor, "eight wrong passwords", settle=4):
            for _ in range(8):
                login(visitor, "wrong", port)
        with m.act(visitor, "no VNC client", neutral=True, settle=4):
            visitor.talk(port, "GET / HTTP/1.0", timeout=4)
        with m.act(visitor, "connect and close", neutral=True):
            visitor.connect(port).close()
