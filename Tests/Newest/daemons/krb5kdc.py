"""MIT Kerberos' key distribution centre: `AS_REQ (…) ADDRESS: PREAUTH_FAILED: alice@REALM for …`, its log or syslog."""

PACKAGES = ["krb5-kdc", "krb5-admin-server", "krb5-user"]
FILTERS = ["krb5kdc"]


def run(m):
    m.write("/etc/krb5.conf", "[libdefaults]\n default_realm = EXAMPLE.TEST\n dns_lookup_kdc = false\n dns_lookup_realm = false\n"
            "[realms]\n EXAMPLE.TEST = {\n  kdc = 198.51.100.1\n }\n[logging]\n kdc = FILE:/var/log/krb5kdc.log\n")
    m.write("/etc/krb5kdc/kdc.conf", "[kdcdefaults]\n kdc_ports = 88\n[realms]\n EXAMPLE.TEST = {\n  database_name = /tmp/principal\n"
            "  key_stash_file = /tmp/stash\n  default_principal_flags = +preauth\n }\n")
    m.run("kdb5_util create -s -P master -r EXAMPLE.TEST")
    m.run("kadmin.local -q 'addprinc +requires_preauth -pw right alice'")
    m.start("krb5kdc -n")
    m.wait_for_port(88)
    m.log("/var/log/krb5kdc.log")

    def kinit(visitor, user, password):
        # The server's address of the visitor's family.
        m.write("/tmp/krb5-visitor.conf", "[libdefaults]\n default_realm = EXAMPLE.TEST\n dns_lookup_kdc = false\n[realms]\n EXAMPLE.TEST = {\n"
                f"  kdc = {visitor.url_host}\n }}\n")
        visitor.run(["env", "KRB5_CONFIG=/tmp/krb5-visitor.conf", "KRB5CCNAME=/tmp/cc", "kinit", user], input=password + "\n")

    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice"):
            kinit(visitor, "alice", "right")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice"):
            kinit(visitor, "alice", "wrong")
        with m.act(visitor, "unknown name", user="mallory"):
            kinit(visitor, "mallory", "wrong")
        with m.act(visitor, "forged: a name with another address", forged=True):
            kinit(visitor, "x AS_REQ (1 etypes {1}) 203.0.113.9: PREAUTH_FAILED: y", "wrong")
