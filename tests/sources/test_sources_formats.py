"""The page of formats says what the tables say, and the file of each writer is read."""

from pathlib import Path

import pytest
from sources_venues import ALL

from bench.readers.seeds import text_of, times
from settings import ROOT
from sources.formats.known_headers import ANSWERS, WRITERS, Writer
from sources.formats_page import page
from topics.records import Bar


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.name)
def test_the_file_of_each_writer_is_read(writer: Writer, tmp_path: Path, replayed) -> None:
    path = tmp_path / writer.file
    path.write_text(text_of(writer, 3))
    result = replayed(path)
    assert result.counts.impossible == 0
    assert [record.time for record in result.records] == times(writer, 3)
    first = result.records[0]
    assert first.symbol in ("BTCUSD", "BTCUSDT", "XBTUSD")
    if isinstance(first, Bar):
        assert (first.open, first.high, first.low, first.close) == (10.0, 12.0, 9.0, 11.0)
    else:
        assert (first.price, first.amount) == (11.0, 5.5)


def test_each_answer_of_the_page_has_a_sample() -> None:
    assert set(ANSWERS.values()) <= {sample.id for sample in ALL}


def test_the_page_is_the_one_that_the_tables_make() -> None:
    text = (ROOT / "docs" / "FORMATS.md").read_text()
    assert text == page(), "write it anew: .venv/bin/python -m sources.formats_page > docs/FORMATS.md"
