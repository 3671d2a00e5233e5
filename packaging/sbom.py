#!/usr/bin/env python3
"""Writes what the program is made of as SPDX 2.3 (JSON): Swift packages and Swift's own libraries, which are linked into it,
and the system's shared libraries, which it loads; beside it the licences of what is linked into it, word for word. The build
says what was linked, so nothing can be forgotten here; a licence that is not among LICENCES ends with an error.

    sbom.py BUILD BAILIFF OUT       BUILD: .build; OUT/bailiff.spdx.json, OUT/licences.txt; SOURCE_DATE_EPOCH dates it
"""

import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

# What a licence file says about itself, and its SPDX name. Nothing under the GPL is linked or copied.
LICENCES = [
    ("Apache-2.0 WITH Swift-exception", r"Apache License\s+Version 2\.0[\s\S]*Runtime Library Exception"),
    ("Apache-2.0", r"Apache License\s+Version 2\.0"),
    ("MIT", r"Permission is hereby granted, free of charge"),
    ("ISC", r"Permission to use, copy, modify, and/or distribute"),
    ("BSD-3-Clause", r"Redistribution and use in source and binary forms[\s\S]*Neither the name"),
    ("BSD-2-Clause", r"Redistribution and use in source and binary forms"),
]


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def legal_files(directory, *names):
    return [file for name in names for file in sorted(directory.glob(name + "*")) if file.is_file()]


def licence(directory):
    for file in legal_files(directory, "LICENSE", "COPYING"):
        text = file.read_text(errors="replace")
        for name, pattern in LICENCES:
            if re.search(pattern, text):
                return name
    sys.exit(f"sbom.py: {directory} has no licence that is known here")


def linked_packages(build):
    """The checkouts of which an object file is linked: identity to directory."""
    objects = (build / "release/bailiff.product/Objects.LinkFileList").read_text().split()
    directories = {re.match(r"(.*/release/[^/]+\.build)/", o).group(1) for o in objects if "/release/" in o}
    packages = {}
    for directory in map(pathlib.Path, sorted(directories)):
        # Swift targets list their sources; a C object has its dependencies beside it.
        listed = directory / "sources"
        told = listed if listed.exists() else next(directory.rglob("*.d"), None)
        match = told and re.search(r"/checkouts/([^/\s]+)/", told.read_text())
        if match:
            packages[match.group(1).lower()] = build / "checkouts" / match.group(1)
    return packages


def swift_packages(build):
    linked = linked_packages(build)
    state = json.loads((build / "workspace-state.json").read_text())
    for dependency in sorted(state["object"]["dependencies"], key=lambda d: d["packageRef"]["identity"]):
        directory = linked.pop(dependency["subpath"].lower(), None)
        if directory is None:
            continue
        reference, checkout = dependency["packageRef"], dependency["state"]["checkoutState"]
        url = reference["location"].removesuffix(".git")
        version = checkout.get("version", checkout["revision"])
        yield dict(
            name=reference["name"], version=version, licence=licence(directory), relationship="STATIC_LINK",
            legal=legal_files(directory, "LICENSE", "COPYING", "NOTICE"),
            location=f"git+{url}.git@{checkout['revision']}",
            purl=f"pkg:swift/{url.removeprefix('https://')}@{version}")
    if linked:
        sys.exit(f"sbom.py: linked, but not among the package's dependencies: {', '.join(linked)}")


def swift_runtime():
    version = re.search(r"Swift version (\S+)", run("swift", "--version")).group(1)
    return dict(
        name="swift", version=version, licence="Apache-2.0 WITH Swift-exception", relationship="STATIC_LINK",
        location=f"git+https://github.com/swiftlang/swift.git@swift-{version}-RELEASE",
        purl=f"pkg:github/swiftlang/swift@swift-{version}-RELEASE")


def shared_libraries(bailiff):
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", run("readelf", "--dynamic", "--wide", bailiff))
    paths = dict(re.findall(r"(?m)^\s*(\S+) => (\S+)", run("ldd", bailiff)))
    for soname in sorted(needed):
        # The loader's own path may lead through a link that no package owns.
        path = paths.get(soname)
        if path is None:
            continue
        owner = next(
            (found for candidate in (path, os.path.realpath(path), "/usr" + path, "/usr" + os.path.realpath(path))
             if (found := subprocess.run(["dpkg-query", "--search", candidate], capture_output=True, text=True)).returncode == 0),
            None)
        if owner is None:
            sys.exit(f"sbom.py: no package owns {path}")
        package = owner.stdout.split(":")[0]
        version, source = run("dpkg-query", "--show", "--showformat", "${Version} ${source:Package}", package).split()
        yield dict(
            name=soname, version=version, licence="NOASSERTION", relationship="DYNAMIC_LINK", location="NOASSERTION",
            purl=f"pkg:deb/debian/{package}@{version}",
            comment=f"Not part of the package: the system's, here from {package} (source {source}).")


def entry(part):
    identifier = "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", part["name"])
    package = {
        "SPDXID": identifier,
        "name": part["name"],
        "versionInfo": part["version"],
        "downloadLocation": part["location"],
        "filesAnalyzed": False,
        "licenseConcluded": part["licence"],
        "licenseDeclared": part["licence"],
        "copyrightText": "NOASSERTION",
    }
    if "purl" in part:
        package["externalRefs"] = [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": part["purl"]}]
    if "comment" in part:
        package["comment"] = part["comment"]
    return package


def licence_texts(parts):
    """Every text once, under the names of those that it covers."""
    covers = {}
    for part in parts:
        for file in part.get("legal", []):
            covers.setdefault(file.read_text(errors="replace").strip(), []).append(f"{part['name']} ({file.name})")
    rule = "=" * 78
    return "".join(f"{rule}\n{', '.join(names)}\n{rule}\n\n{text}\n\n" for text, names in covers.items())


def main():
    build, bailiff, out = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
    version = run(bailiff, "--version").strip()
    parts = [*swift_packages(build), swift_runtime(), *shared_libraries(bailiff)]
    main_package = entry(dict(name="bailiff", version=version, licence="Apache-2.0", location="NOASSERTION"))
    packages = [main_package, *map(entry, parts)]
    relationships = [("SPDXRef-DOCUMENT", "DESCRIBES", main_package["SPDXID"])] + [
        (main_package["SPDXID"], part["relationship"], package["SPDXID"]) for part, package in zip(parts, packages[1:])]
    identity = hashlib.sha256(json.dumps(packages, sort_keys=True).encode()).hexdigest()
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", "0"))))
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"bailiff-{version}",
        "documentNamespace": f"https://spdx.org/spdxdocs/bailiff-{version}-{identity}",
        "creationInfo": {"created": created, "creators": ["Tool: bailiff-sbom.py"]},
        "packages": packages,
        "relationships": [
            {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
            for one, kind, other in relationships],
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "bailiff.spdx.json").write_text(json.dumps(document, indent=1) + "\n")
    (out / "licences.txt").write_text(licence_texts(parts))


if __name__ == "__main__":
    main()
