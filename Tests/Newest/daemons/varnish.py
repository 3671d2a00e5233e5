"""Varnish: nothing but varnishncsa's access log; it believes the user name that the client claims."""

import acts

PACKAGES = ["varnish"]
FILTERS = ["varnish", "http-probe"]


def run(m):
    m.write("/etc/varnish/test.vcl", 'vcl 4.1;\nbackend none none;\nsub vcl_recv {\n  if (req.url ~ "^/secret/" && req.http.Authorization != "Basic YWxpY2U6cmlnaHQ=") { return (synth(401)); }\n  if (req.url == "/" || req.url ~ "^/secret/") { return (synth(200)); }\n  return (synth(404));\n}\n')
    m.start("varnishd -F -a :80 -f /etc/varnish/test.vcl -n /tmp/varnish")
    m.wait_for_port(80)
    m.start("varnishncsa -n /tmp/varnish -w /var/log/varnishncsa.log")
    m.wait_for_port(80)
    m.log("/var/log/varnishncsa.log")
    acts.basic_password(m, 80)
    acts.web_pages(m, 80)
