"""Valid records of every type, made at random: what the mutations begin with.

Of symbols and models that the stack does not have from elsewhere, so that a record which stays valid changes nothing
that is compared.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from msgspec import Struct

from topics.limits import EARLIEST, LEAST_PRICE, LEAST_SCALE, MOST_PRICE, MOST_RETURN, MOST_SCALE, MOST_VALUE
from topics.records import (
    HORIZONS,
    QUANTILES,
    Alert,
    Bar,
    DeadLetter,
    Deployment,
    Drift,
    Features,
    Forecast,
    Gap,
    ModelEvent,
    Outcome,
    Prediction,
    Regime,
    Tick,
)
from topics.units import measure

MONTH_MS = 31 * 86_400_000
UNIVERSE = ("FUZZA", "FUZZB", "FUZZC")
SYMBOLS = (*UNIVERSE, "FUZZD", "FUZZE", "FUZZ:F", "FUZZ币", "F")
INTERVALS = (*["1m"] * 12, "5m", "1h", "1s", "30d", "tick-500", "volume-2.5", "range-0.00000001")
MODELS = ("fuzz", "fuzz-2", "Fuzz+3")
VERSIONS = ("0123456789ab", "ba9876543210", "v1", "F")
VERSIONS_OF_OURS = VERSIONS[:2]
ORIGIN = "fuzz-origin"
"""The topic that made-up dead letters name: one that names a real place would hide the letter about that place."""


@dataclass(kw_only=True)
class Builder:
    """Makes records. `begin` is the witnesses' first bar (epoch ms), `now` the clock, `number` what was made before."""

    chance: Random
    begin: int
    now: int
    fingerprint: str
    width: int
    number: int = 0
    one: str | None = None
    clock: int = 0

    def series(self) -> None:
        """Let the records that follow be of one symbol, a minute after another: such are folded, not passed over."""
        self.one, self.clock = self.symbol(), self._about_now()

    def symbol(self) -> str:
        """Return a symbol: one of a few, of which each is soon dated ahead, or one of now, of which there is more."""
        if self.one is not None:
            return self.one
        return self.any(SYMBOLS) if self.chance.random() < 0.5 else f"FUZZ{self.number // 700}"

    def _about_now(self) -> int:
        return self.begin + (self.number // 20 + self.chance.randrange(3)) * 60_000

    def of(self, record: type[Struct]) -> Struct:
        """Return a valid record of a type."""
        return MAKERS[record](self)

    def time(self, interval: str = "1s") -> int:
        """Return a time: mostly the witnesses' of about now, or any that a market may have."""
        kind = self.chance.random()
        if self.one is not None:
            self.clock += 60_000
            result = self.clock
        elif kind < 0.95:
            result = self._about_now()
        elif kind < 0.99:
            result = self.chance.randrange(EARLIEST + MONTH_MS, self.now)
        else:
            result = self.chance.choice((EARLIEST + MONTH_MS, self.now, self.now + 80_000_000))
        how, size = measure(interval)
        return -(-result // int(size)) * int(size) if how == "time" and size < 86_400_000 else result

    def bar_time(self, interval: str) -> int:
        """Return the time of a bar: where it is cut by time, a multiple of its interval."""
        how, size = measure(interval)
        result = self.time(interval)
        return result // int(size) * int(size) if how == "time" else result

    def price(self) -> float:
        """Return a price, now and then one at the ends of what may be."""
        if self.chance.random() < 0.05:
            return self.chance.choice((LEAST_PRICE, MOST_PRICE, 1.0, 1e-9, 1e9))
        return self.chance.lognormvariate(4.0, 0.01)

    def log_return(self) -> float:
        """Return a log return."""
        if self.chance.random() < 0.05:
            return self.chance.choice((MOST_RETURN, -MOST_RETURN, 0.0, -0.0, 5e-324))
        return self.chance.gauss(0.0, 0.001)

    def number_(self) -> float:
        """Return any number that a record may carry."""
        if self.chance.random() < 0.05:
            return self.chance.choice((MOST_VALUE, -MOST_VALUE, 0.0, -0.0, 5e-324, 1e-300))
        return self.chance.gauss(0.0, 1.0)

    def maybe(self, make: Callable[[], object]) -> object:
        """Return what is made, or None."""
        return make() if self.chance.random() < 0.7 else None

    def any(self, of: Sequence[str]) -> str:
        """Return one of some texts."""
        return self.chance.choice(of)


def tick(b: Builder) -> Tick:
    """Return a trade."""
    side = b.chance.choice(("buy", "sell", None))
    trade_id = b.maybe(lambda: str(b.chance.randrange(10_000)))
    return Tick(b.symbol(), b.time(), b.price(), b.chance.lognormvariate(0, 1), side, trade_id, "fuzz")


def bar(b: Builder) -> Bar:
    """Return a bar."""
    low, first, last, high = sorted(b.price() for _ in range(4))
    interval = b.any(INTERVALS)
    volume = b.maybe(lambda: b.chance.choice((0.0, 1e-18, 1e24, 1.5)))
    trades, gap = b.maybe(lambda: b.chance.randrange(2**53)), b.chance.choice((0, 0, 0, 1, 2**53))
    symbol, time = b.symbol(), b.bar_time(interval)
    results = (b.maybe(b.log_return), b.maybe(b.chance.random), b.maybe(b.log_return))
    suspect = b.maybe(lambda: "close is 10.0 times the close before")
    return Bar(symbol, interval, time, first, high, low, last, volume, trades, None, None, gap, None, *results, suspect)


def gap(b: Builder) -> Gap:
    """Return a hole in the trades."""
    start = b.time()
    return Gap(
        symbol=b.symbol(),
        venue="fuzz",
        start=start,
        end=start + b.chance.randrange(60_000),
        reason="made up",
        trades=b.chance.randrange(9),
    )


def features(b: Builder) -> Features:
    """Return a row of features; of our own definition it goes into the models."""
    ours = b.chance.random() < 0.8
    width = b.width if ours else b.chance.randrange(20)
    values = [b.maybe(b.number_) if b.chance.random() < 0.1 else b.number_() for _ in range(width)]
    name = b.fingerprint if ours else "0123456789ab"
    return Features(
        symbol=b.symbol(), interval="1m", time=b.bar_time("1m"), close=b.price(), fingerprint=name, values=values
    )


def regime(b: Builder) -> Regime:
    """Return a market state."""
    calm = b.chance.random()
    return Regime(
        symbol=b.symbol(),
        interval="1m",
        time=b.bar_time("1m"),
        state="calm",
        posterior={"calm": calm, "turbulent": 1 - calm},
        change_point=calm,
    )


def forecast(b: Builder, horizon: int) -> Forecast:
    """Return the distribution at a horizon."""
    quantiles = b.maybe(lambda: sorted(b.log_return() for _ in QUANTILES))
    scale = b.maybe(lambda: b.chance.choice((LEAST_SCALE, MOST_SCALE, 0.001)))
    weights = b.maybe(lambda: {"fuzz": b.chance.random()}) if b.chance.random() < 0.1 else None
    return Forecast(
        horizon=horizon,
        mean=b.maybe(b.log_return),
        scale=scale,
        quantiles=quantiles,
        p_up=b.maybe(b.chance.random),
        weights=weights,
    )


def prediction(b: Builder) -> Prediction:
    """Return what a version said."""
    interval = b.any(INTERVALS)
    horizons = b.chance.choice((HORIZONS, HORIZONS, (1,), (100_000,), ()))
    return Prediction(
        symbol=b.symbol(),
        interval=interval,
        time=b.bar_time(interval),
        model=b.any(MODELS),
        version=b.any(VERSIONS),
        fingerprint=b.fingerprint,
        price=b.price(),
        forecasts=[forecast(b, horizon) for horizon in horizons],
        regime="calm",
        role=b.chance.choice(("champion", "challenger", "standby")),
        dissimilarity=b.maybe(lambda: b.chance.choice((0.0, 1e6, 0.5))),
        expired=b.chance.random() < 0.1,
    )


def outcome(b: Builder) -> Outcome:
    """Return what came true."""
    time, horizon = b.bar_time("1m"), b.chance.choice((*HORIZONS, 100_000))
    loss = abs(b.log_return())
    scores = (b.log_return(), loss, loss, loss, b.chance.random() < 0.9, b.chance.random() < 0.5)
    target = min(time + horizon * 60_000, b.now)
    return Outcome(
        b.symbol(), "1m", time, b.any(MODELS), b.any(VERSIONS), horizon, target, "scored", *scores, "champion"
    )


def alert(b: Builder) -> Alert:
    """Return an alert."""
    identity = f"{b.chance.getrandbits(64):x}"
    return Alert(
        alert_id=identity,
        rule="fuzz-rule",
        symbol=b.symbol(),
        time=b.time(),
        severity="info",
        message="made up",
        value=b.number_(),
    )


def deployment(b: Builder) -> Deployment:
    """Return a decision about a model: of one that we have too, for only the ledger may decide."""
    model = b.any((*MODELS, "gbm", "naive", "online"))
    action = b.chance.choice(("serve", "challenge", "withdraw", "promote", "rollback", "retire"))
    number = b.chance.choice((1, 2, 7, 2**53))
    version = b.maybe(lambda: b.any(VERSIONS_OF_OURS))
    evidence = b.maybe(lambda: {"skill": b.number_()})
    challengers = [*VERSIONS_OF_OURS][: b.chance.randrange(3)]
    return Deployment(
        model=model,
        number=number,
        action=action,
        champion=version,
        fingerprint=b.fingerprint,
        time=b.time(),
        challengers=challengers,
        standby=None,
        decided_by="user",
        why="made up",
        evidence=evidence,
    )


def model_event(b: Builder) -> ModelEvent:
    """Return what a worker did."""
    event = b.chance.choice(("loaded", "refused", "serving"))
    symbol, interval = (b.symbol(), "1m") if event == "serving" else (None, None)
    return ModelEvent(
        model=b.any(MODELS),
        version=b.any(VERSIONS),
        event=event,
        fingerprint=b.fingerprint,
        time=b.time(),
        number=b.chance.randrange(9),
        role="champion",
        symbol=symbol,
        interval=interval,
        reason="why",
    )


def drift(b: Builder) -> Drift:
    """Return a change."""
    kind = b.chance.choice(("errors", "coverage", "features", "dissimilarity", "expiry"))
    return Drift(
        model=b.any(MODELS),
        version=b.any(VERSIONS),
        kind=kind,
        detector="page-hinkley",
        time=b.time(),
        statistic=b.number_(),
        limit=b.number_(),
        interval="1m",
        symbol=b.symbol(),
    )


def dead_letter(b: Builder) -> DeadLetter:
    """Return a letter about a place that is none."""
    value = b.chance.randbytes(b.chance.randrange(64))
    return DeadLetter(
        topic=ORIGIN,
        partition=b.chance.randrange(4),
        offset=b.chance.getrandbits(40),
        reason="made up",
        value=value,
        time=b.time(),
        key=b"key",
    )


MAKERS: dict[type[Struct], Callable[[Builder], Struct]] = {
    Tick: tick,
    Gap: gap,
    Bar: bar,
    Features: features,
    Regime: regime,
    Prediction: prediction,
    Outcome: outcome,
    Alert: alert,
    Deployment: deployment,
    ModelEvent: model_event,
    Drift: drift,
    DeadLetter: dead_letter,
}
"""What makes each type of record."""
