"""How Kafka is reached: as whom, and that nothing shows the password."""

import json
import secrets
from pathlib import Path

import pytest

from settings import ADDRESSES, Settings
from settings.broker import Broker, at

PASSWORD = secrets.token_hex(12)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home in which `up` wrote a Kafka and its user down."""
    written = {"kafka": "127.0.0.1:21000", "kafka_user": "foretick", "kafka_password": PASSWORD}
    (tmp_path / ADDRESSES).write_text(json.dumps({**written, "kafka_security": "SASL_PLAINTEXT"}))
    return tmp_path


def test_the_user_that_was_written_down_is_used_where_the_address_is(home: Path) -> None:
    client = Settings(home=home).broker.client()
    assert client["bootstrap_servers"] == "127.0.0.1:21000"
    assert (client["sasl_plain_username"], client["sasl_plain_password"]) == ("foretick", PASSWORD)
    assert (client["security_protocol"], client["sasl_mechanism"]) == ("SASL_PLAINTEXT", "SCRAM-SHA-512")


def test_another_kafka_is_not_told_the_password_of_ours(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "sasl_plain_password" not in Settings(home=home, kafka="other:9092").broker.client()
    monkeypatch.setenv("FORETICK_KAFKA", "other:9092")
    client = Settings(home=home).broker.client()
    assert client == {"bootstrap_servers": "other:9092", "security_protocol": "PLAINTEXT"}


def test_a_managed_cluster_is_reached_by_tls_as_its_user(home: Path) -> None:
    settings = Settings(
        home=home,
        kafka="broker.example.org:9094",
        kafka_user="desk",
        kafka_password=PASSWORD,
        kafka_security="SASL_SSL",
        kafka_mechanism="PLAIN",
    )
    client = settings.broker.client()
    assert client["ssl_context"].check_hostname
    assert (client["security_protocol"], client["sasl_mechanism"]) == ("SASL_SSL", "PLAIN")


def test_no_text_of_a_broker_or_of_the_settings_holds_the_password(home: Path) -> None:
    settings = Settings(home=home)
    assert str(settings.broker) == "127.0.0.1:21000"
    for text in (repr(settings.broker), repr(settings), str(settings), settings.model_dump_json()):
        assert PASSWORD not in text


def test_an_address_alone_is_a_broker_that_asks_for_no_user() -> None:
    assert at("127.0.0.1:9092") == Broker(servers="127.0.0.1:9092")
    assert at("127.0.0.1:9092").client() == {"bootstrap_servers": "127.0.0.1:9092", "security_protocol": "PLAINTEXT"}
