"""Alerts in a storm, with a subscriber away, and killed: `python -m bench.alerts [--minutes 5] [--save]`.

On a stack of its own, with the hands of tests/alerts: 10,000 matches within a minute for a rule that tells all and one
with a cooldown, to a webhook that gets each, one that gets summaries, and Redis; a webhook that is down for five
minutes while a match comes each second; and a storm in which the alerts worker is killed with -9 three times. Besides,
how many records a second the matching alone takes.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from bench.report import save
from settings import ROOT

sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "alerts")]

from alert_records import MINUTE, prediction
from alert_runs import COMPONENTS, TAKES_EFFECT_S, Alerts, matches
from receiver import Receiver
from stacks import running

from alerts.rules import matching
from alerts.rules.rule import Rule, When
from topics.records import Prediction

SYMBOLS, EACH, STORM_S = 100, 100, 60.0
LATENCY = """
SELECT round((extract(epoch FROM percentile_cont(%s) WITHIN GROUP (ORDER BY {} - made_at)) * 1000)::numeric)::int8
FROM {} WHERE alert_id LIKE %s
"""


def quantiles(alerts: Alerts, column: str, table: str, like: str) -> dict[str, int]:
    """Return how many milliseconds after its making an alert was published or delivered."""
    query = LATENCY.format(column, table)
    return {f"p{share:.0%}".rstrip("%"): alerts.query(query, share, like)[0][0] for share in (0.5, 0.99)}


def paced(alerts: Alerts, records: Sequence[Prediction], seconds: float) -> tuple[float, int]:
    """Send records evenly over so many seconds; return how many it took, and the most that were not read meanwhile."""
    behind = [0]
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(1.0):
            with suppress(OSError, KeyError):
                behind.append(alerts.behind())

    watcher = threading.Thread(target=look)
    watcher.start()
    began = time.monotonic()
    frames = len(records) / EACH

    def wait_for(number: int) -> None:
        time.sleep(max(0.0, began + seconds * (number + 1) / frames - time.monotonic()))

    alerts.send(records, wait_for)
    took = time.monotonic() - began
    stop.set()
    watcher.join()
    return took, max(behind)


def storm(alerts: Alerts) -> dict[str, object]:
    """10,000 matches in a minute."""
    with Receiver().listening() as each, Receiver().listening() as people:
        alerts.add("storm", symbols=("STORM*",))
        alerts.add("calm", symbols=("STORM*",), cooldown_ms=30 * MINUTE)
        alerts.subscribe("each", each.url, symbols=("STORM*",))
        alerts.subscribe("people", people.url, symbols=("STORM*",), per_minute=6, burst=10, summarise=True)
        time.sleep(TAKES_EFFECT_S)
        began = time.monotonic()
        took, most_behind = paced(alerts, matches(SYMBOLS, EACH, "STORM"), STORM_S)
        alerts.wait(lambda: alerts.deliveries("redis")["waiting"] == 0, lambda: alerts.deliveries("redis"))
        alerts.wait(lambda: len(alerts.made("storm")) == SYMBOLS * EACH, lambda: len(alerts.made("storm")))
        stored = time.monotonic() - began
        every = SYMBOLS * EACH + len(alerts.made("calm"))
        alerts.wait(lambda: alerts.deliveries("each")["delivered"] == every, lambda: alerts.deliveries("each"))
        delivered = time.monotonic() - began
        alerts.wait(lambda: alerts.deliveries("people")["delivered"] == every, lambda: alerts.deliveries("people"))
    return {
        "storm_matches": SYMBOLS * EACH,
        "storm_seconds": round(took, 1),
        "storm_alerts": {"without_cooldown": len(alerts.made("storm")), "with_cooldown": len(alerts.made("calm"))},
        "storm_most_messages_behind": most_behind,
        "storm_made_to_topic_ms": quantiles(alerts, "published_at", "alert_outbox", "%"),
        "storm_stored_after_seconds": round(stored, 1),
        "storm_webhook_had_all_after_seconds": round(delivered, 1),
        "storm_webhook_twice": sum(count > 1 for count in each.alert_ids().values()),
        "storm_summaries": {"messages": len(people.requests), "alerts_in_them": len(people.alert_ids())},
    }


def away(alerts: Alerts, minutes: float) -> dict[str, object]:
    """A subscriber that is down, while a match comes each second."""
    with Receiver().listening() as before:
        port = before.port
    alerts.add("away", symbols=("AWAY",))
    alerts.subscribe("away-hook", f"http://127.0.0.1:{port}/hook", rules=("away",))
    time.sleep(TAKES_EFFECT_S)
    count = int(minutes * 60)
    began = time.monotonic()
    for number in range(count):
        alerts.send([prediction(number, symbol="AWAY")])
        time.sleep(max(0.0, began + number + 1 - time.monotonic()))
    tries = max(alerts.attempts("away-hook").values())
    with Receiver(port).listening() as receiver:
        back = time.monotonic()
        alerts.wait(lambda: len(receiver.requests) > 0, receiver.alert_ids)
        first = time.monotonic() - back
        alerts.wait(
            lambda: alerts.deliveries("away-hook")["delivered"] == count, lambda: alerts.deliveries("away-hook")
        )
        took = time.monotonic() - back
    order = [document["alerts"][0]["time"] for document in receiver.documents()]
    return {
        "away_minutes": minutes,
        "away_alerts": count,
        "away_tries_meanwhile": tries,
        "away_first_after_seconds": round(first, 1),
        "away_all_after_seconds": round(took, 1),
        "away_missing": count - len(receiver.alert_ids()),
        "away_twice": sum(times > 1 for times in receiver.alert_ids().values()),
        "away_in_order": order == sorted(order),
    }


def killed(alerts: Alerts) -> dict[str, object]:
    """A storm in which the worker is killed three times."""
    with Receiver().listening() as receiver:
        alerts.add("killed", symbols=("KILL*",))
        alerts.subscribe("killed-hook", receiver.url, rules=("killed",))
        time.sleep(TAKES_EFFECT_S)
        pauses: list[float] = []

        def now_and_then(number: int) -> None:
            if number % 10 == 5 and len(pauses) < 3:
                wanted = len(receiver.requests) + 100
                alerts.wait(lambda: len(receiver.requests) >= wanted, receiver.alert_ids)
                alerts.kill()
                had, at = len(receiver.requests), time.monotonic()
                alerts.wait(lambda: len(receiver.requests) > had + 1, receiver.alert_ids)
                pauses.append(round(time.monotonic() - at, 1))

        count = 3_000
        alerts.send(matches(30, 100, "KILL"), now_and_then)
        alerts.wait(
            lambda: alerts.deliveries("killed-hook")["delivered"] == count, lambda: alerts.deliveries("killed-hook")
        )
        alerts.wait(lambda: len(alerts.made("killed")) == count, lambda: len(alerts.made("killed")))
    topic = [alert.alert_id for alert in alerts.on_topic() if alert.rule == "killed"]
    came, attempts = receiver.alert_ids(), alerts.attempts("killed-hook")
    twice = [alert_id for alert_id, times in came.items() if times > 1]
    return {
        "killed_alerts": {"wanted": count, "on_the_topic": len(topic), "of_them_once": len(set(topic))},
        "killed_silent_seconds": pauses,
        "killed_missing_at_the_webhook": count - len(came),
        "killed_twice_at_the_webhook": len(twice),
        "killed_twice_and_not_explained": sum(attempts[alert_id] < came[alert_id] for alert_id in twice),
    }


def matching_alone() -> dict[str, object]:
    """Return how many records a second ten rules look at."""
    rules = [
        Rule(name=f"r{n}", on="prediction", when=When("above", "mean", 0.001 * n), horizon=15, cooldown_ms=30 * MINUTE)
        for n in range(10)
    ]
    records = [prediction(minute, symbol=f"S{n}", horizons=(1, 5, 15, 60)) for minute in range(500) for n in range(10)]
    begun = time.perf_counter()
    matching.run(matching.distribute(rules, {"prediction": records}), {})
    return {"records_a_second_through_ten_rules": round(len(records) / (time.perf_counter() - begun))}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long the subscriber is away")
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    figures = matching_alone()
    parts: tuple[Callable[[Alerts], dict[str, object]], ...] = (storm, lambda on: away(on, options.minutes), killed)
    with running(COMPONENTS, environment={"FORETICK_ALERTS_ALLOW_PRIVATE": "true"}) as servers:
        for part in parts:
            figures |= part(Alerts(servers))
    print(json.dumps(figures, indent=2))
    if options.save:
        save("alerts", f"python -m bench.alerts --minutes {options.minutes:g}", figures)


if __name__ == "__main__":
    main()
