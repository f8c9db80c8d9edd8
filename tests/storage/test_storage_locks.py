"""The registry of advisory locks: every purpose has a number of its own, and nobody takes a lock beside it."""

import re

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stacks import Servers

from settings import ROOT
from storage import locks
from storage.locks import Lock

IDS = st.text(max_size=40)


def test_every_lock_has_a_number_of_its_own_that_stays_the_same() -> None:
    numbers = {lock: locks.number(lock) for lock in Lock}
    assert len(set(numbers.values())) == len(Lock)
    assert all(-(1 << 63) <= one < 1 << 63 for one in numbers.values())
    # Two versions of Foretick that migrate one database at once must ask for the same number.
    assert numbers[Lock.MIGRATION] == 813_462_724_194_917_017


@given(st.sampled_from(list(Lock)), IDS, st.sampled_from(list(Lock)), IDS)
def test_what_is_locked_is_told_apart(lock: Lock, of: str, other: Lock, of_other: str) -> None:
    same = (lock, of) == (other, of_other)
    assert (locks.number(lock, of) == locks.number(other, of_other)) == same


def test_advisory_locks_are_taken_only_in_storage_locks() -> None:
    files = [path for kind in ("*.py", "*.sql") for path in ROOT.rglob(kind) if not _left_out(path.parts)]
    results = {str(path.relative_to(ROOT)) for path in files if re.search(r"pg_\w*advisory\w*", path.read_text())}
    assert results == {"storage/locks.py"}


def _left_out(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(".") or part == "tests" for part in parts[len(ROOT.parts) :])


@pytest.mark.services
def test_sessions_hold_every_lock_at_once_and_each_only_once(servers: Servers) -> None:
    with psycopg.connect(servers.database_url, autocommit=True) as one:
        assert [lock for lock in Lock if not locks.try_lock(one, lock)] == []
        with psycopg.connect(servers.database_url, autocommit=True) as other:
            assert [lock for lock in Lock if locks.try_lock(other, lock)] == []
            assert locks.try_lock(other, Lock.RUN, "another run")
    with psycopg.connect(servers.database_url, autocommit=True) as after:
        locks.wait(after, Lock.WATCH)
        # So that the server does not keep the lock for hours where the holder's machine is gone.
        assert after.execute("SHOW tcp_keepalives_idle").fetchone() == ("10",)
        with psycopg.connect(servers.database_url, autocommit=True) as late:
            assert not locks.try_lock(late, Lock.WATCH)
