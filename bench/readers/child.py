"""The process in which files are read: a reader that ends it, or hangs, ends nothing else."""

import multiprocessing
import traceback
from multiprocessing.connection import Connection
from pathlib import Path

from bench.readers.check import read
from sources.reading.request import ReadRequest

LONGEST_S = 20.0
FAILED = "failed: "


def answer(pipe: Connection) -> None:
    """Read the files that are named, and say what came of each, until there are no more."""
    while (asked := pipe.recv()) is not None:
        path, request = asked
        try:
            pipe.send(read(Path(path), request))
        except BaseException as error:  # noqa: BLE001 - this is what is looked for
            last = traceback.extract_tb(error.__traceback__)[-1]
            pipe.send(f"{FAILED}{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {str(error)[:200]}")


class Child:
    """The process that reads; started anew where one has ended or hung."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._start()

    def _start(self) -> None:
        self._pipe, theirs = self._context.Pipe()
        self._process = self._context.Process(target=answer, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def read(self, path: Path, request: ReadRequest) -> str:
        """Return what came of a file."""
        self._pipe.send((str(path), request))
        try:
            if self._pipe.poll(LONGEST_S):
                return str(self._pipe.recv())
            text = f"{FAILED}hung for {LONGEST_S:.0f} s"
        except (EOFError, ConnectionResetError):
            self._process.join()
            text = f"{FAILED}the process ended with {self._process.exitcode}"
        self.stop()
        self._start()
        return text

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()
