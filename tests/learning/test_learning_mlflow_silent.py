"""Neither MLflow's server nor its client asks any other machine for anything, nor looks up its name."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from stacks import Servers, environment_of

from learning.tracking.tracker import Tracker
from settings import ROOT

pytestmark = pytest.mark.services

LISTEN = """
import ipaddress, runpy, socket, sys
out = open(sys.argv[1], "a", buffering=1)
def heard(event, details):
    if event == "socket.connect" and isinstance(details[1], tuple):
        out.write(f"{details[1][0]}\\n")
    elif event == "socket.getaddrinfo":
        out.write(f"{details[0]}\\n")
sys.addaudithook(heard)
"""
SERVE = LISTEN + "sys.argv = ['server']; runpy.run_module('stack.mlflow_server', run_name='__main__')"
TRACK = (
    LISTEN
    + """
from learning.tracking.tracker import Tracker
with Tracker(sys.argv[2]).run("silent", "train") as run:
    run.metric("x", 1.0)
    run.text("words", "note.txt")
"""
)
START_S = 120.0
OF_TESTS = ("PYTEST_CURRENT_TEST", "CI", "GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "BUILDKITE", "TF_BUILD")
"""By these MLflow sees that it is tested, and sends nothing of its own accord."""


@pytest.mark.long
def test_the_mlflow_server_contacts_no_other_machine(mlflow_server: Servers, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    uri = f"http://foretick:secret@127.0.0.1:{port}"
    environment = {name: value for name, value in environment_of(tmp_path).items() if name not in OF_TESTS}
    environment |= {"FORETICK_DATABASE_URL": mlflow_server.database_url, "FORETICK_MLFLOW_URI": uri}
    log, asked = tmp_path / "server.log", tmp_path / "asked"
    with log.open("w") as file:
        command = [sys.executable, "-c", SERVE, str(asked)]
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file)
    try:
        deadline = time.monotonic() + START_S
        while not Tracker(uri).reachable():
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        subprocess.run([sys.executable, "-c", TRACK, str(asked), uri], cwd=ROOT, env=environment, check=True)
        for path in ("", "ajax-api/3.0/mlflow/ui-telemetry", "ajax-api/3.0/mlflow/server-info"):
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/{path}", headers={"Authorization": "Bearer secret"}
            )
            with urllib.request.urlopen(request) as reply:  # noqa: S310 - likewise
                result = reply.read()
            if path.endswith("ui-telemetry"):
                assert json.loads(result)["disable_ui_telemetry"] is True
    finally:
        server.terminate()
        server.wait(30)
    hosts = set(asked.read_text().split())
    assert "127.0.0.1" in hosts
    assert hosts <= {"127.0.0.1", "localhost", "None", os.uname().nodename}, hosts
