"""sudo-rs, which replaces sudo where it is installed."""

import sudo

PACKAGES = ["sudo-rs", "util-linux", "login", "expect"]
FILTERS = ["pam", "sudo"]


def run(m):
    m.write("/etc/sudoers-rs", "%sudo ALL=(ALL:ALL) ALL\n", 0o440)
    m.write("/etc/sudoers", "%sudo ALL=(ALL:ALL) ALL\n", 0o440)
    sudo.BINARY = "sudo-rs"
    sudo.run(m)
