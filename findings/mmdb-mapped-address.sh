#!/bin/bash
# An mmdb file knows 198.51.100.2 and not ::ffff:198.51.100.2, but the old ::198.51.100.2.
#
# Guess: in a database with both families libmaxminddb finds an IPv4 address also by its IPv4-mapped form, as sockets do.
# Seen (libmaxminddb 1.7.1's mmdblookup, a file of mmdb_writer 0.2.5 with ip_version 6): IPv4 lies in ::/96, the IPv4-compatible
# addresses that RFC 4291 (2.5.5.1) gave up. ::198.51.100.2 finds its record, ::ffff:198.51.100.2, which is what daemons log, finds none,
# unless the file's maker has put an alias there. A program that looks up what stands in a log has to unmap it first.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -q mmdb-bin=1.7.1-1 libmaxminddb0=1.7.1-1 >/dev/null 2>&1 || { echo "mmdb-bin 1.7.1-1 is not to be had" >&2; exit 1; }
for package in ./*.deb; do dpkg -x "$package" root; done
export LD_LIBRARY_PATH=$work/root/usr/lib/x86_64-linux-gnu
python3 -m venv venv
venv/bin/pip install -q mmdb_writer==0.2.5
venv/bin/python -c 'from mmdb_writer import MMDBWriter
from netaddr import IPSet
writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Test")
writer.insert_network(IPSet(["198.51.100.0/24"]), {"country": "XX"})
writer.to_db_file("test.mmdb")'
root/usr/bin/mmdblookup --version
look() { { root/usr/bin/mmdblookup --file test.mmdb --ip "$1" country 2>&1 || true; } | tr -d '\n' | sed "s/  */ /g; s/^ */$1: /"; echo; }
for address in 198.51.100.2 ::198.51.100.2 ::ffff:198.51.100.2; do look $address; done | tee seen
expect() { grep -q "^$1" seen || { echo "no longer so: $1" >&2; exit 1; }; }
expect '198.51.100.2: "XX"'
expect '::198.51.100.2: "XX"'
expect '::ffff:198.51.100.2: Could not find an entry'
