"""What another user of the machine, or a page in the browser, tries on MLflow."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from stacks import Servers

from learning.tracking.tracker import Tracker

pytestmark = pytest.mark.services

SECRET = "known to the owner alone"  # noqa: S105 - what nobody may read


def login(uri: str) -> dict[str, str]:
    parts = urlsplit(uri)
    text = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


def ask(
    server: Servers, path: str, body: object = None, headers: dict[str, str] | None = None, method: str | None = None
) -> tuple[int, bytes]:
    """Return the status and what is answered, with the login where `headers` are not given."""
    bare = Tracker(server.mlflow_uri).uri
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Content-Type": "application/json", **(login(server.mlflow_uri) if headers is None else headers)}
    request = urllib.request.Request(bare + path, data, given, method=method)  # noqa: S310 - http, loopback
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310 - likewise
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.fixture
def theirs() -> Iterator[Path]:
    """A folder of another user's, with links to a file and to a folder that only the owner of the stack may enter."""
    folder = Path(tempfile.mkdtemp(prefix="foretick-theirs-"))
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    (closed / "secret").write_text(SECRET)
    (folder / "open").mkdir()
    (folder / "open" / "link").symlink_to(closed / "secret")
    (folder / "open" / "into").symlink_to(closed)
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can act as another user")
def test_another_user_of_the_machine_gets_no_answer_without_the_password(mlflow_server: Servers, theirs: Path) -> None:
    """By curl, as nobody: no answer but that a login is wanted, and the password's file is closed."""
    bare = Tracker(mlflow_server.mlflow_uri).uri
    attack = f"""
        curl -s -o /dev/null -w '%{{http_code}}\\n' {bare}/api/2.0/mlflow/experiments/create \
            -H 'Content-Type: application/json' -d '{{"name":"theirs","artifact_location":"file://{theirs}/open"}}'
        curl -s -o /dev/null -w '%{{http_code}}\\n' {bare}/api/2.0/mlflow/experiments/get?experiment_id=0
        curl -s -o /dev/null -w '%{{http_code}}\\n' -u foretick: {bare}/
        curl -s -o /dev/null -w '%{{http_code}}\\n' -u foretick:guess {bare}/graphql
        curl -s -o /dev/null -w '%{{http_code}}\\n' -X PUT --data x {bare}/api/2.0/mlflow-artifacts/artifacts/x/y
        cat {mlflow_server.home}/mlflow.password 2>/dev/null || echo closed
        ls {mlflow_server.home}/mlflow-artifacts 2>/dev/null || echo closed
    """
    done = subprocess.run(
        ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "sh", "-c", attack],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert done.stdout.split() == ["401"] * 5 + ["closed"] * 2


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic !", "Basic Zm9yZXRpY2s=", "Bearer", "Bearer x", "Bearer é", "Digest x"]
)
def test_an_invalid_authorization_header_is_refused(mlflow_server: Servers, header: str) -> None:
    status, lines = ask(
        mlflow_server, "/api/2.0/mlflow/experiments/get?experiment_id=0", headers={"Authorization": header}
    )
    assert status == 401
    assert b"experiment_id" not in lines


def test_the_password_lets_in_as_a_token_too(mlflow_server: Servers) -> None:
    token = {"Authorization": f"Bearer {urlsplit(mlflow_server.mlflow_uri).password}"}
    assert ask(mlflow_server, "/version", headers=token)[0] == 200
    assert ask(mlflow_server, "/health", headers={}) == (200, b"OK")


@pytest.mark.parametrize("prefix", ["/api", "/ajax-api"])
@pytest.mark.parametrize("field", ["artifact_location", "artifactLocation"])
@pytest.mark.parametrize("scheme", ["file://", "", "FILE:", "ftp://127.0.0.1", "http://127.0.0.1", "s3://x"])
def test_a_client_cannot_choose_where_artifacts_are_stored(
    mlflow_server: Servers, theirs: Path, prefix: str, field: str, scheme: str
) -> None:
    request = {"name": f"{prefix}{field}{scheme}", field: f"{scheme}{theirs}/open"}
    for body in (request, json.dumps(request)):  # old clients sent text in text
        status, lines = ask(mlflow_server, f"{prefix}/2.0/mlflow/experiments/create", body)
        assert status == 400, lines


@pytest.mark.parametrize(
    "location", ["mlflow-artifacts:/../x", "mlflow-artifacts://elsewhere/x", "mlflow-artifacts:/%2e%2e"]
)
def test_an_artifact_location_outside_the_root_is_refused(mlflow_server: Servers, location: str) -> None:
    request = {"name": location, "artifact_location": location}
    assert ask(mlflow_server, "/api/2.0/mlflow/experiments/create", request)[0] == 400


