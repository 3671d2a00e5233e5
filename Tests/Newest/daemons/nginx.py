"""nginx: access.log (combined) and error.log (`client: ADDRESS`); the honest challenge is a 401 without a name."""

import acts

PACKAGES = ["nginx-light", "apache2-utils"]
FILTERS = ["nginx-http-auth", "nginx-error", "http-probe"]

SETTINGS = """
user www-data;
events {}
http {
  access_log /var/log/nginx/access.log;
  error_log /var/log/nginx/error.log;
  limit_req_zone $binary_remote_addr zone=few:1m rate=1r/m;
  server {
    listen 80;
    listen [::]:80;
    root /var/www/html;
    location /secret/ { auth_basic "secret"; auth_basic_user_file /etc/nginx/users; }
    location /slow/ { limit_req zone=few; }
    location /denied/ { deny all; }
  }
}
"""


def run(m):
    m.write("/etc/nginx/nginx.conf", SETTINGS)
    m.write("/var/www/html/index.html", "hello")
    m.write("/var/www/html/secret/index.html", "secret")
    m.run("htpasswd -bc /etc/nginx/users alice right")
    m.start("nginx -g 'daemon off;'")
    m.wait_for_port(80)
    m.log("/var/log/nginx/access.log", "access")
    m.log("/var/log/nginx/error.log", "error")
    acts.basic_password(m, 80)
    acts.web_pages(m, 80)
    for visitor in m.abusers:
        with m.act(visitor, "three requests where one a minute is allowed"):
            for _ in range(3):
                visitor.http("/slow/")
        with m.act(visitor, "a denied place"):
            visitor.http("/denied/")
