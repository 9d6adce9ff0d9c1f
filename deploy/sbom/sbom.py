#!/usr/bin/env python3
"""The bill of materials of Weir, CycloneDX 1.5 as JSON, from Cargo.lock. Python 3.11's standard library only.

    sbom.py [CARGO.LOCK] > weir.cdx.json

Development dependencies are in the lock as well, so the list is what may be in the binary, not less. No time and no
random id: the same lock gives the same file.
"""

import hashlib
import json
import pathlib
import sys
import tomllib
import uuid

LOCK = pathlib.Path(__file__).resolve().parents[2] / "Cargo.lock"
ROOT = "weir-gateway"


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package):
    entry = {"type": "library", "bom-ref": purl(package), "name": package["name"], "version": package["version"]}
    entry["purl"] = purl(package)
    if "checksum" in package:
        entry["hashes"] = [{"alg": "SHA-256", "content": package["checksum"]}]
    return entry


def find(packages, reference):
    """A dependency is "name", or "name version" where there are several."""
    name, _, rest = reference.partition(" ")
    version = rest.split(" ")[0]
    found = [p for p in packages if p["name"] == name and version in ("", p["version"])]
    if len(found) != 1:
        raise ValueError(f"{reference}: {len(found)} packages in the lock")
    return found[0]


def bill(text):
    packages = tomllib.loads(text)["package"]
    root = find(packages, ROOT)
    digest = hashlib.sha256(text.encode()).digest()
    needs = [
        {"ref": purl(p), "dependsOn": sorted({purl(find(packages, d)) for d in p.get("dependencies", [])})}
        for p in packages
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=4)}",
        "version": 1,
        "metadata": {"component": {**component(root), "type": "application", "name": "weir"}},
        "components": [component(p) for p in packages if p is not root],
        "dependencies": needs,
    }


if __name__ == "__main__":
    lock = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else LOCK
    print(json.dumps(bill(lock.read_text()), indent=1))
