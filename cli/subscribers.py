"""`foretick alerts subscribe` and `unsubscribe`: who is told of alerts."""

import asyncio
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.alerts_database import Json, database, say
from cli.errors import UserError
from settings import Settings

if TYPE_CHECKING:
    from alerts.subscriber import Subscriber

Name = Annotated[str, typer.Argument(help="The subscriber's name.")]


def subscribe(
    name: Name,
    webhook: Annotated[
        str | None, typer.Option(help="An address that takes signed POSTs; - reads it from stdin.")
    ] = None,
    apprise: Annotated[
        str | None, typer.Option(help="An apprise URL: mailto://, tgram://, slack://, discord://...; - reads stdin.")
    ] = None,
    redis: Annotated[
        bool, typer.Option("--redis", help="Redis pub/sub on foretick:alerts; there from the start.")
    ] = False,
    rule: Annotated[list[str] | None, typer.Option(help="Only alerts of this rule, or pattern, and others.")] = None,
    symbol: Annotated[
        list[str] | None, typer.Option(help="Only alerts about this symbol, or pattern, and others.")
    ] = None,
    severity: Annotated[str, typer.Option(help="The least severity: info, warning or critical.")] = "info",
    per_minute: Annotated[
        float | None, typer.Option(min=0.01, help="Messages a minute: 6 by default for apprise, 600 for a webhook.")
    ] = None,
    burst: Annotated[
        int | None, typer.Option(min=1, help="Messages at once: 10 by default, 100 for a webhook.")
    ] = None,
    summarise: Annotated[
        bool | None,
        typer.Option(
            "--summarise/--each", help="What is over the rate goes as one summary (apprise's default), or waits."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell somebody of alerts from now on, or change how. A webhook's signing key is shown once."""
    from alerts import changes, secret_file  # noqa: PLC0415 - as in `database`
    from alerts.signing_up import Wish, prepare  # noqa: PLC0415

    wish = Wish(name, _typed(webhook), _typed(apprise), redis, tuple(rule or ()), tuple(symbol or ()), severity)
    home = Settings().home
    try:
        subscriber, secret = asyncio.run(
            prepare(
                wish, per_minute, burst, summarise, secret_file.read(home).get(name), Settings().alerts_allow_private
            )
        )
    except ValueError as error:
        raise UserError(str(error)) from None
    with database() as connection:
        secret_file.put(home, name, secret)
        changes.subscribe(connection, subscriber)
    key = secret.key if secret is not None else None
    say(
        as_json,
        {"subscriber": name, "target": subscriber.target, "key": key},
        f"subscribed {name}: {subscriber.target}",
        *((f"signing key (keep it secret; the receiver checks signatures with it): {key}",) if key else ()),
    )


def _typed(address: str | None) -> str | None:
    """Return an address, from standard input where it is -: what is typed as an option others can see."""
    return sys.stdin.readline().strip() if address == "-" else address


def unsubscribe(name: Name, as_json: Json = False) -> None:
    """Tell a subscriber nothing more; what waits for it is not delivered."""
    from alerts import changes, secret_file  # noqa: PLC0415 - as in `database`

    with database() as connection:
        if not changes.unsubscribe(connection, name):
            raise UserError(f"there is no subscriber {name}: foretick alerts list")
        secret_file.put(Settings().home, name, None)
    say(as_json, {"unsubscribed": name}, f"unsubscribed {name}")


def send_test(name: str) -> None:
    """Send a test message to a subscriber. Raises UserError where there is none, or it does not get it."""
    from alerts.overview import subscriber_named  # noqa: PLC0415 - as in `database`

    with database() as connection:
        found = subscriber_named(connection, name)
    if found is None:
        raise UserError(f"there is no subscriber {name}: foretick alerts list")
    problem = asyncio.run(_send_test(found))
    if problem is not None:
        raise UserError(f"{name} did not get the test message: {problem}")


async def _send_test(subscriber: "Subscriber") -> str | None:
    import secrets  # noqa: PLC0415 - with the channels

    from alerts import secret_file  # noqa: PLC0415 - httpx and redis
    from alerts.channel import Message  # noqa: PLC0415
    from alerts.channels import open_channel  # noqa: PLC0415
    from topics.records import Alert  # noqa: PLC0415

    settings = Settings()
    now = int(datetime.now(UTC).timestamp() * 1000)
    alert = Alert(f"test-{secrets.token_hex(8)}", "test", "ALL", now, "info", "A test of Foretick's alerts.")
    channel = open_channel(subscriber, secret_file.read(settings.home).get(subscriber.name), settings)
    try:
        return (await channel.send(Message(alert.alert_id, (alert,), test=True))).error
    finally:
        await channel.close()
