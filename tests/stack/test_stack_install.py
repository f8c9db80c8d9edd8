"""./foretick installs packages: from real indexes on loopback, by the real uv, into a checkout of a few small files."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from installed import uv
from package_index import Index, serving, wheel

from settings import ROOT
from stack import fetching

pytestmark = pytest.mark.slow

BACKEND = '''
"""Installs this checkout as an editable package with one command."""
import zipfile
from pathlib import Path

def build_editable(folder, config_settings=None, metadata_directory=None):
    info = "foretick-1.dist-info"
    files = {
        "foretick.pth": str(Path.cwd()) + "\\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\\nName: foretick\\nVersion: 1\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        f"{info}/entry_points.txt": "[console_scripts]\\nforetick = command:run\\n",
    }
    name = "foretick-1-py3-none-any.whl"
    with zipfile.ZipFile(Path(folder) / name, "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{path},,\\n" for path in files) + f"{info}/RECORD,,\\n")
    return name
'''
PROJECT = """
[project]
name = "foretick"
version = "1"
requires-python = ">=3.11"
dependencies = ["small"]
[project.optional-dependencies]
live = ["venues"]
networks = ["torch"]
tests = ["other"]
[dependency-groups]
dev = ["linter"]
site = ["pages"]
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
COMMAND = """
def run():
    import torch, helper
    print(torch.__version__, helper.__version__)
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the real script, and a project whose command prints versions."""
    folder = tmp_path / "checkout"
    for name in ("foretick", "stack/__init__.py", "stack/fetching.py", "requirements/compile.sh"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / "features").mkdir()
    for name, text in (
        ("stack/bytecode.py", ""),
        ("stack/kafka_classes.py", 'raise SystemExit("not made")\n'),
        ("features/__init__.py", ""),
        ("features/__main__.py", ""),
        ("backend.py", BACKEND),
        ("command.py", COMMAND),
        ("pyproject.toml", PROJECT),
        ("requirements/sizes", "default 6.0 MB\nnetworks 9.9 GB\ntests 9.9 GB\n"),
    ):
        (folder / name).write_text(text)
    return folder


def typed(checkout: Path, command: Sequence[str], index: str, **more: str) -> "subprocess.CompletedProcess[str]":
    """Type a command in a checkout, with an index instead of PyPI and an empty cache; standard error is no terminal."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "FORETICK_", "PIP_"))}
    environment = clean | {
        "PATH": f"{uv().parent}{os.pathsep}{os.environ['PATH']}",
        "UV_DEFAULT_INDEX": index,
        "UV_CACHE_DIR": str(checkout.parent / "cache"),
        "UV_NO_CONFIG": "1",
        "UV_HTTP_RETRIES": "0",
    }
    environment.pop("PYTHONPATH", None)
    return subprocess.run(
        command, cwd=checkout, env=environment | more, capture_output=True, text=True, check=False, timeout=120
    )


def test_without_a_terminal_it_says_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """12 MB, at 1.5 MB a second and package; uv writes what has come down by the MB."""
    monkeypatch.setattr(fetching, "EVERY_S", 0.3)
    lines: list[str] = []
    environment, cache, lock = tmp_path / "venv", tmp_path / "cache", tmp_path / "lock"
    with serving(*(wheel(name, "1.0", 4_000_000) for name in ("one", "two", "three")), pace=1_500_000) as index:
        lock.write_text(index.locked())
        fields = {"UV_DEFAULT_INDEX": index.url, "UV_CACHE_DIR": str(cache), "VIRTUAL_ENV": str(environment)}
        for name, value in fields.items():
            monkeypatch.setenv(name, value)
        subprocess.run([uv(), "venv", "--quiet", environment], check=True)
        folders = fetching.Folders(cache, environment)
        command = [str(uv()), "pip", "sync", "--quiet", "--require-hashes", str(lock)]
        assert fetching.run(command, folders.before + 12_000_000, folders, lines.append) == 0
        assert fetching.run([*command, "--no-such"], None, folders, lines.append) == 2
    matches = [re.fullmatch(r"packages: (\d+) MB of 12 MB after \d+ s(|, .+)", line) for line in lines]
    assert all(matches), lines
    come = [int(one[1]) for one in matches if one]
    assert come == sorted(come)
    assert len({one for one in come if 0 < one < 12}) > 1, lines  # while it came, and not only at its end
    assert [line for line in lines if re.search(r", about \d+ s left$", line)], lines
    assert folders.done() - folders.before >= 12_000_000


def test_the_time_left_follows_from_what_was_downloaded() -> None:
    assert fetching.line(400e6, 300e6, 1.2e9, 30.0) == "packages: 400 MB of 1.2 GB after 30 s, about 80 s left"
    assert fetching.line(3e9, 3e9, None, 20.0) == "packages: 3.0 GB after 20 s"
    assert fetching.line(0, 0, 1.2e9, 5.0) == "packages: 0 MB of 1.2 GB after 5 s, nothing has come yet"
    assert fetching.line(1.3e9, 1.3e9, 1.2e9, 50.0) == "packages: 1.3 GB of 1.2 GB after 50 s, nearly all"
    assert [fetching.size_of(text) for text in ("1.2 GB", "?")] == [1.2e9, None]


@pytest.mark.slow
def test_the_command_says_how_far_it_is(checkout: Path) -> None:
    with serving(wheel("small", "1.0", 6_000_000), pace=600_000) as index:
        (checkout / "requirements/default.lock").write_text(index.locked())
        done = typed(checkout, ["./foretick", "install"], index.url)
    lines = re.findall(r"^foretick: packages: [1-5] MB of 6 MB after \d+ s, about \d+ s left$", done.stderr, re.M)
    assert lines, done.stderr


@pytest.fixture
def locked(checkout: Path) -> Path:
    """A checkout whose locks are of two indexes, as that of torch for CPUs is another than PyPI."""
    with ordinary() as index:
        text = index.locked().splitlines(keepends=True)
    small = [line for line in text if line.startswith("small==")]
    (checkout / "requirements/default.lock").write_text("".join(small))
    (checkout / "requirements/networks.lock").write_text("".join(line for line in text if "helper==2" not in line))
    return checkout


def ordinary() -> AbstractContextManager[Index]:
    """Serve what PyPI has: torch as the lock has it, and a helper of which a newer version is there."""
    return serving(
        wheel("small", "1.0"),
        wheel("torch", "2.1.0", needs=("helper",)),
        wheel("helper", "1.0"),
        wheel("helper", "2.0"),
    )


def of_cpu() -> AbstractContextManager[Index]:
    return serving(
        wheel("torch", "2.1.0+cpu", needs=("helper",)),
        wheel("torch", "2.1.0+cu9", needs=("helper",)),
        wheel("helper", "1.0", 7),
    )


def test_torch_for_cpu_comes_from_its_index_and_all_else_from_the_ordinary_one(locked: Path) -> None:
    with ordinary() as index, of_cpu() as torch:
        command = ["./foretick", "install", "networks", "--cpu"]
        done = typed(locked, command, index.url, FORETICK_TORCH_INDEX=torch.url)
        assert done.returncode == 0, done.stderr
        assert done.stdout == "2.1.0+cpu 1.0\n"
        assert torch.taken == ["torch-2.1.0+cpu-py3-none-any.whl"]
        assert sorted(index.taken) == ["helper-1.0-py3-none-any.whl", "small-1.0-py3-none-any.whl"]
    assert (locked / ".venv/foretick.packages").read_text().split()[:2] == ["networks", "cpu"]


@contextmanager
def closed() -> Iterator[str]:
    """Hold a port at which nobody listens, and return its address."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.mark.parametrize("own", [True, False], ids=["an index of one's own", "the makers'"])
