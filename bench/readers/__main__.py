"""Mutated files at every reader: `python -m bench.readers [--minutes 60] [--seed N] [--keep] [--save]`.

Each file is read in a child process, which may take some seconds. Exit code 1 where one raised anything but a refusal
in one line, ended the process or hung, or where something impossible was accepted; they lie in `FAILURES`.
With --keep a file of each kind of answer that is new goes into tests/sources/corpus, which the tests read.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from bench.readers.child import FAILED, Child
from bench.readers.mutate import mutated
from bench.readers.random_requests import wished
from bench.readers.seeds import CORPUS, kept, seeds
from bench.report import save
from sources.reading.request import ReadRequest

FAILURES = Path(tempfile.gettempdir()) / "foretick-readers-failed"
MOST_KEPT, LONGEST_KEPT = 300, 4_096


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument(
        "--keep", action="store_true", help="keep files of new kinds of answers in tests/sources/corpus"
    )
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(2**31) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    chance, begun = random.Random(seed), time.monotonic()  # noqa: S311 - no secret
    pool = [*seeds(), *kept()]
    answers, failures, scratch = Counter[str](), dict[str, Path](), Path(tempfile.mkdtemp(prefix="foretick-readers-"))
    child = Child()
    try:
        files = 0
        while time.monotonic() - begun < 60 * options.minutes:
            name, content = mutated(*chance.choice(pool), chance)
            path = scratch / name
            path.write_bytes(content)
            request = wished(chance)
            text = child.read(path, request)
            if text not in answers and not text.startswith(FAILED) and len(content) <= LONGEST_KEPT:
                pool.append((name, content))
                if options.keep and request == ReadRequest():
                    _keep(name, content)
            if text.startswith(FAILED) and text not in failures:
                failures[text] = _failed(name, content, len(failures))
                print(f"{text}: {failures[text]} {request}", flush=True)
            answers[text] += 1
            files += 1
            path.unlink()
    finally:
        child.stop()
        shutil.rmtree(scratch)
    figures = {
        "files": files,
        "kinds of answers": len(answers),
        "failures": len(failures),
        "seconds": round(time.monotonic() - begun),
    }
    print(figures)
    if options.save:
        save("readers", f"python -m bench.readers --minutes {options.minutes:g} --seed {seed}", figures)
    sys.exit(1 if failures else 0)


def _keep(name: str, content: bytes) -> None:
    CORPUS.mkdir(exist_ok=True)
    number = len(list(CORPUS.glob("*")))
    if number < MOST_KEPT:
        (CORPUS / f"{number:03}-{name}").write_bytes(content)


def _failed(name: str, content: bytes, number: int) -> Path:
    folder = FAILURES / f"{number:03}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


if __name__ == "__main__":
    main()
