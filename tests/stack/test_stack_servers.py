"""The real servers, as the session's fixture starts them."""

import asyncio
import subprocess

import psycopg
import pytest

from stack import kafka, kafka_classes, postgres, redis

pytestmark = pytest.mark.services


def test_each_server_answers_and_says_its_version(servers):
    assert asyncio.run(kafka.check(servers.kafka))
    assert "TimescaleDB" in asyncio.run(postgres.check(servers.database_url))
    assert asyncio.run(redis.check(servers.redis_url)).startswith("Redis ")


def test_our_role_is_no_superuser_and_can_make_the_extension(servers):
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        assert connection.execute("SELECT current_setting('is_superuser')").fetchone() == ("off",)


def test_a_wrong_password_is_refused(servers):
    user, _, rest = servers.database_url.partition("@")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"{user}x@{rest}")


def test_kafka_starts_from_its_class_cache_and_without_one_that_is_broken(tmp_path, monkeypatch):
    if not kafka.class_cache().exists():
        kafka_classes.make(kafka.class_cache())
    tool = ("kafka.tools.StorageTool", "random-uuid")
    first, *rest = kafka.java(*tool)
    needed = subprocess.run([first, "-XX:AOTMode=on", *rest], capture_output=True, check=False)  # or Java ends
    assert (needed.returncode, needed.stderr) == (0, b"")
    broken = tmp_path / "broken.aot"
    broken.write_bytes(kafka.class_cache().read_bytes()[:100_000])
    monkeypatch.setattr(kafka, "class_cache", lambda: broken)
    first, *rest = kafka.java(*tool)
    assert subprocess.run([first, "-XX:AOTMode=on", *rest], capture_output=True, check=False).returncode != 0
    started = subprocess.run([first, *rest], capture_output=True, check=False)
    assert (started.returncode, started.stderr) == (0, b"")
