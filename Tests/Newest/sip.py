"""SIP over UDP, as much as is needed to register: one REGISTER, and a second one that answers the challenge (RFC 3261, RFC 2617)."""

import hashlib
import re


def request(visitor, user, call, authorization="", sequence=1, port=5060):
    host = visitor.url_host
    mine = f"[{visitor.address}]" if ":" in visitor.address else visitor.address
    return (f"REGISTER sip:{host} SIP/2.0\r\nVia: SIP/2.0/UDP {mine}:5060;branch=z9hG4bK{call}{sequence};rport\r\nMax-Forwards: 70\r\n"
            f"From: <sip:{user}@{host}>;tag={call}\r\nTo: <sip:{user}@{host}>\r\nCall-ID: {call}\r\nCSeq: {sequence} REGISTER\r\n"
            f"Contact: <sip:{user}@{mine}:5060>\r\n{authorization}User-Agent: phone\r\nExpires: 60\r\nContent-Length: 0\r\n\r\n").encode()


def register(visitor, user, password, port=5060):
    """Registers; `password` None leaves it at the challenge. Returns the last answer."""
    call = hashlib.md5(f"{user}{password}{visitor.address}".encode()).hexdigest()[:12]
    answer = visitor.send_datagram(port, request(visitor, user, call)).decode(errors="replace")
    if password is None or not (found := re.search(r'realm="([^"]*)"', answer)):
        return answer
    realm = found[1]
    nonce = re.search(r'nonce="([^"]*)"', answer)[1]
    uri = f"sip:{visitor.url_host}"

    def md5(text):
        return hashlib.md5(text.encode()).hexdigest()

    qop = 'qop="auth"' in answer or "qop=auth" in answer
    middle = f"{nonce}:00000001:abc:auth" if qop else nonce
    response = md5(f"{md5(f'{user}:{realm}:{password}')}:{middle}:{md5(f'REGISTER:{uri}')}")
    fields = f'username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}", algorithm=MD5'
    if opaque := re.search(r'opaque="([^"]*)"', answer):
        fields += f', opaque="{opaque[1]}"'
    if qop:
        fields += ', qop=auth, nc=00000001, cnonce="abc"'
    return visitor.send_datagram(port, request(visitor, user, call, f"Authorization: Digest {fields}\r\n", 2)).decode(errors="replace")


def invite(visitor, number, user="x", port=5060):
    """A call without registration."""
    host = visitor.url_host
    mine = f"[{visitor.address}]" if ":" in visitor.address else visitor.address
    return visitor.send_datagram(port, (
        f"INVITE sip:{number}@{host} SIP/2.0\r\nVia: SIP/2.0/UDP {mine}:5060;branch=z9hG4bKi{number};rport\r\nMax-Forwards: 70\r\n"
        f"From: <sip:{user}@{host}>;tag=i\r\nTo: <sip:{number}@{host}>\r\nCall-ID: i{number}\r\nCSeq: 1 INVITE\r\n"
        f"Contact: <sip:{user}@{mine}:5060>\r\nUser-Agent: friendly-scanner\r\nContent-Length: 0\r\n\r\n").encode())
