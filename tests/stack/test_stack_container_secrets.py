"""The passwords of docker-compose.yml's servers: random, kept, each for its reader, and taken by the servers."""

import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import redis
import yaml
from psycopg.conninfo import conninfo_to_dict

from settings import ROOT
from stack.addresses import HOST, is_free
from stack.container_secrets import SERVERS, Owners, write
from stack.port_reservation import reserve

SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
OURS = Owners(foretick=os.geteuid(), redis=os.geteuid())
COMMAND = [sys.executable, "-m", "stack.container_secrets"]
SIGNS = """a"b'c\\d#e:f/g@h%i?j$k"""


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text().strip() for path in folder.iterdir()}


def test_each_password_is_random_and_the_same_at_the_next_start(tmp_path: Path) -> None:
    for home in ("one", "two"):
        (tmp_path / home).mkdir()
        write(tmp_path / home, {}, OURS)
    first = files(tmp_path / "one")
    passwords = {files(tmp_path / home)[f"{server}.password"] for home in ("one", "two") for server in SERVERS}
    assert len(passwords) == 2 * len(SERVERS)
    assert min(map(len, passwords)) == 48
    write(tmp_path / "one", {}, OURS)
    assert files(tmp_path / "one") == first


def test_each_address_has_the_password_of_its_server(tmp_path: Path) -> None:
    write(tmp_path, {"FORETICK_REDIS_PASSWORD": SIGNS, "FORETICK_DATABASE_PASSWORD": SIGNS}, OURS)
    written = files(tmp_path)
    assert written["redis.password"] == written["database.password"] == SIGNS
    database = conninfo_to_dict(written["database.url"])
    assert (database["host"], database["user"], database["password"]) == ("database", "foretick", SIGNS)
    for server, user in (("redis", "default"), ("mlflow", "foretick")):
        parts = urlsplit(written[f"{server}.url"])
        assert (parts.hostname, parts.username) == (server, user)
        assert unquote(parts.password or "") == written[f"{server}.password"]


def test_a_given_password_counts_before_the_random_one_until_another_is_given(tmp_path: Path) -> None:
    write(tmp_path, {}, OURS)
    write(tmp_path, {"FORETICK_GRAFANA_PASSWORD": "given", "FORETICK_MLFLOW_PASSWORD": ""}, OURS)
    assert files(tmp_path)["grafana.password"] == "given"
    write(tmp_path, {}, OURS)
    assert files(tmp_path)["grafana.password"] == "given"


@pytest.mark.parametrize("text", ["two words", "line\n", "é"])
def test_a_password_that_a_server_could_not_take_is_refused_without_being_told(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^FORETICK_REDIS_PASSWORD: letters, digits and signs of ASCII only"):
        write(tmp_path, {"FORETICK_REDIS_PASSWORD": text}, OURS)
    assert files(tmp_path) == {}


def test_only_its_owner_reads_a_file_and_grafana_s_its_group_too(tmp_path: Path) -> None:
    write(tmp_path, {}, OURS)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes.pop("grafana.password") == 0o440
    assert set(modes.values()) == {0o600}


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away; in the container it may")
def test_each_file_is_its_reader_s_with_the_one_right_that_the_container_has(tmp_path: Path) -> None:
    """The second time the files of others are there, which it may not read."""
    tmp_path.chmod(0o700)
    assert (SERVICES["secrets"]["cap_drop"], SERVICES["secrets"]["cap_add"]) == (["ALL"], ["CHOWN"])
    command = ["setpriv", "--bounding-set=-all,+chown", "--no-new-privs", "--", *COMMAND, str(tmp_path)]
    for given in ({}, {}, {"FORETICK_GRAFANA_PASSWORD": "given", "FORETICK_REDIS_PASSWORD": "given"}):
        subprocess.run(command, env={**os.environ, **given}, cwd=ROOT, check=True)
    owners = {path.name: path.stat().st_uid for path in tmp_path.iterdir()}
    foretick = dict.fromkeys(("database.url", "redis.url", "mlflow.url"), Owners().foretick)
    passwords = dict.fromkeys((f"{server}.password" for server in SERVERS), 0)
    assert owners == foretick | passwords | {"redis.conf": Owners().redis}
    assert files(tmp_path)["redis.conf"] == 'requirepass "given"'


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A Redis as the compose file starts it, with a password of signs; its address."""
    program = shutil.which("redis-server")
    assert program is not None
    write(tmp_path, {"FORETICK_REDIS_PASSWORD": SIGNS}, OURS)
    port = next(port for port in range(23_000, 24_000) if is_free(port) and reserve(port))
    command = [str(tmp_path / "redis.conf") if "/" in word else word for word in SERVICES["redis"]["command"]]
    started = subprocess.Popen(
        [program, *command[1:], "--port", str(port), "--bind", HOST, "--dir", str(tmp_path)], stdout=subprocess.DEVNULL
    )
    yield files(tmp_path)["redis.url"].replace("redis:6379", f"{HOST}:{port}")
    started.terminate()
    started.wait()


@pytest.mark.services
def test_redis_asks_for_the_password_in_its_file(server: str) -> None:
    parts, deadline = urlsplit(server), time.monotonic() + 30
    stranger = redis.Redis(host=parts.hostname or "", port=parts.port or 0)
    while True:
        try:
            with pytest.raises(redis.AuthenticationError):
                stranger.ping()
            break
        except redis.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    stranger.close()
    with redis.Redis.from_url(server) as ours:
        assert ours.ping()


@pytest.mark.slow
def test_the_command_says_in_a_line_what_is_wrong(tmp_path: Path) -> None:
    def run(folder: Path, given: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, str(folder)], env=os.environ | given, cwd=ROOT, capture_output=True, text=True, check=False
        )

    (tmp_path / "file").touch()
    absent = run(tmp_path / "file" / "secrets", {})
    assert (absent.returncode, absent.stderr.count("\n")) == (1, 1)
    assert "Not a directory" in absent.stderr
    refused = run(tmp_path, {"FORETICK_REDIS_PASSWORD": "hunter 2"})
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "hunter" not in refused.stderr


def test_every_file_that_a_service_reads_is_written_and_its_writer_comes_first(tmp_path: Path) -> None:
    write(tmp_path, {}, OURS)
    for name, service in SERVICES.items():
        named = set(re.findall(r"/secrets/([a-z.]+)", str(service)))
        assert named <= files(tmp_path).keys()
        assert bool(named) == ("secrets:/secrets:ro" in service.get("volumes", ())), name
        if named and not service["image"].startswith("foretick:"):
            assert service["depends_on"]["secrets"] == {"condition": "service_completed_successfully"}


def test_the_addresses_name_services_and_the_owner_is_the_image_s_user(tmp_path: Path) -> None:
    write(tmp_path, {}, OURS)
    hosts = {urlsplit(text).hostname for name, text in files(tmp_path).items() if name.endswith(".url")}
    assert hosts == {"database", "redis", "mlflow"}
    assert hosts <= SERVICES.keys()
    assert f"--uid {Owners().foretick} " in (ROOT / "docker/Dockerfile").read_text()


def test_no_password_is_in_the_compose_file() -> None:
    for service in SERVICES.values():
        given = {name: value for name, value in service.get("environment", {}).items() if "PASSWORD" in name}
        assert all(re.fullmatch(r"\$\{FORETICK_\w+:-\}|/secrets/[a-z.]+", value) for value in given.values()), given
        urls = [value for value in map(str, service.get("environment", {}).values()) if re.search("://.*@", value)]
        assert urls == []
