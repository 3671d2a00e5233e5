"""Who visits the server, and what visitors can do."""

import base64
import ctypes
import os
import shlex
import socket
import ssl
import subprocess
import threading

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
_lock = threading.Lock()


class Visitor:
    """A host with one address, on its own network namespace."""

    def __init__(self, machine, pid, address, server, abuse):
        self.machine, self.pid, self.address, self.server, self.abuse = machine, pid, address, server, abuse

    @property
    def url_host(self):
        return f"[{self.server}]" if ":" in self.server else self.server

    def run(self, command, timeout=20, **options):
        """Runs a program from the server's disk on the visitor's network; its failure is no error. Returns its output.
        A text may hold {server} and {url_host}."""
        if isinstance(command, str):
            command = ["sh", "-c", command.format(server=self.server, url_host=self.url_host)]
        inside = ["nsenter", f"--net=/proc/{self.pid}/ns/net", *self.machine.inside(command)]
        try:
            result = subprocess.run(
                inside, stdin=None if "input" in options else subprocess.DEVNULL, capture_output=True, text=True,
                errors="surrogateescape", timeout=timeout, **options)
        except subprocess.TimeoutExpired as late:
            return str(late.stdout or "") + str(late.stderr or "")
        return result.stdout + result.stderr

    def connect(self, port, tls=False, timeout=10, kind=socket.SOCK_STREAM):
        """A connected socket. A socket belongs to the network in which it was made, so the thread visits it for that."""
        family = socket.AF_INET6 if ":" in self.server else socket.AF_INET
        with _lock, open("/proc/self/ns/net") as home, open(f"/proc/{self.pid}/ns/net") as away:
            _enter(away)
            try:
                connection = socket.socket(family, kind)
            finally:
                _enter(home)
        connection.settimeout(timeout)
        connection.connect((self.server, port))
        return _wrap(connection) if tls else connection

    def talk(self, port, *lines, tls=False, before_tls=(), greeting=True, timeout=10):
        """A dialogue of lines: sends each, and waits for what comes back; a bytes is sent as it is.
        Returns everything that was received. After the lines `before_tls` the rest goes over TLS."""
        received = b""
        try:
            connection = self.connect(port, tls=tls, timeout=timeout)
            with connection:
                if greeting:
                    received += _receive(connection)
                for line in before_tls:
                    connection.sendall(line.encode() + b"\r\n")
                    received += _receive(connection)
                if before_tls:
                    connection = _wrap(connection)
                for line in lines:
                    data = line if isinstance(line, bytes) else line.encode("utf-8", "surrogateescape") + b"\r\n"
                    connection.sendall(data)
                    received += _receive(connection)
        except OSError as error:
            received += f"[{error}]".encode()
        return received.decode("utf-8", "surrogateescape")

    def send_datagram(self, port, data, timeout=1):
        with self.connect(port, kind=socket.SOCK_DGRAM, timeout=timeout) as connection:
            connection.send(data)
            try:
                return connection.recv(65536)
            except OSError:
                return b""

    def http(self, path="/", method="GET", user=None, password="", headers=(), body=b"", port=80, tls=False, host=None):
        """One request on a connection of its own; returns the whole answer as text. `user` is HTTP's basic authentication."""
        if isinstance(body, str):
            body = body.encode()
        fields = [f"Host: {host or self.url_host}", "User-Agent: Mozilla/5.0", "Connection: close", *headers]
        if user is not None:
            token = base64.b64encode(f"{user}:{password}".encode("utf-8", "surrogateescape")).decode()
            fields.append(f"Authorization: Basic {token}")
        if body:
            fields.append(f"Content-Length: {len(body)}")
        head = "\r\n".join([f"{method} {path} HTTP/1.1", *fields]) + "\r\n\r\n"
        try:
            with self.connect(port, tls=tls, timeout=20) as connection:
                connection.sendall(head.encode("utf-8", "surrogateescape") + body)
                answer = b""
                while part := connection.recv(65536):
                    answer += part
        except OSError as error:
            return f"[{error}]"
        return answer.decode("utf-8", "replace")

    def ssh(self, user, password=None, port=22, options="", command="true"):
        """The machine's own ssh with one password (sshpass), or with its key when there is none."""
        asked = f"sshpass -p {shlex.quote(password)} " if password is not None else ""
        key = "-o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1" if password is not None else "-o PasswordAuthentication=no"
        return self.run(
            f"{asked}ssh -p {port} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=8 {key} "
            f"{options} -l {shlex.quote(user)} {self.server} {command}".replace("{", "{{").replace("}", "}}"))


def _enter(namespace):
    if _libc.setns(namespace.fileno(), _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _wrap(connection):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(connection)


def _receive(connection):
    """What comes until the other side pauses; nothing if it says nothing."""
    patience = connection.gettimeout()
    received = b""
    try:
        while part := connection.recv(65536):
            received += part
            connection.settimeout(0.15)
    except OSError:
        pass
    finally:
        connection.settimeout(patience)
    return received
