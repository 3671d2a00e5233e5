# `make run` shows Bailiff at work, `make test` tests it, `make help` tells the rest.

# What the build needs, and what the tests run beside it (Debian's names).
BUILD_PACKAGES := ca-certificates libpcre2-dev libsqlite3-dev libssl-dev libvectorscan-dev libmnl-dev libsystemd-dev libyaml-dev libcurl4-openssl-dev libmaxminddb-dev \
  pkg-config
TEST_PACKAGES := gcc libc6-dev ipset iptables iproute2 openssh-server openssh-client sshpass systemd \
  systemd-journal-remote fail2ban iputils-ping rsyslog python3 curl sqlite3 gzip bzip2 xz-utils zstd util-linux procps chromium \
  libcurl4 libmaxminddb0 python3-aiosmtpd python3-trustme python3-prometheus-client prometheus nginx-light haproxy caddy munin-plugins-core \
  nftables ufw firewalld dbus apache2-bin crowdsec-firewall-bouncer crowdsec-custom-bouncer weasyprint nats-server libnats3.4
# The peers that `make bench` measures beside Bailiff, never started as services.
BENCH_PACKAGES := fail2ban python3-pyinotify python3-systemd sshguard grep ipset iptables iproute2 python3 util-linux systemd systemd-journal-remote gcc libc6-dev wrk

# Each fuzz target runs for so long.
FUZZ_SECONDS ?= 60
FUZZ_TARGETS := lines dates addresses filters settings fail2ban requests prefilter json combined logfmt columns split

# `make run` ends by itself after this many seconds; empty: with Ctrl-C.
DEMO_SECONDS ?=

# What `make newest` runs; empty: every driver.
DAEMONS ?=

PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
DESTDIR ?=

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

# The installed binary brings Swift's libraries with it.
# Every symbol is bound at the start, so that the table of addresses is read-only from then on; nothing is loaded that would look for
# the program's own symbols, and without their table it is 2 MB smaller.
RELEASE = swift build -c release --static-swift-stdlib --disable-local-rpath -Xlinker -z -Xlinker now -Xlinker --no-export-dynamic $(PACKED) --product bailiff
# A tenth of the program would be relocations; packed they are a few KB, which glibc reads from 2.36 on (Debian 12, Ubuntu 24.04).
# The linker that can is the one that Swift brings.
PACKED = $(shell printf '2.36\n%s\n' "$$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d ' ' -f 2)" | sort -VC \
  && [ -x "$$(dirname "$$(realpath "$$(command -v swift)")")/ld.lld" ] && echo -Xswiftc -use-ld=lld -Xlinker -z -Xlinker pack-relative-relocs)
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: help run test build release lint format fuzz bench soak newest install uninstall clean swift build-packages test-packages bench-packages newest-packages

help: ## what there is to make
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1 \t\2/p' $(MAKEFILE_LIST) | expand -t 24

run: release ## install what is missing, build, and watch this machine and a demonstration attack; changes no firewall
	@fixtures/demo/play.sh .build/release/bailiff "$(CURDIR)/.build/demo" $(DEMO_SECONDS)

# The tests make network namespaces and run sshd, journald and iptables in them, so they run as root; no more at once than
# there are cores, because many wait for daemons and deadlines.
test: build-packages test-packages swift ## install what is missing, then run every test and the format check
	@swift build
	swift build --build-tests
	$(SUDO) env "PATH=$$PATH" swift test --skip-build --experimental-maximum-parallelization-width "$$(nproc)"
	$(MAKE) lint

build: build-packages swift ## build for debugging
	@swift build

release: build-packages swift ## build for use: .build/release/bailiff
	@$(RELEASE)

lint: swift ## check the format
	@swift format lint --strict --recursive --parallel Sources Tests Benchmarks/Stages Package.swift

format: swift ## put the source into its format
	@swift format --in-place --recursive --parallel Sources Tests Benchmarks/Stages Package.swift