@pytest.mark.parametrize("source", ["file://{}/open", "{}/open", "http://127.0.0.1:1/x", "mlflow-artifacts:/../x"])
def test_a_version_of_a_model_lies_where_its_run_does(mlflow_server: Servers, theirs: Path, source: str) -> None:
    ask(mlflow_server, "/api/2.0/mlflow/registered-models/create", {"name": "theirs"})
    request = {"name": "theirs", "source": source.format(theirs)}
    for prefix in ("/api", "/ajax-api"):
        assert ask(mlflow_server, f"{prefix}/2.0/mlflow/model-versions/create", request)[0] == 400


def run_at(server: Servers, location: str) -> str:
    """Return a run whose files a database that was written before says to be at a location."""
    _, made = ask(server, "/api/2.0/mlflow/runs/create", {"experiment_id": "0"})
    run_id: str = json.loads(made)["run"]["info"]["run_id"]
    database = server.database_url  # of the component, whose schema is MLflow's
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE mlflow.runs SET artifact_uri = %s WHERE run_uuid = %s", (location, run_id))
    return run_id


def test_a_location_that_is_stored_already_is_not_followed(mlflow_server: Servers, theirs: Path) -> None:
    run_id = run_at(mlflow_server, f"file://{theirs}/open")
    read = [f"/get-artifact?run_id={run_id}&path={path}" for path in ("link", "into/secret")]
    read += [
        f"/{api}/2.0/mlflow/artifacts/list?run_id={run_id}{path}"
        for api in ("api", "ajax-api")
        for path in ("", "&path=into")
    ]
    for path in read:
        status, lines = ask(mlflow_server, path)
        assert status >= 400, (path, lines)
        assert SECRET.encode() not in lines
        assert b"secret" not in lines
    for path in ("x", "into/x"):
        query = f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run_id}&path={path}"
        assert ask(mlflow_server, query, b"written")[0] >= 400
    assert {path.name for path in theirs.rglob("*")} == {"open", "closed", "secret", "link", "into"}


def test_links_in_the_folder_of_artifacts_are_not_followed(mlflow_server: Servers, theirs: Path) -> None:
    _, made = ask(mlflow_server, "/api/2.0/mlflow/runs/create", {"experiment_id": "0"})
    info: dict[str, Any] = json.loads(made)["run"]["info"]
    below = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
    place = mlflow_server.home / "mlflow-artifacts" / below
    served = f"/api/2.0/mlflow-artifacts/artifacts/{below}"
    assert ask(mlflow_server, f"{served}/real", b"content", method="PUT")[0] == 200
    (place / "link").symlink_to(theirs / "closed" / "secret")
    (place / "into").symlink_to(theirs / "closed")
    assert ask(mlflow_server, f"{served}/real") == (200, b"content")
    listed = ask(mlflow_server, f"/api/2.0/mlflow/artifacts/list?run_id={info['run_id']}")[1]
    assert [file["path"] for file in json.loads(listed)["files"]] == ["real"]
    for path in ("link", "into/secret"):
        for address in (f"{served}/{path}", f"/get-artifact?run_id={info['run_id']}&path={path}"):
            status, lines = ask(mlflow_server, address)
            assert status >= 400, address
            assert SECRET.encode() not in lines
    assert ask(mlflow_server, f"{served}/into/x", b"written", method="PUT")[0] >= 400
    assert ask(mlflow_server, f"{served}/into/secret", method="DELETE")[0] >= 400
    assert {path.name for path in (theirs / "closed").iterdir()} == {"secret"}
    assert ((place / "real").stat().st_mode & 0o077) == 0


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:1", "null"])
def test_a_page_of_another_origin_cannot_use_the_browsers_login(mlflow_server: Servers, origin: str) -> None:
    headers = login(mlflow_server.mlflow_uri) | {"Origin": origin}
    assert ask(mlflow_server, "/api/2.0/mlflow/experiments/get?experiment_id=0", headers=headers)[0] == 403
    own = login(mlflow_server.mlflow_uri) | {"Origin": Tracker(mlflow_server.mlflow_uri).uri}
    assert ask(mlflow_server, "/api/2.0/mlflow/experiments/get?experiment_id=0", headers=own)[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/api/2.0/mlflow/webhooks",
        "/ajax-api/2.0/mlflow/gateway-proxy",
        "/ajax-api/3.0/mlflow/gateway/secrets/create",
        "/ajax-api/3.0/mlflow/scorer/invoke",
        "/ajax-api/3.0/mlflow/assistant/message",
        "/ajax-api/3.0/jobs/1",
        "/api/3.0/mlflow/prompt-optimization/jobs",
        "/ajax-api/3.0/mlflow/demo/generate",
        "/gateway/x/mlflow/invocations",
        "/v1/traces",
        "//graphql",
    ],
)
def test_what_fetches_addresses_or_runs_code_is_not_served(mlflow_server: Servers, path: str) -> None:
    assert ask(mlflow_server, path, {"name": "x", "url": "http://127.0.0.1:1/", "events": []})[0] == 404
