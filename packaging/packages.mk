# Packages for servers, which need neither Swift nor a compiler then.

# What makes them (Debian's names).
PACKAGING_PACKAGES := python3 cmark-gfm dpkg-dev debhelper dh-apparmor lintian rpm rpmlint xz-utils mandoc apparmor
PACKAGES := .build/packages
VERSION = $(or $(PACKAGE_VERSION),$(shell .build/release/bailiff --version))

# Dates everything that is packed, so that the same source makes the same bytes.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y Package.swift)

.PHONY: docs deb rpm tarball packages-lint packages-test packages-test-packages packaging-packages

docs: release packaging-packages ## make manual pages, completions, HTML and the parts list (SPDX): .build/docs
	@packaging/docs/build .build/release/bailiff .build/docs
	packaging/sbom.py .build .build/release/bailiff .build/docs/parts

deb: docs ## build the package for Debian and Ubuntu: .build/packages
	@packaging/debian/build "$(VERSION)" "$(CURDIR)/$(PACKAGES)"

rpm: docs ## build the package for Fedora and its kin: .build/packages
	@packaging/rpm/build "$(VERSION)" "$(CURDIR)/$(PACKAGES)"

tarball: docs ## build an archive with an installer for other systems: .build/packages
	@packaging/tarball/build "$(VERSION)" "$(CURDIR)/$(PACKAGES)"

# Errors and warnings end it; what is overridden is explained where it is.
packages-lint: deb rpm ## check the packages by lintian and rpmlint, the manual pages by mandoc, the profile by apparmor_parser
	@lintian --fail-on error,warning --allow-root $(PACKAGES)/bailiff_$(VERSION)_*.deb
	rpmlint --config packaging/rpm/rpmlint.toml $(PACKAGES)/bailiff-$(VERSION)-*.rpm
	apparmor_parser --skip-kernel-load --skip-cache packaging/apparmor/bailiff
	mandoc -T lint -W warning .build/docs/man/*/*

packages-test-packages:
	@$(call install_packages,$(PACKAGES_TEST_PACKAGES))

packaging-packages:
	@$(call install_packages,$(PACKAGING_PACKAGES))

# Fresh Debian systems with a real systemd, in containers; needs root and a network that reaches Debian's mirror.
TEST_RELEASES ?= bookworm trixie
PACKAGES_TEST_PACKAGES := debootstrap systemd-container iproute2 util-linux cpio python3-venv

packages-test: deb rpm tarball packages-lint packages-test-packages ## install, attack, upgrade, reboot, remove and purge them on fresh systems (minutes)
	@export MAKEFLAGS=
	architecture=$$(dpkg --print-architecture)
	deb="$(PACKAGES)/bailiff_$(VERSION)_$$architecture.deb"
	Tests/Packages/reproducible "$(VERSION)" "$(PACKAGES)"
	packaging/debian/build "$(VERSION)~before" "$(CURDIR)/$(PACKAGES)"
	$(SUDO) Tests/Packages/run "$$deb" "$(PACKAGES)/bailiff_$(VERSION)~before_$$architecture.deb" $(TEST_RELEASES)
	system=$(PACKAGES)/roots/$(firstword $(TEST_RELEASES))/system
	$(SUDO) Tests/Packages/others "$$deb" $(PACKAGES)/bailiff-$(VERSION)-1.*.rpm $(PACKAGES)/bailiff-$(VERSION)-linux-*.tar.gz $$system
	$(SUDO) Tests/Packages/ansible "$$deb" $$system
	Tests/Packages/schema .build/release/bailiff
