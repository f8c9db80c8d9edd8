"""Lists what is installed as a software bill of materials, in CycloneDX 1.6: `python -m stack.sbom > sbom.json`.

The packages of a lock, each with the SHA-256 of its files there, and the jars of our Kafka. No clock is read: the same
lock gives the same list.
"""

import argparse
import importlib.metadata
import json
import sys
from collections.abc import Iterator
from typing import Any

from packaging.requirements import Requirement

from settings.version import package_version
from stack import jars
from stack.packages import FOLDER, SETS

HASH = "--hash=sha256:"
MARKER = "foretick:marker"
"""The property with the environments in which a package is installed, as the lock says it."""


def sbom(name: str) -> dict[str, Any]:
    """Return the list for the lock of that name."""
    subject = _component("application", f"pkg:pypi/foretick@{package_version()}", "foretick", package_version())
    if licence := _licence("foretick", package_version()):
        subject["licenses"] = [{"expression": licence}]
    components = [*_packages((FOLDER / f"{name}.lock").read_text(encoding="utf-8")), *_jars()]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": subject},
        "components": components,
    }


def _packages(lock: str) -> Iterator[dict[str, Any]]:
    """Yield the entries of a lock: a requirement, and below it a hash for each of its files."""
    for entry in lock.replace("\\\n", " ").splitlines():
        requirement, *hashes = (part.strip() for part in entry.split(HASH))
        if not requirement or requirement.startswith("#"):
            continue
        pinned = Requirement(requirement)
        version = str(pinned.specifier).removeprefix("==")
        purl = f"pkg:pypi/{pinned.name}@{version}"
        result = _component("library", purl, pinned.name, version)
        if licence := _licence(pinned.name, version):
            result["licenses"] = [{"expression": licence}]
        result["externalReferences"] = [_files(purl, hashes)]
        if pinned.marker is not None:
            result["properties"] = [{"name": MARKER, "value": str(pinned.marker)}]
        yield result


def _jars() -> Iterator[dict[str, Any]]:
    """Yield Kafka's jars; who names a Kafka of their own has none of them."""
    for line in jars.LIST.read_text(encoding="utf-8").splitlines():
        coordinate, digest = line.split()
        group, name, version = coordinate.split(":")
        purl = f"pkg:maven/{group}/{name}@{version}"
        result = _component("library", purl, name, version)
        yield result | {"group": group, "scope": "optional", "externalReferences": [_files(purl, [digest])]}


def _component(kind: str, purl: str, name: str, version: str) -> dict[str, Any]:
    return {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl}


def _files(purl: str, hashes: list[str]) -> dict[str, Any]:
    """Return the hashes of a version's files. They are named by its package URL: a lock has no other address."""
    return {"type": "distribution", "url": purl, "hashes": [{"alg": "SHA-256", "content": one} for one in hashes]}


def _licence(name: str, version: str) -> str | None:
    """Return the SPDX expression of a package that is installed in that version, None if it tells none."""
    try:
        here = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    told = "License-Expression" in here and here["Version"] == version
    return here["License-Expression"] if told else None


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m stack.sbom", description="Print the bill of materials.")
    parser.add_argument(
        "set", nargs="?", default="default", choices=SETS, help="whose lock; an installed one has default"
    )
    json.dump(sbom(parser.parse_args().set), sys.stdout, indent=1)
    sys.stdout.write("\n")
