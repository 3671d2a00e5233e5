"""Varnish: nothing but varnishncsa's access log; it believes the user name that the client claims."""

import acts

PACKAGES = ["varnish"]
FILTERS = ["varnish", "http-probe"]

SETTINGS = """vcl 4.1;
backend none none;
sub vcl_recv {
  if (req.url ~ "^/secret/" && req.http.Authorization != "Basic YWxpY2U6cmlnaHQ=") { return (synth(401)); }
  if (req.url == "/" || req.url ~ "^/secret/") { return (synth(200)); }
  return (synth(404));
}
"""


def run(m):
    m.write("/etc/varnish/test.vcl", SETTINGS)
    m.start("varnishd -F -a :80 -f /etc/varnish/test.vcl -n /tmp/varnish")
    m.wait_for_port(80)
    m.start("varnishncsa -n /tmp/varnish -w /var/log/varnishncsa.log")
    m.wait_for_port(80)
    m.log("/var/log/varnishncsa.log")
    acts.basic_password(m, 80)
    acts.web_pages(m, 80)
