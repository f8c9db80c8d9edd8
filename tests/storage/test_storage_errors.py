"""No message of this room holds a password."""

import asyncio

import pytest

from storage.errors import StorageError, place
from storage.latest import LatestCache
from storage.timescale import Writer, migrate


def test_a_place_names_the_server_and_nothing_of_the_credentials() -> None:
    assert place("postgresql://me:hunter2@db.example:6543/name?sslmode=disable") == "postgresql://db.example:6543/name"
    assert place("redis://:hunter2@127.0.0.1:6379/0") == "redis://127.0.0.1:6379/0"
    assert place("redis://127.0.0.1") == "redis://127.0.0.1"


UNCLEAR = [
    "postgresql://me:hunt@er2@db/name",
    "postgresql://me:hunt/er2@db/name",
    "postgresql://me:12/er2@db/name",
    "postgresql://me:hunt?er2@db/name",
    "postgresql://me:hunt#er2@db/name",
    "host=db password=hunter2",
    "hunter2",
]


@pytest.mark.parametrize("url", UNCLEAR)
def test_an_address_that_is_unclear_is_refused_without_quoting_it(url: str) -> None:
    for use in (place, migrate, Writer, LatestCache):
        with pytest.raises(StorageError, match="must look like") as caught:
            use(url)
        for part in ("hunt", "er2"):
            assert part not in str(caught.value)


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(StorageError, match=r"postgresql://127\.0\.0\.1:1/name could not") as caught:
        migrate("postgresql://me:hunter2@127.0.0.1:1/name")
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_address_of_something_else_is_no_redis() -> None:
    with pytest.raises(StorageError, match=r"ftp://127\.0\.0\.1/0 is not an address of a Redis server"):
        LatestCache("ftp://:hunter2@127.0.0.1/0")
    asyncio.run(LatestCache("redis://127.0.0.1:1/0").close())