# A build of its own, which libFuzzer counts the branches of. New inputs stay in .build-fuzz; what stops a target is written
# to .build-fuzz/found: it belongs into fixtures/fuzz/TARGET, with a fix.
fuzz: build-packages swift ## run the fuzzers, each for FUZZ_SECONDS (60)
	@BAILIFF_FUZZ=1 swift build -c release --sanitize=fuzzer --scratch-path .build-fuzz -Xswiftc -enable-testing --product fuzz
	mkdir -p .build-fuzz/found
	failed=
	for target in $(FUZZ_TARGETS); do
	  mkdir -p .build-fuzz/corpus/$$target
	  said=$$(BAILIFF_FUZZ_TARGET=$$target .build-fuzz/release/fuzz -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -timeout=20 \
	    -print_final_stats=1 -artifact_prefix=.build-fuzz/found/$$target- .build-fuzz/corpus/$$target fixtures/fuzz/$$target 2>&1) \
	    || { failed+=" $$target"; tail -n 40 <<<"$$said"; }
	  echo "fuzz $$target: $$(sed -n 's/^stat::number_of_executed_units: *//p' <<<"$$said") executions"
	done
	[ -z "$$failed" ] || { echo "the inputs that stopped$$failed are in .build-fuzz/found" >&2; exit 1; }

newest: release newest-packages ## run today's daemons of Debian stable and unstable, and say what the filters miss; DAEMONS="openssh nginx"
	@$(SUDO) Tests/Newest/newest --bailiff .build/release/bailiff $(DAEMONS)

bench: release bench-packages ## measure beside the peers: Benchmarks/results.md
	@$(SUDO) Benchmarks/run --keep

soak: release ## an hour of a busy log with rotations, reloads and questions: does anything grow?
	@$(SUDO) Benchmarks/soak

