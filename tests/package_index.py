"""A package index on loopback that serves small wheels, as slowly as it is told."""

import base64
import hashlib
import io
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote

PIECE = 16_384


def wheel(name: str, version: str, size: int = 100, needs: tuple[str, ...] = ()) -> tuple[str, bytes]:
    """Return a wheel's file name and content: a module of that name with a version, and `size` bytes beside it."""
    info = f"{name}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}", *(f"Requires-Dist: {one}" for one in needs)]
    files = {
        f"{name}/__init__.py": f"__version__ = {version!r}\n".encode(),
        f"{name}/data.bin": b"".join(hashlib.sha256(b"%d" % place).digest() for place in range(size // 32)),
        f"{info}/METADATA": "\n".join(metadata).encode() + b"\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b'=').decode()},{len(content)}"
        for path, content in files.items()
    ]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,"]).encode() + b"\n"
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path), content)  # without a time: its hash is the same each time
    return f"{name}-{version}-py3-none-any.whl", kept.getvalue()


def metadata_of(content: bytes) -> bytes:
    """Return a wheel's metadata, which indexes serve beside it (PEP 658)."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (path,) = (path for path in archive.namelist() if path.endswith("/METADATA"))
        return archive.read(path)


@dataclass
class Index:
    """What it serves, how many bytes a second of each wheel (None: as fast as it can), and which files were taken."""

    wheels: Mapping[str, bytes]
    pace: float | None = None
    taken: list[str] = field(default_factory=list)
    url: str = ""

    def locked(self) -> str:
        """Return a lock of all that it serves."""
        lines = []
        for file, content in self.wheels.items():
            name, version = file.split("-")[:2]
            lines.append(f"{name}=={version} --hash=sha256:{hashlib.sha256(content).hexdigest()}\n")
        return "".join(lines)


@contextmanager
def serving(*wheels: tuple[str, bytes], pace: float | None = None) -> Iterator[Index]:
    """Serve wheels until the block ends."""
    index = Index(dict(wheels), pace)

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            *_, folder, last = ("", *unquote(self.path).rstrip("/").split("/"))
            files = [file for file in index.wheels if file.split("-")[0] == last]
            if last in index.wheels:
                index.taken += [last] * (self.command == "GET")
                self._send(index.wheels[last], "application/octet-stream", index.pace)
            elif last.removesuffix(".metadata") in index.wheels:
                self._send(metadata_of(index.wheels[last.removesuffix(".metadata")]), "text/plain", None)
            elif folder == "simple" and files:
                links = "".join(
                    f'<a href="/files/{quote(file)}" data-core-metadata="true">{file}</a>' for file in files
                )
                self._send(f"<!DOCTYPE html><html><body>{links}</body></html>".encode(), "text/html", None)
            else:
                self.send_error(404)

        def _send(self, content: bytes, kind: str, pace: float | None) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            for begin in range(0, len(content) if self.command == "GET" else 0, PIECE):
                self.wfile.write(content[begin : begin + PIECE])
                if pace is not None:
                    time.sleep(PIECE / pace)  # the pace itself is what is served

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    index.url = f"http://127.0.0.1:{server.server_port}/simple"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
