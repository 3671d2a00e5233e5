"""Logs to measure with: the same lines for the same kind, size and share of attack lines; only their times are yesterday's.

Attackers fail at least 20 times each; as many addresses again fail three times, which no limit here takes for an attack.
"""

import random
import time

HOST = "web"


def address(number, net):
    """Distinct addresses of a net meant for tests of devices (198.18.0.0/15) or for documentation, none of anybody's."""
    return f"198.{18 + net}.{(number >> 8) & 255}.{number & 255}"


class Corpus:
    def __init__(self, path, lines, attackers, size):
        self.path, self.lines, self.attackers, self.size = path, lines, attackers, size


def attack_plan(rng, attack_lines):
    """For each attack line who is behind it, and who fails often enough to be banned."""
    count = max(1, min(20_000, attack_lines // 25))
    attackers = [address(i, 0) for i in range(count)]
    share = attackers * 20 + [address(i, 1) for i in range(count)] * 3
    while len(share) < attack_lines:
        share.append(attackers[rng.randrange(count)])
    rng.shuffle(share)
    return share, set(attackers)


def write(path, lines, percent, attack, quiet, stamp):
    """Writes `lines` lines, `percent` of them by `attack(rng, address)`, the others by `quiet(rng)`."""
    rng = random.Random(f"{lines} {percent}")
    attack_lines = lines * percent // 100
    share, attackers = attack_plan(rng, attack_lines)
    first = time.time() // 86_400 * 86_400 - 86_400
    step = 80_000 / lines
    pending = attack_lines
    size = 0
    last, text = None, ""
    with open(path, "wb", buffering=1 << 20) as out:
        block = []
        for number in range(lines):
            second = int(first + number * step)
            if second != last:
                last, text = second, stamp(second)
            if rng.random() * (lines - number) < pending:
                pending -= 1
                block.append(text + attack(rng, share[pending]))
            else:
                block.append(text + quiet(rng))
            if len(block) == 20_000:
                size += out.write(("\n".join(block) + "\n").encode())
                block.clear()
        if block:
            size += out.write(("\n".join(block) + "\n").encode())
    return Corpus(path, lines, attackers, size)


def syslog_stamp(second):
    return time.strftime("%b %e %H:%M:%S ", time.gmtime(second)) + HOST + " "


USERS = ["root", "admin", "test", "oracle", "ubuntu", "git", "postgres", "deploy", "www-data", "ftpuser"]


def auth_attack(rng, who):
    user = USERS[rng.randrange(len(USERS))]
    invalid = "invalid user " if rng.random() < 0.6 else ""
    return (
        f"sshd[{rng.randrange(1_000, 4_000_000)}]: Failed password for {invalid}{user} from {who}"
        f" port {rng.randrange(1_024, 65_536)} ssh2"
    )


def auth_quiet(rng):
    kind = rng.randrange(8)
    pid = rng.randrange(1_000, 4_000_000)
    if kind == 0:
        return f"CRON[{pid}]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)"
    if kind == 1:
        return f"CRON[{pid}]: pam_unix(cron:session): session closed for user root"
    if kind == 2:
        return (
            f"sshd[{pid}]: Accepted publickey for deploy from 203.0.113.{rng.randrange(1, 255)} port"
            f" {rng.randrange(1_024, 65_536)} ssh2: ED25519 SHA256:nU1SwmrfzAkFqY3dMMxg8QP4hOop7UGdyA4RZAGIgQw"
        )
    if kind == 3:
        return f"sshd[{pid}]: pam_unix(sshd:session): session opened for user deploy(uid=1001) by (uid=0)"
    if kind == 4:
        return f"sshd[{pid}]: pam_unix(sshd:session): session closed for user deploy"
    if kind == 5:
        return f"systemd-logind[612]: New session {pid} of user deploy."
    if kind == 6:
        return f"systemd-logind[612]: Session {pid} logged out. Waiting for processes to exit."
    return f"sudo:   deploy : TTY=pts/{rng.randrange(9)} ; PWD=/srv/app ; USER=root ; COMMAND=/usr/bin/systemctl status app"


def mail_attack(rng, who):
    pid = rng.randrange(1_000, 4_000_000)
    return f"postfix/smtpd[{pid}]: warning: unknown[{who}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6"


def mail_quiet(rng):
    kind = rng.randrange(7)
    pid = rng.randrange(1_000, 4_000_000)
    queue = f"{rng.randrange(1 << 40):010X}"
    peer = f"mx{rng.randrange(40)}.example.net[203.0.113.{rng.randrange(1, 255)}]"
    if kind == 0:
        return f"postfix/smtpd[{pid}]: connect from {peer}"
    if kind == 1:
        return f"postfix/smtpd[{pid}]: {queue}: client={peer}"
    if kind == 2:
        return f"postfix/cleanup[{pid}]: {queue}: message-id=<{pid}.{queue}@example.net>"
    if kind == 3:
        return f"postfix/qmgr[812]: {queue}: from=<news@example.net>, size={pid}, nrcpt=1 (queue active)"
    if kind == 4:
        return f"postfix/local[{pid}]: {queue}: to=<a@example.org>, relay=local, delay=0.1, dsn=2.0.0, status=sent (delivered)"
    if kind == 5:
        return f"dovecot: imap-login: Login: user=<a@example.org>, method=PLAIN, rip=203.0.113.9, lip=203.0.113.1, mpid={pid}, TLS"
    return f"postfix/smtpd[{pid}]: disconnect from {peer} ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5"


def error_stamp(second):
    return time.strftime("%Y/%m/%d %H:%M:%S ", time.gmtime(second))


def error_attack(rng, who):
    number = rng.randrange(1, 9_000_000)
    return (
        f'[error] 5191#5191: *{number} user "{USERS[rng.randrange(len(USERS))]}": password mismatch, client: {who}, '
        'server: www.example.test, request: "GET /private/ HTTP/1.1", host: "www.example.test"'
    )


def error_quiet(rng):
    number = rng.randrange(1, 9_000_000)
    return (
        f'[error] 5191#5191: *{number} open() "/srv/www/img/{number}.png" failed (2: No such file or directory), client: '
        f'203.0.113.{rng.randrange(1, 255)}, server: www.example.test, request: "GET /img/{number}.png HTTP/1.1", '
        'host: "www.example.test"'
    )


def access_write(path, lines, percent):
    """nginx's access log begins with the client, so the stamp is made with the line."""
    current = [""]

    def stamp(second):
        current[0] = time.strftime("[%d/%b/%Y:%H:%M:%S +0000]", time.gmtime(second))
        return ""

    def attack(rng, who):
        page = ("/wp-login.php", "/.env", "/phpmyadmin/index.php", "/.git/config")[rng.randrange(4)]
        return f'{who} - - {current[0]} "GET {page} HTTP/1.1" 404 153 "-" "Mozilla/5.0 zgrab/0.x"'

    def quiet(rng):
        return (
            f'203.0.113.{rng.randrange(1, 255)} - - {current[0]} "GET /articles/{rng.randrange(90_000)} HTTP/1.1" 200 '
            f'{rng.randrange(90_000)} "https://www.example.test/" "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"'
        )

    corpus = write(path, lines, percent, attack, quiet, stamp)
    # A probe for a secret weighs as much as several mistyped passwords: three of them are enough.
    corpus.attackers = {who.replace("198.18.", net) for who in corpus.attackers for net in ("198.18.", "198.19.")}
    return corpus


def addresses(path, lines):
    """Every line a failed login from another address, none of them often enough to be banned."""
    first = time.time() // 86_400 * 86_400 - 86_400
    with open(path, "w", buffering=1 << 20) as out:
        for number in range(lines):
            who = f"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}"
            out.write(f"{syslog_stamp(int(first + number * 80_000 / lines))}sshd[812]: Failed password for root from {who}"
                      " port 4711 ssh2\n")
    return Corpus(path, lines, set(), 0)


def make(kind, path, lines, percent):
    if kind == "auth":
        return write(path, lines, percent, auth_attack, auth_quiet, syslog_stamp)
    if kind == "mail":
        return write(path, lines, percent, mail_attack, mail_quiet, syslog_stamp)
    if kind == "nginx error":
        return write(path, lines, percent, error_attack, error_quiet, error_stamp)
    if kind == "addresses":
        return addresses(path, lines)
    return access_write(path, lines, percent)
