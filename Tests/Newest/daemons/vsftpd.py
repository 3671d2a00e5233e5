"""vsftpd: its own log; IPv6 clients and those of a `listen_ipv6` server as `::ffff:`."""

import acts

PACKAGES = ["vsftpd"]
FILTERS = ["vsftpd"]

SETTINGS = """listen=NO
listen_ipv6=YES
background=NO
anonymous_enable=NO
local_enable=YES
xferlog_enable=YES
log_ftp_protocol=NO
vsftpd_log_file=/var/log/vsftpd.log
secure_chroot_dir=/var/run/vsftpd/empty
pam_service_name=vsftpd
seccomp_sandbox=NO
isolate_network=NO
isolate=NO
max_login_fails=3
"""


def run(m):
    m.add_user("alice")
    m.write("/etc/vsftpd.conf", SETTINGS)
    m.run("mkdir -p /var/run/vsftpd/empty")
    m.start_syslog()
    m.start("vsftpd /etc/vsftpd.conf")
    m.wait_for_port(21)
    m.log("/var/log/vsftpd.log")
    m.log("/var/log/syslog", "syslog")
    acts.ftp(m)
