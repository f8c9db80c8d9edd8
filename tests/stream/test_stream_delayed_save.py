"""States are stored and events acknowledged together, a little later, and never of before a rebalance."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from shell_fakes import Event, Journal, Stream, Sum, Table, event

from stream.delayed_save import SAVE_S
from stream.shell import Shell

ENOUGH_S = 20 * SAVE_S


class Open(Stream):
    """A stream that goes on: after its batches nothing comes."""

    async def take_arrived(self, most: int) -> AsyncIterator[list[Event]]:
        async for batch in super().take_arrived(most):
            yield batch
        await asyncio.Event().wait()


class Rebalanced(Stream):
    """A stream with a rebalance before its second batch, which has the first one's events again."""

    async def take_arrived(self, most: int) -> AsyncIterator[list[Event]]:
        async for batch in super().take_arrived(most):
            yield batch
            self.app.consumer_generation_id += 1
            for again in batch:
                again.message.generation_id = self.app.consumer_generation_id
            yield batch


class Full(Table):
    """A table that can store nothing."""

    def __setitem__(self, key: bytes, value: bytes) -> None:
        raise OSError("no space left")


def shell(journal: Journal, table: Table) -> Shell[Any, Any]:
    return Shell(stage=Sum(), table=table, writer=journal)


def test_a_state_that_changes_with_every_batch_is_stored_once() -> None:
    journal = Journal()
    table = Table(journal)
    batches = [[event(0, 1.0)], [event(1, 2.0)], [event(2, 4.0)]]
    asyncio.run(shell(journal, table).run(Stream(journal, batches)))
    assert journal.happened == ["send", "send", "send", "store", "ack 0", "ack 1", "ack 2"]
    assert shell(journal, table)._load(("BTCUSDT", "1m"), b"BTCUSDT|1m") == ({0: 2}, 7.0)


async def _run_for_a_while(running: Any) -> None:
    async with asyncio.timeout(ENOUGH_S):
        await running


def test_a_state_is_stored_although_nothing_more_comes() -> None:
    journal = Journal()
    with pytest.raises(TimeoutError):
        asyncio.run(_run_for_a_while(shell(journal, Table(journal)).run(Open(journal, [[event(0, 1.0)]]))))
    assert journal.happened == ["send", "store", "ack 0"]


def test_what_was_folded_before_a_rebalance_is_forgotten() -> None:
    journal = Journal()
    table = Table(journal)
    asyncio.run(shell(journal, table).run(Rebalanced(journal, [[event(0, 1.0)]])))
    assert journal.happened == ["send", "send", "store", "ack 0"]
    assert shell(journal, table)._load(("BTCUSDT", "1m"), b"BTCUSDT|1m") == ({0: 0}, 1.0)


def test_a_table_that_cannot_store_ends_the_agent_also_while_nothing_comes() -> None:
    journal = Journal()
    with pytest.raises(OSError, match="no space left"):
        asyncio.run(_run_for_a_while(shell(journal, Full(journal)).run(Open(journal, [[event(0, 1.0)]]))))
    assert journal.happened == ["send"]


def test_a_large_input_is_stored_without_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.delayed_save.MOST_BYTES", 1)
    journal = Journal()
    asyncio.run(shell(journal, Table(journal)).run(Stream(journal, [[event(0, 1.0)], [event(1, 2.0)]])))
    assert journal.happened == ["send", "store", "ack 0", "send", "store", "ack 1"]
