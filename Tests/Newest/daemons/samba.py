"""Samba: nothing at the default level; `log level = 0 auth_json_audit:3` brings JSON without Samba's header, `auth_audit:3` text."""

PACKAGES = ["samba", "smbclient"]
FILTERS = ["samba"]
NOISE = r"sysquotas|sys_path_to_bdev|started\.$|Copyright|rpc_|printer_list|Failed to fetch record|pcap cache"

SETTINGS = """
[global]
  server role = standalone server
  log level = 0 auth_audit:3 auth_json_audit:3
  log file = /var/log/samba/smbd.log
  map to guest = never
  disable netbios = yes
[files]
  path = /srv
  read only = yes
"""


def run(m):
    m.add_user("alice")
    m.write("/etc/samba/smb.conf", SETTINGS)
    m.run("mkdir -p /run/samba /var/log/samba; (echo right; echo right) | smbpasswd -s -a alice")
    m.start("smbd --foreground --no-process-group")
    m.wait_for_port(445)
    m.log("/var/log/samba/smbd.log")
    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice", settle=3):
            visitor.run("smbclient -U alice%right //{server}/files -c ls")
        with m.act(visitor, "a look without a name", settle=3):
            visitor.run("smbclient -N -L //{server}/")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice", settle=3):
            visitor.run("smbclient -U alice%wrong //{server}/files -c ls")
        with m.act(visitor, "unknown name", user="mallory", settle=3):
            visitor.run("smbclient -U mallory%wrong //{server}/files -c ls")
        with m.act(visitor, "forged: a name with another address", forged=True, settle=3):
            visitor.run('''smbclient -U 'x", "remoteAddress": "ipv4:203.0.113.9:1%wrong' //{server}/files -c ls''')
