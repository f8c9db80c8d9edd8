"""docker/Dockerfile: what is in the image, who runs in it, and where that user writes."""

import re
import shutil
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from installed import build

from settings import ROOT

TEXT = (ROOT / "docker/Dockerfile").read_text()
STAGES = re.split(r"^FROM ", TEXT, flags=re.MULTILINE)[1:]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("foretick:")]
NAME = "foretick:tested"
IGNORED = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]


def of_the_context() -> list[str]:
    """Return the tracked files that .dockerignore lets into a build: all but those below the names it takes back."""
    assert IGNORED[0] == "*"
    taken = {line[1:] for line in IGNORED if line.startswith("!")}
    assert all("/" not in name and "*" not in name for name in taken)
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.splitlines() if name.partition("/")[0] in taken and (ROOT / name).exists()]


def wheel(project: Path, folder: Path) -> dict[str, int]:
    """Return the sizes of a wheel's files."""
    folder.mkdir()
    return {one.filename: one.file_size for one in zipfile.ZipFile(build(project, folder)).infolist()}


@pytest.mark.slow
def test_the_wheel_built_of_what_docker_is_given_is_the_checkout_s(tmp_path: Path) -> None:
    names = of_the_context()
    for name in names:
        (tmp_path / "context" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / "context" / name)
    assert wheel(tmp_path / "context", tmp_path / "one") == wheel(ROOT, tmp_path / "two")
    assert not {"tests", "bench", "docs", ".git"} & {name.partition("/")[0] for name in names}


def test_what_is_in_the_image_is_built_of_hashes_and_left_without_the_tools_that_built_it() -> None:
    (last,) = STAGES[2:]
    assert STAGES[1].startswith("base AS builder\n")
    assert STAGES[1].count("--require-hashes") == 3
    assert re.findall(r"^(?:COPY|ADD) (.+)$", last, re.MULTILINE) == ["--from=builder /opt/foretick /opt/foretick"]
    assert not re.search(r"\b(uv|pip|apt-get)\b", last)
    for name in re.findall(r"^COPY (\S+\.(?:lock|txt))", TEXT, re.MULTILINE):
        assert (ROOT / name.replace("${PACKAGES}", "default")).exists()


def test_its_user_is_a_number_and_not_root() -> None:
    assert re.findall(r"^USER (.+)$", TEXT, re.MULTILINE) == ["10001:10001"]


def test_its_labels_are_the_project_s() -> None:
    labels = dict(re.findall(r'org\.opencontainers\.image\.([a-z.]+)="([^"]*)"', TEXT))
    defaults = dict(re.findall(r"^ARG (\w+)=(\S+)$", STAGES[2], re.MULTILINE))
    assert labels == {
        "title": "Foretick",
        "description": PROJECT["description"],
        "version": "${VERSION}",
        "revision": "${REVISION}",
        "licenses": PROJECT["license"],
        "base.name": STAGES[0].split(" ")[0],
    }
    assert defaults == {"VERSION": PROJECT["version"], "REVISION": "unknown"}


@pytest.mark.parametrize("name", OURS)
def test_a_service_writes_on_its_volumes_and_in_memory_only(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - of the container
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("user", "10001") == ("0:0" if name == "secrets" else "10001")
    written = {volume.split(":")[1] for volume in service["volumes"] if not volume.endswith(":ro")}
    assert written == ({"/secrets"} if name == "secrets" else {"/data"})


def test_libraries_write_where_the_user_may() -> None:
    named = dict(re.findall(r"([A-Z_]+)=(\S+)", TEXT[TEXT.index("ENV FORETICK_HOME") : TEXT.index("VOLUME")]))
    folders = {name: path for name, path in named.items() if path.startswith("/")}
    assert folders.keys() == {"FORETICK_HOME", "NUMBA_CACHE_DIR", "HOME", "MPLCONFIGDIR"}
    assert all(path.startswith(("/data", "/tmp")) for path in folders.values())  # noqa: S108 - likewise
    assert named["PYTHONDONTWRITEBYTECODE"] == "1"


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_the_image_runs_with_a_root_file_system_that_is_read_only() -> None:
    """It takes minutes, and a Docker engine that has the base image or can fetch it."""
    if shutil.which("docker") is None or docker("info").returncode:
        pytest.skip("no Docker engine answers")
    built = docker("build", "--quiet", "--file", "docker/Dockerfile", "--tag", NAME, ".")
    assert built.returncode == 0, built.stderr
    confined = ("run", "--rm", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL")  # noqa: S108 - likewise
    version = docker(*confined, NAME, "--version")
    assert version.stdout == f"foretick {PROJECT['version']}\n", version.stderr
    imported = docker(*confined, "--entrypoint", "python", NAME, "-m", "stack.bytecode")
    assert (imported.returncode, imported.stderr) == (0, "")
    tools = docker(
        *confined, "--entrypoint", "sh", NAME, "-c", "command -v uv; ls -d /build /opt/uv /root/.cache; id -u"
    )
    assert tools.stdout == "10001\n"


def docker(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run Docker's command in the checkout."""
    return subprocess.run(["docker", *words], cwd=ROOT, capture_output=True, text=True, check=False)
