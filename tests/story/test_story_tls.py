"""The default stack on servers that answer over TLS alone, and what it says of certificates that nobody signed."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from default_stack import Stack, up
from tls_servers import TlsServers, tls_servers

from settings import ROOT

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(900)]

SETTINGS = {"FORETICK_SAMPLE_PACE": "max", "FORETICK_SAMPLE_RUN": "false", "FORETICK_MODELS": "ridge"}
ENCRYPTED = """
SELECT count(*) FILTER (WHERE s.ssl), count(*) FILTER (WHERE NOT s.ssl)
FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
WHERE a.usename = current_user AND a.backend_type = 'client backend'
"""


@pytest.fixture(scope="module")
def servers() -> Iterator[TlsServers]:
    with tempfile.TemporaryDirectory(prefix="foretick-tls-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user when the tests run as root
        with tls_servers(Path(folder)) as running:
            yield running


def configured(servers: TlsServers, ca: Path, folder: Path, *, encrypted: bool = True) -> dict[str, str]:
    """Return the environment that names a file as docs/howto/cluster.md shows it, with these servers in it."""
    text = (ROOT / "docs/howto/cluster.md").read_text().partition("```toml\n")[2].partition("```")[0]
    for shown, here in {
        "kafka.example:9093": servers.kafka,
        "KAFKA-PASSWORD": servers.kafka_password,
        ":PASSWORD@db.example:5432": f":{servers.postgres_password}@{servers.postgres}",
        "REDIS-PASSWORD@redis.example:6379": f"{servers.redis_password}@{servers.redis}",
        "/etc/foretick/ca.pem": str(ca),
        **({} if encrypted else {"SASL_SSL": "SASL_PLAINTEXT", "verify-full": "disable", "rediss:": "redis:"}),
    }.items():
        assert shown in text
        text = text.replace(shown, here)
    file = folder / "foretick.toml"
    file.write_text(text if encrypted else text.partition("?ssl_ca_certs")[0] + '"')
    file.chmod(0o600)
    return {"FORETICK_CONFIG": str(file)}


@pytest.mark.long
def test_every_component_works_over_tls(servers: TlsServers, tmp_path: Path) -> None:
    with up(SETTINGS | configured(servers, servers.ca, tmp_path)) as stack:
        stack.until("all is well", lambda: well(stack), 240)
        encrypted, plain = stack.sql(ENCRYPTED)[0]
        assert encrypted > 5
        assert plain == 0
        kept = redis.Redis.from_url(stack.addresses["redis_url"])
        assert kept.connection_pool.connection_class is redis.SSLConnection
        assert [key for key in kept.keys("*") if b"BTCUSDT" in key]
        assert '"symbol":"' in stack.run("topics", "tail", "predictions").stdout
        assert "ok" in stack.run("doctor").stdout


def well(stack: Stack) -> bool:
    done = stack.run("status", "--json")
    return done.returncode == 0 and all(one["good"] for one in json.loads(done.stdout)["components"].values())


def test_a_certificate_that_nobody_known_signed_is_refused_in_words(servers: TlsServers, tmp_path: Path) -> None:
    done = Stack(tmp_path, configured(servers, servers.stranger, tmp_path)).run("doctor", "--json")
    assert done.returncode == 1
    for name in ("kafka", "postgres", "redis"):
        check = next(one for one in json.loads(done.stdout) if one["name"] == name)
        assert check["status"] == "fail"
        assert "certificate" in check["detail"], check


def test_a_server_of_tls_refuses_who_comes_without(servers: TlsServers, tmp_path: Path) -> None:
    without = configured(servers, servers.ca, tmp_path, encrypted=False)
    done = Stack(tmp_path, without).run("doctor", "--json")
    checks = {one["name"]: one["status"] for one in json.loads(done.stdout)}
    assert {name: checks[name] for name in ("kafka", "postgres", "redis")} == dict.fromkeys(
        ("kafka", "postgres", "redis"), "fail"
    )
