"""Nobody else reads what the stack writes."""

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from stacks import Servers

from settings.home import private, tighten
from stack.postgres import SERVER_USER, data_folder

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can act as another user")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_home_of_an_older_version_is_closed_and_so_is_what_lies_in_it(tmp_path: Path) -> None:
    home, outside = tmp_path / "home", tmp_path / "outside"
    (home / "redis" / "appendonlydir").mkdir(parents=True)
    (home / "redis" / "appendonlydir" / "base.aof").write_text("")
    outside.mkdir()
    (outside / "file").write_text("")
    (home / "models").symlink_to(outside)
    for path in (home, outside, *home.rglob("*")):
        path.chmod(0o755)
    (outside / "file").chmod(0o644)
    private(home)
    tighten(home)
    for path in (home, *home.rglob("*")):
        assert path.is_symlink() or mode(path) == 0o700, path
    assert (mode(outside), mode(outside / "file")) == (0o755, 0o644)


def test_a_home_is_made_closed(tmp_path: Path) -> None:
    private(tmp_path / "a" / "home")
    assert mode(tmp_path / "a" / "home") == 0o700


def below(folder: Path) -> Iterator[Path]:
    """Give each file and folder, into no link."""
    for path in folder.iterdir():
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from below(path)


@pytest.mark.services
def test_every_file_of_the_servers_is_the_owners_alone(servers: Servers) -> None:
    assert mode(servers.home) == (0o710 if os.getuid() == 0 else 0o700)
    results = [path for path in below(servers.home) if not path.is_symlink() and path.name != "supervisor.log"]
    assert {"kafka", "postgres", "redis", "logs", "state.json", "redis.password"} <= {path.name for path in results}
    assert [path for path in results if mode(path) & 0o077] == []


@pytest.mark.services
@as_root
@pytest.mark.parametrize("user", ["nobody", SERVER_USER])
def test_another_user_sees_nothing_of_the_home(servers: Servers, user: str) -> None:
    """Also not the one that PostgreSQL runs as: it passes through, to its own folder."""
    files = ("addresses.json", "redis.password", "state.json", "redis/redis.conf", "logs/kafka.log", "kafka/data")
    tries = "; ".join(f"ls {servers.home}/{file} && cat {servers.home}/{file}" for file in ("", *files))
    command = ["setpriv", f"--reuid={user}", f"--regid={user if user == SERVER_USER else 'nogroup'}", "--clear-groups"]
    done = subprocess.run([*command, "sh", "-c", tries], capture_output=True, text=True, check=False, cwd="/")
    listed = [line for line in done.stdout.splitlines() if not line.startswith(f"{servers.home}/")]
    assert listed == []
    assert done.stderr.count("Permission denied") >= len(files)


@as_root
def test_a_cluster_stays_where_it_is_when_a_folder_above_it_is_closed(tmp_path: Path) -> None:
    """It was looked for elsewhere, and an empty one made there."""
    home = tmp_path / "closed" / "home"
    home.mkdir(parents=True)
    home.parent.chmod(0o700)
    assert data_folder(home) != home / "postgres"
    (home / "postgres").mkdir()
    assert data_folder(home) == home / "postgres"
