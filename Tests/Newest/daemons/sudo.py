"""sudo, su and login at a terminal: no address is involved; PAM's lines say who tried whom."""

PACKAGES = ["sudo", "util-linux", "login", "expect"]
FILTERS = ["pam", "sudo"]
BINARY = "sudo"


def run(m):
    m.add_user("alice", "right", "-G", "sudo")
    m.add_user("bob")
    m.start_syslog()
    m.log("/var/log/syslog")
    visitor = m.honest[0]

    def type_in(user, command, *answers):
        script = f"set timeout 5\nspawn become {user} {command}\n" + "".join(
            f'expect -nocase "*assword*"\nsend "{answer}\\r"\n' for answer in answers) + "expect eof\n"
        m.run(["expect", "-c", script], check=False)

    with m.act(visitor, "sudo, right password", user="alice", local_failure=True, settle=3):
        type_in("alice", f"{BINARY} true", "right")
    with m.act(visitor, "sudo, three wrong passwords", user="alice", abuse=True, local_failure=True, neutral=True, settle=4):
        type_in("alice", f"{BINARY} true", "wrong", "wrong", "wrong")
    with m.act(visitor, "sudo, not in sudoers", user="bob", abuse=True, local_failure=True, neutral=True, settle=4):
        type_in("bob", f"{BINARY} id", "right")
    with m.act(visitor, "su, wrong password", user="alice", abuse=True, local_failure=True, neutral=True, settle=4):
        type_in("bob", "su alice", "wrong")
    with m.act(visitor, "su, unknown name", user="mallory", abuse=True, local_failure=True, neutral=True, settle=4):
        type_in("bob", "su mallory", "wrong")
