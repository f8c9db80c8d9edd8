"""The real servers, as the session's fixture starts them."""

import asyncio

import psycopg
import pytest

from stack import kafka, postgres, redis

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
