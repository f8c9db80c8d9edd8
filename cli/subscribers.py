"""`foretick alerts subscribe` and `unsubscribe`: the subscribers of alerts."""

import asyncio
import inspect
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from alerts.channel_table import CHANNELS
from cli.alerts_database import Json, database, say
from cli.errors import UserError
from settings import Settings
from topics.markets import canonical_pattern

if TYPE_CHECKING:
    from alerts.store.worker_settings import EffectiveSettings
    from alerts.subscriber import Subscriber

Name = Annotated[str, typer.Argument(help="The subscriber's name.")]


def _with_channels(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each channel behind its first argument: --NAME ADDRESS, or --NAME without one."""
    signature = inspect.signature(command)
    first, *others = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None if entry.addressed else False,
            annotation=Annotated[str | None if entry.addressed else bool, typer.Option(f"--{name}", help=entry.help)],
        )
        for name, entry in CHANNELS.items()
    ]
    rest = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in others]
    command.__signature__ = signature.replace(parameters=[first, *options, *rest])  # type: ignore[attr-defined] # typer asks `inspect`, which reads it
    return command


@_with_channels
def subscribe(
    name: Name,
    rule: Annotated[list[str] | None, typer.Option(help="Only alerts of this rule, or pattern, and others.")] = None,
    symbol: Annotated[
        list[str] | None, typer.Option(help="Only alerts about this symbol or pattern; may be repeated.")
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
            "--summarise/--each", help="Messages above the rate go as one summary (apprise's default), or wait."
        ),
    ] = None,
    as_json: Json = False,
    **channels: str | bool | None,
) -> None:
    """Add or change a subscriber. A webhook's signing key is shown once."""
    from alerts.delivery.address_guard import PrivateError
    from alerts.delivery.subscribe import SubscriptionRequest, prepare
    from alerts.store import secret_file, user_changes, worker_settings
    from alerts.store.names import rules_in_force

    request = SubscriptionRequest(
        name,
        {channel: _typed(address) for channel, address in channels.items() if address},
        tuple(rule or ()),
        tuple(map(canonical_pattern, symbol or ())),
        severity,
    )
    settings = Settings()
    with database() as connection:
        own, worker = worker_settings.of(settings), worker_settings.running(connection)
        decides = worker or own
        if any(CHANNELS[channel].addressed for channel in request.ways):
            _same(own, decides, "home")
        known = secret_file.read(settings.home).get(name)
        try:
            prepared = prepare(request, per_minute, burst, summarise, known, decides.allow_private)
            subscriber, secret = asyncio.run(prepared)
        except PrivateError as error:
            differ = [one.line() for one in worker_settings.differences(own, decides) if one.name == "allow_private"]
            raise UserError("; ".join((str(error), *differ))) from None
        secret_file.put(settings.home, name, secret)
        user_changes.subscribe(connection, subscriber)
        rules = rules_in_force(connection)
    _say_subscribed(as_json, subscriber, secret.key if secret is not None else None, rules, checked=worker is not None)


def _say_subscribed(
    as_json: bool, subscriber: "Subscriber", key: str | None, rules: "Sequence[str]", *, checked: bool
) -> None:
    """Print the target, the rules that do not exist yet, and the key if there is a new one."""
    from alerts.rules.observation import chosen
    from alerts.store.names import absent

    name = subscriber.name
    unmatched = [one for one in subscriber.rules if not any(chosen((one,), known) for known in rules)]
    say(
        as_json,
        {"subscriber": name, "target": subscriber.target, "key": key, "rules_not_there": unmatched},
        f"subscribed {name}: {subscriber.target}",
        *(absent("rule", one, rules) for one in unmatched),
        *(() if checked else ("no alerts worker runs to check it by its settings: these were the command's",)),
        *((f"signing key (keep it secret; the receiver checks signatures with it): {key}",) if key else ()),
    )


def _same(own: "EffectiveSettings", worker: "EffectiveSettings", name: str) -> None:
    """Raise UserError if a setting of the command differs from that of the running worker."""
    from alerts.store import worker_settings

    for one in worker_settings.differences(own, worker):
        if one.name == name:
            raise UserError(
                f"{one.line()}: give this command {one.setting}={one.worker}, or {worker_settings.RESTART} with it"
            )


def _typed(address: str | bool) -> str:
    """Return an address, from standard input where it is -: what is typed as an option others can see."""
    return sys.stdin.readline().strip() if address == "-" else "" if address is True else str(address)


def unsubscribe(name: Name, as_json: Json = False) -> None:
    """Remove a subscriber; its pending alerts are not delivered."""
    from alerts.store import secret_file, user_changes, worker_settings
    from alerts.store.names import absent, subscribers

    settings = Settings()
    with database() as connection:
        own = worker_settings.of(settings)
        _same(
            own, worker_settings.running(connection) or own, "home"
        )  # the secret is removed too, from the worker's folder
        if not user_changes.unsubscribe(connection, name):
            raise UserError(absent("subscriber", name, subscribers(connection)))
        secret_file.put(settings.home, name, None)
    say(as_json, {"unsubscribed": name}, f"unsubscribed {name}")


def send_test(name: str) -> None:
    """Send a test message to a subscriber, as the worker would. Raises UserError if there is none, or if the delivery
    fails.
    """
    from alerts.store import worker_settings
    from alerts.store.names import absent, subscribers
    from alerts.store.overview import subscriber_named

    settings = Settings()
    with database() as connection:
        subscriber = subscriber_named(connection, name)
        if subscriber is None:
            raise UserError(absent("subscriber", name, subscribers(connection)))
        own = worker_settings.of(settings)
        worker = worker_settings.running(connection) or own
    _same(own, worker, CHANNELS[subscriber.channel].goes_by)
    settings = settings.model_copy(update={"alerts_allow_private": worker.allow_private})
    problem = asyncio.run(_send_test(subscriber, settings))
    if problem is not None:
        raise UserError(f"{name} did not get the test message: {problem}")


async def _send_test(subscriber: "Subscriber", settings: Settings) -> str | None:
    import secrets

    from alerts.channel import Message
    from alerts.delivery.channels import open_channel
    from alerts.rules.link import dashboard
    from alerts.store import secret_file
    from topics.records import Alert

    now = int(datetime.now(UTC).timestamp() * 1000)
    alert = Alert(
        alert_id=f"test-{secrets.token_hex(8)}",
        rule="test",
        symbol="ALL",
        time=now,
        severity="info",
        message="A test of Foretick's alerts.",
    )
    channel = open_channel(subscriber, secret_file.read(settings.home).get(subscriber.name), settings)
    try:
        return (await channel.send(Message(alert.alert_id, (alert,), dashboard(settings), test=True))).error
    finally:
        await channel.close()
