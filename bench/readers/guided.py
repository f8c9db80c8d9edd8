"""Files that follow the branches of the readers, by atheris: `python -m bench.readers.guided FOLDER [OPTION…]`.

The options are libFuzzer's. FOLDER keeps what was found; it begins with the seeds, tests/sources/corpus and corpus.zip.
An input's first byte chooses the file's name. It ends at the first thing that `bench.readers.check` does not accept,
and keeps it as a file. atheris is no package of the project: `uv pip install --target DIR atheris`, PYTHONPATH=DIR.
"""

import sys
import tempfile
import zipfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["sources", "topics.markets", "topics.currencies"]):
    from bench.readers.check import read
from bench.readers.seeds import kept, seeds

NAMES = (
    *("BTCUSDT_1m.csv", "table.csv", "x.json", "BTC_USDT_USDT-1m-futures.json", "BTCUSD_PERP-1m-2024-01.csv", "t.zip"),
    *("ETH-1440.csv", "BTCUSDT.csv.gz", "b.parquet", "b.feather", "BTCUSDT_240329-1m-2024-01.csv", "trades.jsonl"),
)
FOUND = Path(__file__).parent / "corpus.zip"
"""What earlier runs have found: each file a first byte and a file's content."""
SCRATCH = Path(tempfile.mkdtemp(prefix="foretick-guided-"))


def one(data: bytes) -> None:
    """Read a file."""
    if data:
        path = SCRATCH / NAMES[data[0] % len(NAMES)]
        path.write_bytes(data[1:])
        read(path)


def main() -> None:
    """Write the first inputs down, and run."""
    corpus = Path(sys.argv[1])
    corpus.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(FOUND) as result:
        result.extractall(corpus)
    for place, (name, content) in enumerate([*seeds(), *kept()]):
        chosen = next((at for at, known in enumerate(NAMES) if known.endswith(Path(name).suffix)), 1)
        (corpus / f"seed-{place}").write_bytes(bytes([chosen]) + content)
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
