"""Suricata: eve.json (event_type alert) and fast.log; src_ip is the packet's source, which for an answer is the server."""

PACKAGES = ["suricata", "python3"]
FILTERS = ["suricata"]


def run(m):
    m.write("/etc/suricata/test.rules",
            'alert http any any -> any any (msg:"TEST admin path"; flow:established,to_server; http.uri; content:"/.env"; classtype:web-application-attack; sid:1000001; rev:1; priority:1;)\n'
            'alert http any any -> any any (msg:"TEST 404 answered"; flow:established,to_client; http.stat_code; content:"404"; classtype:bad-unknown; sid:1000002; rev:1; priority:2;)\n'
            'alert tcp any any -> any 80 (msg:"TEST many SYNs"; flags:S; threshold:type both,track by_src,count 20,seconds 5; classtype:attempted-recon; sid:1000003; rev:1; priority:2;)\n')
    m.write("/etc/suricata/test.yaml", """%YAML 1.1
---
default-log-dir: /var/log/suricata/
classification-file: /etc/suricata/classification.config
reference-config-file: /etc/suricata/reference.config
rule-files: [/etc/suricata/test.rules]
outputs:
  - fast: {enabled: yes, filename: fast.log, append: yes}
  - eve-log: {enabled: yes, filetype: regular, filename: eve.json, types: [{alert: {}}]}
af-packet: [{interface: br0}]
app-layer: {protocols: {http: {enabled: yes, libhtp: {default-config: {personality: IDS}}}}}
""")
    m.write("/srv/index.html", "hello")
    m.run("mkdir -p /var/log/suricata /run/suricata")
    m.start("python3 -m http.server 80 --bind :: --directory /srv", log="/var/log/web.out")
    m.start("suricata -c /etc/suricata/test.yaml --af-packet=br0 -k none", log="/var/log/suricata.out")
    m.wait_for_port(80)
    m.wait_for_text("/var/log/suricata.out", "Engine started", 60)
    m.log("/var/log/suricata/eve.json")
    m.log("/var/log/suricata/fast.log", "fast")
    for visitor in m.honest:
        with m.act(visitor, "a page", settle=4):
            visitor.http("/")
        with m.act(visitor, "a page that is not there", settle=4, neutral=True):
            visitor.http("/favicon.ico")
    for visitor in m.abusers:
        with m.act(visitor, "probe /.env", settle=5):
            visitor.http("/.env")
        with m.act(visitor, "thirty connections", settle=5):
            for _ in range(30):
                visitor.connect(80).close()
