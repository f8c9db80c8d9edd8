"""`foretick api` from the command line."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from stacks import environment_of

from api.tokens import Tokens
from settings import ROOT


def foretick(home: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        cwd=ROOT,
        env=environment_of(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done


def test_a_token_is_made_listed_and_revoked(tmp_path: Path):
    made = foretick(tmp_path, "api", "token", "create", "research", "--scope", "read", "--scope", "stream")
    token = Tokens(tmp_path).find(made.stdout.strip())
    assert token is not None
    assert token.scopes == ("read", "stream")
    listed = foretick(tmp_path, "api", "token", "list")
    assert "research" in listed.stdout
    assert made.stdout.strip() not in listed.stdout + foretick(tmp_path, "api", "token", "list", "--json").stdout
    foretick(tmp_path, "api", "token", "revoke", "research")
    assert Tokens(tmp_path).all() == []


def test_a_mistake_is_told_in_one_line(tmp_path: Path):
    refused = foretick(tmp_path, "api", "token", "create", "x", "--scope", "write", code=2)
    assert refused.stderr == "foretick: there is no scope 'write'; there are: read, stream, admin\n"
    joined = foretick(tmp_path, "api", "token", "create", "x", "--scope", "read,stream", code=2)
    assert joined.stderr == "foretick: there is no scope 'read,stream'; give --scope once for each: read, stream\n"
    local = foretick(tmp_path, "api", "token", "create", "local", code=2)
    assert local.stderr == "foretick: the name 'local' is that of this machine's own token; choose another\n"
    unknown = foretick(tmp_path, "api", "token", "revoke", "x", code=2)
    assert unknown.stderr == "foretick: there is no token 'x'; there are: none\n"


@pytest.mark.slow
def test_a_server_that_cannot_listen_says_where_in_one_line(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for port in (str(taken.getsockname()[1]), "99999"):
            command = [sys.executable, "-m", "api.serve", "--port", port]
            done = subprocess.run(
                command, cwd=ROOT, env=environment_of(tmp_path), capture_output=True, text=True, check=False
            )
            last = done.stderr.splitlines()[-1]
            assert done.returncode == 1
            assert last.startswith(f"the API cannot listen on 127.0.0.1, port {port}: ")
            assert "Traceback" not in done.stderr


def test_the_command_says_where_the_api_is(tmp_path: Path):
    assert "made when the API starts" in foretick(tmp_path, "api").stdout
    path = Tokens(tmp_path).local()
    text = foretick(tmp_path, "api").stdout
    assert "http://127.0.0.1:8010/v1" in text
    assert str(path) in text
    assert path.read_text().strip() not in text
