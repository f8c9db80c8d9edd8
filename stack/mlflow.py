"""MLflow: runs, curves and the registry of models, in the project's PostgreSQL, on the loopback interface."""

import asyncio
import sys
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from stack.addresses import HOST
from stack.component import Component


def url(port: int) -> str:
    """Return the URL of our MLflow."""
    return f"http://{HOST}:{port}"


async def check(uri: str) -> str:
    """Return the server's version; raises when it does not answer."""
    return f"MLflow {await asyncio.to_thread(_ask, uri, 'version')}"


def _ask(uri: str, path: str) -> str:
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"{uri!r} is no address of an MLflow server, such as {url(5000)}")
    # urllib takes no name and password in an address, and these two questions need none.
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], path=f"{parts.path.rstrip('/')}/{path}")
    with urllib.request.urlopen(bare.geturl(), timeout=5) as reply:  # noqa: S310 - the scheme is checked above
        return str(reply.read(100).decode()).strip()


def component(home: Path, port: int) -> Component:
    """Return MLflow for the supervisor's table; its schema is made by the step `prepare`."""
    address = url(port)

    async def healthy() -> None:
        await asyncio.to_thread(_ask, address, "health")

    return Component(
        "mlflow",
        lambda: [sys.executable, "-u", "-m", "stack.mlflow_server"],
        healthy,
        address,
        needs=("prepare",),
        environment={"FORETICK_HOME": str(home)},
        start_wait_s=180.0,  # it is the last to get a core
    )