def test_an_index_that_is_not_reached_is_one_line(locked: Path, own: bool) -> None:
    with ordinary() as index, closed() as nowhere:
        # By a proxy that is not there, uv reaches nothing by https.
        more = {"FORETICK_TORCH_INDEX": nowhere} if own else {"HTTPS_PROXY": nowhere}
        done = typed(locked, ["./foretick", "install", "networks", "--cpu"], index.url, **more)
    place = nowhere if own else "where uv's --torch-backend cpu looks"
    assert done.returncode == 3, done.stderr
    assert done.stderr.splitlines()[-1] == (
        f"foretick: torch==2.1.0+cpu could not be had from {place} (uv's own words are above); is it reached? "
        "FORETICK_TORCH_INDEX=URL names another index, and ./foretick install networks takes the torch of the lock"
    )
    assert not (locked / ".venv/foretick.packages").exists()


def test_an_ordinary_index_that_is_not_reached_is_one_line(locked: Path) -> None:
    with closed() as nowhere:
        done = typed(locked, ["./foretick", "install"], nowhere)
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1] == (
        "foretick: the packages could not be installed (uv's own words are above); is the network up? "
        "UV_DEFAULT_INDEX names another index than PyPI"
    )


def test_the_locks_are_compiled(checkout: Path) -> None:
    wheels = wheel("small", "1.0"), wheel("torch", "2.1.0", needs=("helper",)), wheel("helper", "1.0")
    more = wheel("other", "3.0"), wheel("venues", "4.0"), wheel("linter", "5.0"), wheel("pages", "6.0")
    uv = wheel("uv", "0.9")
    with serving(*wheels, *more, uv) as index:
        done = typed(checkout, ["sh", "requirements/compile.sh"], index.url)
    assert done.returncode == 0, done.stderr
    values = {path.stem: path.read_text() for path in (checkout / "requirements").glob("*.lock")}
    packages = {
        name: re.findall(r"^([\w.]+==[\w.]+) \\\n +--hash=sha256:", text, re.M) for name, text in values.items()
    }
    assert packages == {
        "default": ["small==1.0", "venues==4.0"],
        "installer": ["uv==0.9"],
        "networks": ["helper==1.0", "small==1.0", "torch==2.1.0", "venues==4.0"],
        "tests": [
            "helper==1.0",
            "linter==5.0",
            "other==3.0",
            "pages==6.0",
            "small==1.0",
            "torch==2.1.0",
            "venues==4.0",
        ],
    }


def test_a_uv_of_another_hash_than_the_locked_is_not_installed(checkout: Path) -> None:
    """Only where there is none yet: PATH has the system's programs alone."""
    (checkout / "requirements/default.lock").write_text("")
    (checkout / "requirements/installer.lock").write_text("uv==0.9 \\\n    --hash=sha256:" + "0" * 64 + "\n")
    folder = checkout.parent / "programs"
    folder.mkdir()
    (folder / "python3").symlink_to(Path(sys.executable).resolve())
    for name in ("sh", "dirname", "readlink", "cat", "sha256sum", "cut", "mkdir", "flock", "sed", "id", "date"):
        (folder / name).symlink_to(str(shutil.which(name)))
    with serving(wheel("uv", "0.9")) as index:
        done = typed(checkout, ["./foretick", "install"], index.url, PATH=str(folder), PIP_INDEX_URL=index.url)
    assert done.returncode == 3
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in done.stderr
    assert "foretick: pip could not install uv" in done.stderr
