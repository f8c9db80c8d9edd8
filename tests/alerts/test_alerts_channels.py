"""Every channel of the table can be opened, asked for and stored: its file, its option and its migration are there."""

import asyncio
import inspect
import re

import pytest

from alerts.channel_table import CHANNELS, ChannelEntry, ChannelKind
from alerts.delivery.channels import open_channel
from alerts.store.secret_file import Secret
from alerts.subscriber import Subscriber
from cli import subscribers
from settings import ROOT, Settings

CHECK = re.compile(r"channel IN \(([^)]*)\)")


def stored() -> set[str]:
    """Return the channels that the newest CHECK of the migrations lets into the table."""
    statements = [
        match[1] for path in sorted((ROOT / "storage/sql").glob("*.sql")) for match in CHECK.finditer(path.read_text())
    ]
    return set(re.findall(r"'(\w+)'", statements[-1]))


def test_every_channel_has_its_migration_and_the_database_knows_no_other() -> None:
    assert stored() == set(CHANNELS)
    planted = CHANNELS | {"pager": ChannelEntry("alerts.delivery.deliver_pager:KIND", "A pager.")}
    assert set(planted) - stored() == {"pager"}


@pytest.mark.parametrize("name", CHANNELS)
def test_each_channel_of_the_table_names_its_module(name: str) -> None:
    assert isinstance(CHANNELS[name].kind, ChannelKind)
    assert CHANNELS[name].place == f"alerts.delivery.deliver_{name}:KIND"


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_with_an_address_is_unreachable_without_its_secret(name: str) -> None:
    async def opened(secret: Secret | None) -> str:
        channel = open_channel(Subscriber(name="someone", channel=name, target="somewhere"), secret, Settings())
        await channel.close()
        return type(channel).__name__

    known = asyncio.run(opened(Secret("https://203.0.113.7/hook", "key")))
    assert known != "Unreachable"
    assert asyncio.run(opened(None)) == ("Unreachable" if CHANNELS[name].addressed else known)


def test_subscribe_has_an_option_for_each_channel() -> None:
    assert list(inspect.signature(subscribers.subscribe).parameters)[: 1 + len(CHANNELS)] == ["name", *CHANNELS]


def test_a_line_in_the_channel_table_adds_the_option_of_subscribe(monkeypatch: pytest.MonkeyPatch) -> None:
    pager = ChannelEntry("alerts.delivery.deliver_webhook:KIND", "A pager's address.")
    monkeypatch.setattr(subscribers, "CHANNELS", CHANNELS | {"pager": pager})

    def command(name: str, severity: str = "info", **channels: str | bool | None) -> None:
        """Take what is given."""

    parameters = inspect.signature(subscribers._with_channels(command)).parameters
    assert list(parameters) == ["name", *CHANNELS, "pager", "severity"]
