"""MLflow: runs, curves and the registry of models, in the project's PostgreSQL, on the loopback interface."""

import asyncio
import base64
import urllib.request
from pathlib import Path
from urllib.parse import unquote, urlsplit

from settings import places
from stack.addresses import HOST, without_password
from stack.basic_auth import USER
from stack.component import Component
from stack.config_copy import environment
from stack.secret import password

PASSWORD = "mlflow.password"  # noqa: S105 - the file's name


def url(home: Path, port: int) -> str:
    """Return the URL of our MLflow, with its password."""
    return f"http://{USER}:{password(home / PASSWORD)}@{HOST}:{port}"


async def check(uri: str) -> str:
    """Return the server's version; raises when it does not answer."""
    return f"MLflow {await asyncio.to_thread(_ask, uri, 'version')}"


def _ask(uri: str, path: str) -> str:
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        raise ValueError(
            f"{without_password(uri)!r} is not an address of an MLflow server, such as http://{USER}:PASSWORD@{HOST}:5000"
        )
    # urllib does not accept credentials in an address.
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], path=f"{parts.path.rstrip('/')}/{path}")
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    headers = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"} if parts.password else {}
    request = urllib.request.Request(bare.geturl(), headers=headers)  # noqa: S310 - the scheme is checked above
    with urllib.request.urlopen(request, timeout=5) as reply:  # noqa: S310 - likewise
        return str(reply.read(100).decode()).strip()


def component(home: Path, port: int) -> Component:
    """Return MLflow for the supervisor's table; its schema is made by the step `prepare`."""
    address = url(home, port)

    async def healthy() -> None:
        await check(address)

    return Component(
        name="mlflow",
        launch=lambda: places.module("stack.mlflow_server"),
        check=healthy,
        address=without_password(address),
        needs=("prepare",),
        environment=environment(home),
        start_wait_s=180.0,  # it is the last to get a core
    )
