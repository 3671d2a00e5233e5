"""Sendmail: syslog; the last `relay=` counts, IPv6 as [IPv6:2001:db8:78:0:0:0:0:2]. AUTH by saslauthd."""

import acts

PACKAGES = ["sendmail-bin", "sendmail-base", "sendmail-cf", "sasl2-bin", "libsasl2-modules", "m4", "make"]
FILTERS = ["sendmail"]

SETTINGS = """
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`debian')dnl
DOMAIN(`debian-mta')dnl
undefine(`confHOST_STATUS_DIRECTORY')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Family=inet,  Name=MTA-v4, Port=smtp')dnl
DAEMON_OPTIONS(`Family=inet6, Name=MTA-v6, Port=smtp, Modifiers=O')dnl
TRUST_AUTH_MECH(`PLAIN LOGIN')dnl
define(`confAUTH_MECHANISMS', `PLAIN LOGIN')dnl
define(`confBAD_RCPT_THROTTLE', `3')dnl
define(`confTO_IDENT', `0')dnl
define(`confPRIVACY_FLAGS', `needmailhelo,novrfy,noexpn')dnl
LOCAL_DOMAIN(`example.test')dnl
MAILER_DEFINITIONS
MAILER(`local')dnl
MAILER(`smtp')dnl
"""


def run(m):
    m.add_user("alice")
    m.write("/etc/mail/sendmail.mc", SETTINGS)
    m.write("/etc/mail/aliases", "root: alice\n")
    m.write("/usr/lib/sasl2/Sendmail.conf", "pwcheck_method: saslauthd\nmech_list: PLAIN LOGIN\n")
    m.write("/etc/sasl2/Sendmail.conf", "pwcheck_method: saslauthd\nmech_list: PLAIN LOGIN\n")
    m.run("cd /etc/mail && m4 sendmail.mc > sendmail.cf; newaliases; mkdir -p /run/saslauthd /run/sendmail/mta /var/spool/mqueue; touch /etc/mail/local-host-names; "
          "usermod -aG sasl smmta; usermod -aG sasl root", check=False)
    m.start_syslog()
    m.run("echo 1 > /proc/sys/net/ipv6/bindv6only")  # MTA-v4 and MTA-v6 listen both
    m.run("saslauthd -a shadow -m /run/saslauthd")
    m.start("sendmail-mta -bD -q10m || sendmail -bD -q10m")
    m.wait_for_port(25)
    m.log("/var/log/syslog")
    acts.smtp(m, tls_login=False)
