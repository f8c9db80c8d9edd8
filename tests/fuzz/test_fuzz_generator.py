"""The fuzzer's inputs: the same by a seed, on every topic; and its corpus, which raises nothing in codec and folds."""

import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from bench.fuzz import corpus
from bench.fuzz.build import MAKERS, SYMBOLS, UNIVERSE
from bench.fuzz.generate import Generator, Input
from bench.fuzz.send import of_witness
from broker.decision_signature import is_signed
from features.cross_section import Universe
from features.step import FeatureStep
from storage import tables
from stream.bars import Bars
from stream.stage import Part, Stage
from stream.stages import Indicators, Outcomes
from stream.universe import Market
from topics import codec
from topics.catalog import BARS, MODELS, OUTCOMES, PREDICTIONS, STORED, TICKS, TOPICS
from topics.records import RECORDS
from topics.value_size import BOUNDS

pytestmark = pytest.mark.slow

BEGIN, NOW = 1_748_044_800_000, 1_790_000_000_000
KEY = b"a key"
CORPUS = corpus.load()


def generator(seed: int = 1, **changes: Any) -> Generator:
    return Generator(seed=seed, begin=BEGIN, now=NOW, fingerprint="0123456789ab", width=165, ledger_key=KEY, **changes)


def read(result: Input) -> codec.DecodedFrame[Any]:
    return codec.decode(result.value, result.topic.record, result.headers, latest=BOUNDS.latest(NOW))


def small(result: Input) -> bool:
    return result.kind not in ("bomb", "large", "many rows")


def test_a_seed_makes_the_same_inputs_byte_by_byte_and_another_seed_others() -> None:
    first, again, other = generator(), generator(), generator(2)
    made = []
    for number in range(600):
        one = first.next()
        assert again.next() == one
        made.append(one)
        if number == 200:  # what was kept, and when, is part of what is repeated
            first.keep(made[7])
            again.keep(made[7])
    assert [other.next() for _ in range(600)] != made


def test_every_topic_gets_what_is_valid_and_what_is_not_under_every_kind_of_key() -> None:
    accepted, refused, keys = set(), set(), set()
    for one in filter(small, islice(generator(), 3_000)):
        frame = read(one)
        (refused if frame.rejected else accepted).add(one.topic)
        keys.add(None if one.key is None else one.key.isascii())
    assert accepted == refused == set(TOPICS)
    assert keys == {None, True, False}


def test_there_is_a_maker_of_every_record_and_what_it_makes_is_valid() -> None:
    assert set(MAKERS) == set(RECORDS)
    for one in filter(lambda one: one.kind == "valid" and one.headers == codec.HEADERS, islice(generator(), 3_000)):
        assert not read(one).rejected, one


def test_symbols_come_anew_and_frames_of_one_symbol_are_in_the_order_of_time() -> None:
    made = [one for one in islice(generator(), 6_000) if one.topic is BARS and one.kind == "valid"]
    frames = [read(one).records for one in made]
    assert len({bar.symbol for bars in frames for bar in bars}) > len(SYMBOLS) + 5
    series = [bars for bars in frames if len(bars) > 2 and len({bar.symbol for bar in bars}) == 1]
    assert series
    for bars in series:
        times = [bar.time for bar in bars if bar.interval == "1m"]
        assert times == sorted(times)
        assert len(set(times)) == len(times)


def test_no_generated_decision_has_a_valid_signature() -> None:
    signed = [one for one in islice(generator(), 6_000) if one.topic is MODELS and _signed(one)]
    assert len(signed) > 50
    assert not [one for one in signed if read(one).records]


def _signed(one: Input) -> bool:
    return is_signed(KEY, one.value, [(name, value or b"") for name, value in one.headers])


def test_a_valid_record_of_a_witness_is_told_from_one_of_a_made_up_symbol() -> None:
    one = next(one for one in generator() if one.topic is TICKS and one.kind == "valid" and read(one).records)
    symbol = read(one).records[0].symbol
    assert symbol in SYMBOLS or symbol.startswith("FUZZ")
    assert of_witness(one, frozenset({symbol}), NOW)
    assert not of_witness(one, frozenset({"BTCUSDT"}), NOW)


def test_an_input_is_kept_as_a_file_and_read_again(tmp_path: Path) -> None:
    one = Input(
        number=7,
        topic=TICKS,
        partition=3,
        key=b"\xff\x00",
        headers=[("h", None), ("\u202e", b"\x80")],
        value=b"\x00\xff\n",
        compression=None,
    )
    assert corpus.of_json(corpus.as_json(one, "why"), 7) == one
    none = Input(number=8, topic=TICKS, partition=0, key=None, headers=[], value=None, compression=None)
    assert corpus.save({("ticks", "why"): one, ("ticks", "none"): none}, tmp_path) == 2
    assert corpus.reasons(tmp_path) == {("ticks", "why"), ("ticks", "none")}
    assert corpus.save({("ticks", "why"): none}, tmp_path) == 2
    assert {(read.key, read.value) for read in corpus.load(tmp_path)} == {(one.key, one.value), (None, None)}


def test_the_corpus_is_small_and_of_every_topic_that_makes_dead_letters() -> None:
    files = list(corpus.FOLDER.glob("*.json"))
    assert sum(path.stat().st_size for path in files) < 300_000
    assert {one.topic for one in CORPUS} >= set(STORED) - {OUTCOMES} | {MODELS}


STAGES: tuple[Stage[Any, Any], ...] = (
    Bars("1m", 2_000, ("tick-500", "volume-2.5", "range-10")),
    Market(Universe.of(dict.fromkeys(UNIVERSE, 1.0))),
    Indicators(FeatureStep()),
    Outcomes(),
)


@pytest.mark.parametrize("one", CORPUS, ids=lambda one: one.topic.name)
def test_nothing_of_the_corpus_makes_codec_fold_or_row_raise(one: Input) -> None:
    frame = codec.decode(one.value, one.topic.record, one.headers, latest=BOUNDS.latest(time.time() * 1000))
    assert all(len(part.reason) <= 2 * codec.LONGEST_REASON for part in frame.rejected)
    for stage in STAGES:
        if stage.source is one.topic:
            _fold(stage, frame.records)
    if frame.records and one.topic in STORED:
        _row(one, frame.records)


def _fold(stage: Stage[Any, Any], records: Sequence[Struct]) -> None:
    """Fold them twice over: what came is also what a state is then loaded with."""
    for _ in range(2):
        for record in records:
            if stage.check(record) is None:
                key = stage.key(record)
                state, outputs = stage.step(
                    stage.load(key, None), [Part(partition=0, offset=0, timestamp=0, rows=[0], records=[record])]
                )
                assert stage.dump(stage.load(key, stage.dump(state))) == stage.dump(state)
                for topic, made in outputs:
                    assert not codec.decode(codec.encode(made), topic.record).rejected if made else True


def _row(one: Input, records: Sequence[Any]) -> None:
    if one.topic is TICKS:
        tables.ticks(records, ["0-0-0"] * len(records))
    elif one.topic is PREDICTIONS:
        tables.predictions(records, [1] * len(tables.series_of_predictions(records)), [1] * len(records))
    elif one.topic is OUTCOMES:
        tables.outcomes(records, [1] * len(records))
    else:
        tables.plain(one.topic, records)
