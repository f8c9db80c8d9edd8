"""The files that the readers' fuzzer has kept, and those it begins with: none raises, nothing impossible is taken."""

from pathlib import Path

import pytest

from bench.readers.check import read
from bench.readers.seeds import kept, seeds

pytestmark = pytest.mark.slow

KEPT = list(kept())


def test_there_is_a_corpus() -> None:
    assert len(KEPT) > 100


@pytest.mark.parametrize("number", range(0, len(KEPT), 10))
def test_a_file_of_the_corpus_is_read_or_refused_in_one_line(number: int, tmp_path: Path) -> None:
    for name, content in KEPT[number : number + 10]:
        (tmp_path / name).write_bytes(content)
        assert read(tmp_path / name)


def test_what_the_fuzzer_begins_with_is_all_read(tmp_path: Path) -> None:
    for name, content in seeds():
        (tmp_path / name).write_bytes(content)
        text = read(tmp_path / name)
        assert not text.startswith("refused"), f"{name}: {text}"