# With `make docs` before it also manual pages, completions, HTML and the parts list.
install: ## install the release below PREFIX (/usr/local); DESTDIR is put before it
	@[ -x .build/release/bailiff ] || { echo "nothing to install yet: run \`make release\` first" >&2; exit 1; }
	share="$(DESTDIR)$(PREFIX)/share"
	install -D -m 755 .build/release/bailiff "$(DESTDIR)$(PREFIX)/bin/bailiff"
	strip --strip-all --remove-section=.comment --remove-section=.note "$(DESTDIR)$(PREFIX)/bin/bailiff" # as debhelper does
	install -d -m 755 "$$share/bailiff/filters" "$$share/doc/bailiff" "$(DESTDIR)$(UNITDIR)" "$(DESTDIR)$(SYSCONFDIR)/bailiff/filters"
	install -m 644 filters/*.yaml "$$share/bailiff/filters"
	install -m 644 packaging/first-settings.yaml "$$share/bailiff"
	install -D -m 644 -t "$$share/bailiff/monitoring" packaging/monitoring/*
	install -m 644 *.md LICENSE docs/*.md "$$share/doc/bailiff"
	for unit in bailiff bailiff-sets; do
	  sed 's,/usr/bin/bailiff,$(PREFIX)/bin/bailiff,' systemd/$$unit.service > "$(DESTDIR)$(UNITDIR)/$$unit.service"
	  chmod 644 "$(DESTDIR)$(UNITDIR)/$$unit.service"
	done
	install -D -m 644 packaging/apparmor/bailiff "$(DESTDIR)$(SYSCONFDIR)/apparmor.d/bailiff"
	if [ -d .build/docs ]; then
	  for page in .build/docs/man/*/*; do install -D -m 644 "$$page" "$$share/man/$${page#.build/docs/man/}"; done
	  install -D -m 644 -t "$$share/doc/bailiff/html" .build/docs/html/*
	  install -D -m 644 -t "$$share/doc/bailiff" .build/docs/parts/*
	  install -m 644 -t "$$share/bailiff" .build/docs/schema/*
	  install -D -m 644 -t "$$share/bash-completion/completions" .build/docs/completions/bailiff
	  install -D -m 644 -t "$$share/fish/vendor_completions.d" .build/docs/completions/bailiff.fish
	  install -D -m 644 -t "$(DESTDIR)$(ZSHDIR)" .build/docs/completions/_bailiff
	fi
	[ -n "$(DESTDIR)" ] || echo "Installed. What is there to watch: bailiff run --dry-run. With $(SYSCONFDIR)/bailiff/bailiff.yaml written" \
	  "($(PREFIX)/share/bailiff/first-settings.yaml is one to begin with): systemctl daemon-reload && systemctl enable --now bailiff"

uninstall: ## remove what install installed; settings and the store stay
	@share="$(DESTDIR)$(PREFIX)/share"
	rm -f "$(DESTDIR)$(PREFIX)/bin/bailiff" "$(DESTDIR)$(UNITDIR)"/bailiff{,-sets}.service "$(DESTDIR)$(SYSCONFDIR)/apparmor.d/bailiff" \
	  "$$share"/man/man1/bailiff{,-*}.1 "$$share"/man/man5/bailiff{.yaml,-filter}.5 \
	  "$$share/bash-completion/completions/bailiff" "$$share/fish/vendor_completions.d/bailiff.fish" "$(DESTDIR)$(ZSHDIR)/_bailiff"
	rm -rf "$$share/bailiff" "$$share/doc/bailiff"

include packaging/packages.mk

clean: ## remove what was built
	@swift package clean
	rm -rf .build/demo .build-fuzz

swift:
	@command -v swift >/dev/null || { echo "Swift 6.3 or later is missing: https://www.swift.org/install/linux/" >&2; exit 1; }

build-packages:
	@$(call install_packages,$(BUILD_PACKAGES))

test-packages:
	@$(call install_packages,$(TEST_PACKAGES))

bench-packages:
	@$(call install_packages,$(BENCH_PACKAGES))

newest-packages:
	@$(call install_packages,debootstrap python3 util-linux iproute2)

# Installs those packages that are missing. None of them may start a service, now or at the next boot: what the tests need
# of sshd or fail2ban they start themselves, and on somebody's own machine they would be a surprise. A recipe of its own: it
# ends with `exit 0` where nothing is missing, and what stood below it would never run.
define install_packages
missing=
if ! command -v apt-get >/dev/null; then
  echo "This is not Debian; make sure that there is what these packages hold: $(1)" >&2
  exit 0
fi
for package in $(1); do
  [ "$$(dpkg-query -Wf '$${db:Status-Status}' "$$package" 2>/dev/null || true)" = installed ] || missing+=" $$package"
done
[ -n "$$missing" ] || exit 0
run="apt-get install --yes --no-install-recommends$$missing"
if [ -n "$(SUDO)" ] && ! command -v sudo >/dev/null; then
  echo "Packages are missing, and without sudo only root can install them: $$run" >&2
  exit 1
fi
echo "Installing$$missing"
enabled() { systemctl --root=/ list-unit-files --state=enabled --no-legend 2>/dev/null | cut -d ' ' -f 1 | sort; }
machine=$$(command -v systemctl || true) # without one nothing boots here, and nothing can be a surprise
before=$$(enabled || true)
guard=/usr/sbin/policy-rc.d
if [ ! -e $$guard ]; then
  trap '$(SUDO) rm -f '$$guard EXIT
  printf '#!/bin/sh\nexit 101\n' | $(SUDO) tee $$guard >/dev/null
  $(SUDO) chmod 755 $$guard
fi
$(SUDO) apt-get update
$(SUDO) env DEBIAN_FRONTEND=noninteractive $$run </dev/null
[ -z "$$machine" ] || for unit in $$(comm -13 <(echo "$$before") <(enabled || true)); do
  $(SUDO) systemctl --root=/ disable "$$unit"
done
endef
