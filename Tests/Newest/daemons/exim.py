"""Exim: its own mainlog and rejectlog; the address stands in the last brackets before the reason."""

import acts

PACKAGES = ["exim4-daemon-heavy", "openssl"]
FILTERS = ["exim"]

SETTINGS = r"""
primary_hostname = server.example.test
domainlist local_domains = example.test
hostlist relay_from_hosts = 127.0.0.1
acl_smtp_rcpt = acl_rcpt
acl_smtp_helo = acl_helo
tls_advertise_hosts = *
tls_certificate = /etc/ssl/test/cert.pem
tls_privatekey = /etc/ssl/test/key.pem
auth_advertise_hosts = *
log_selector = +smtp_protocol_error +smtp_syntax_error +incoming_port
smtp_max_unknown_commands = 3
host_lookup =
rfc1413_query_timeout = 0s
log_file_path = /var/log/exim4/%slog
begin acl
acl_helo:
  deny condition = ${if match{$sender_helo_name}{@@}}
       message = no name
  accept
acl_rcpt:
  accept authenticated = *
  require message = relay not permitted
          domains = +local_domains
  require verify = recipient
  accept
begin routers
local:
  driver = accept
  domains = +local_domains
  check_local_user
  transport = file
begin transports
file:
  driver = appendfile
  file = /var/mail/$local_part_data
  group = mail
begin authenticators
PLAIN:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and {{eq{$auth2}{alice}}{eq{$auth3}{right}}}}
  server_set_id = $auth2
LOGIN:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${if and {{eq{$auth1}{alice}}{eq{$auth2}{right}}}}
  server_set_id = $auth1
"""


def run(m):
    m.add_user("alice")
    m.make_certificate(owner="Debian-exim")
    m.write("/etc/exim4/exim4.conf", SETTINGS)
    m.run("install -d -o Debian-exim -g adm /var/log/exim4; touch /var/log/exim4/mainlog /var/log/exim4/rejectlog; "
          "chown Debian-exim:adm /var/log/exim4/*")
    m.start("exim4 -bdf -q30m")
    m.wait_for_port(25)
    m.log("/var/log/exim4/mainlog")
    m.log("/var/log/exim4/rejectlog", "reject")
    acts.smtp(m)
