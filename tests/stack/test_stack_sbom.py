"""The bill of materials has every pinned package and jar, with the hashes by which they are installed."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest

from settings import ROOT
from stack import jars, packages
from stack.sbom import MARKER, sbom

NAMES = list(packages.SETS)
PINNED = re.compile(r"^(\S+)==(\S+)(?: ; (.+?))? \\\n((?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)
"""An entry of a lock: name, version, marker and hashes."""


def components(name: str) -> dict[str, dict[str, Any]]:
    found = sbom(name)["components"]
    assert len({one["bom-ref"] for one in found}) == len(found)
    return {one["purl"]: one for one in found}


def hashes(component: dict[str, Any]) -> list[str]:
    (files,) = component["externalReferences"]
    assert {one["alg"] for one in files["hashes"]} == {"SHA-256"}
    return [one["content"] for one in files["hashes"]]


@pytest.mark.parametrize("name", NAMES)
def test_each_pinned_package_is_in_it_with_its_hashes(name: str) -> None:
    text, found = (packages.FOLDER / f"{name}.lock").read_text(), components(name)
    entries = PINNED.findall(text)
    assert len(entries) == len(re.findall(r"^\S+==", text, re.MULTILINE)) > 150
    assert {purl for purl in found if purl.startswith("pkg:pypi/")} == {
        f"pkg:pypi/{one}@{version}" for one, version, *_ in entries
    }
    for package, version, marker, lines in entries:
        component = found[f"pkg:pypi/{package}@{version}"]
        assert hashes(component) == re.findall(r"[0-9a-f]{64}", lines)
        told = [one["value"] for one in component.get("properties", ()) if one["name"] == MARKER]
        assert [one.replace('"', "'") for one in told] == ([marker] if marker else [])


def test_each_jar_is_in_it() -> None:
    found = components("default")
    listed = dict(line.split() for line in jars.LIST.read_text().splitlines())
    there = {purl: one for purl, one in found.items() if purl.startswith("pkg:maven/")}
    assert {f"{one['group']}:{one['name']}:{one['version']}": hashes(one) for one in there.values()} == {
        coordinate: [digest] for coordinate, digest in listed.items()
    }


def test_it_is_foretick_s_in_this_version_and_names_no_registry() -> None:
    made = sbom("default")
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    assert made["metadata"]["component"]["purl"].startswith("pkg:pypi/foretick@")
    assert "://" not in json.dumps(made)
    assert any("licenses" in one for one in made["components"])


@pytest.mark.slow
def test_the_command_prints_it() -> None:
    done = subprocess.run([sys.executable, "-m", "stack.sbom"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == sbom("default")
