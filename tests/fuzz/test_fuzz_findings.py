"""What the fuzzer looks at: the logs' worst lines, each once; letters about what the stack itself has written."""

from pathlib import Path
from typing import Any

import pytest

from bench.fuzz.corpus import normal
from bench.fuzz.generate import Generator, Input
from bench.fuzz.invariants import Logs
from bench.fuzz.send import Sender
from settings.broker import Broker
from topics import codec
from topics.catalog import OUTCOMES, TICKS

GOOD = "2026-11-30 02:03:15,646 ERROR foretick model 'x CRITICAL y': refused: Traceback (most recent call last):\n"
BAD = "2026-11-30 02:03:15,646 CRITICAL foretick agent bars failed: the process ends\n"
TRACE = "Traceback (most recent call last):\n  File x\nValueError: no\n"


def test_critical_lines_and_tracebacks_are_found_once_and_what_a_record_says_is_none(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    log.write_text(BAD)
    logs = Logs(tmp_path)
    assert logs.bad() == []
    for text, result in ((GOOD, 0), (BAD, 1), (TRACE, 1), (GOOD + BAD + GOOD + TRACE, 2)):
        with log.open("a") as file:
            file.write(text)
        assert len(logs.bad()) == result


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("Expected `int` >= 1230940800000 - at `$.time`", "Expected '…' >= # - at '…'"),
        ("price -1.0 is not a positive number from 1e-12 to 1e+12", "price # is not a positive number from # to #"),
        ("version 2\x00 of the format is not 1", "version # of the format is not #"),
        ("'utf-8' codec can't decode byte 0xff in position 1: bad", "'…' codec can't decode byte # in position #: bad"),
    ],
)
def test_reasons_are_grouped_without_their_numbers_and_names(reason: str, expected: str) -> None:
    assert normal(reason) == expected


def sender() -> Sender:
    return Sender(
        address=Broker(servers="127.0.0.1:1"),
        generator=Generator(
            seed=1, begin=1_748_044_800_000, now=1_790_000_000_000, fingerprint="f", width=1, ledger_key=b"k"
        ),
        witnesses=frozenset({"BTCUSDT"}),
        may=lambda: True,
    )


def noted(sending: Sender, topic: Any, value: bytes, offset: int) -> tuple[str, int, int]:
    place = topic.name, 0, offset
    sending._note(
        Input(number=offset, topic=topic, partition=0, key=None, headers=list(codec.HEADERS), value=value),
        place,
        1_790_000_000_000,
    )
    return place


def test_what_the_codec_refuses_is_awaited_as_a_letter_and_a_new_reason_is_kept_once() -> None:
    sending = sender()
    wrong = noted(sending, TICKS, b"no", 7)
    noted(sending, TICKS, b'{"symbol":"FUZZA","time":1748044800000,"price":1.5,"amount":2.0}', 8)
    assert set(sending.invalid) == {wrong}
    for _ in range(2):
        sending.take(wrong, "malformed (byte 0)")
    sending.take(("ticks", 0, 8), "late: its 1m bar")
    sending.take(("outcomes", 0, 99), "somebody else's")
    assert dict(sending.letters) == {("ticks", "malformed (byte #)"): 2, ("ticks", "in a stage: late: its #m bar"): 1}
    assert [one for _, one in sending.generator.kept] == [7, 8]


def test_a_record_that_the_stack_wrote_and_does_not_read_is_told_and_one_of_the_fuzz_is_not() -> None:
    sending = sender()
    ours = noted(sending, OUTCOMES, b"no", 3)
    sending.others[("dead-letters", 0, 1)] = (ours, "malformed")
    sending.others[("dead-letters", 0, 2)] = (("outcomes", 0, 4), "malformed")
    assert sending.own() == ["('outcomes', 0, 4): malformed"]


def test_a_decision_without_the_ledgers_signature_is_awaited_as_a_refusal() -> None:
    sending = sender()
    models = next(one for one in sending.generator if one.topic.name == "models" and len(one.headers) == 1)
    sending._note(models, ("models", 0, 5), 1_790_000_000_000)
    assert (sending.unsigned, sending.invalid) == ({5}, {})


def test_the_last_inputs_are_written_to_a_file(tmp_path: Path) -> None:
    sending = sender()
    sending.ring.extend(sending.generator.next() for _ in range(3))
    sending.write_ring(tmp_path / "ring")
    assert (tmp_path / "ring").read_text().count('"topic"') == 3
