"""How many days records are kept: in Kafka by topic, in the database by table."""

from collections.abc import Mapping

from topics.catalog import DAY_MS, FOREVER, TOPICS
from topics.suggestions import unknown

Days = Mapping[str, float | None]
"""By the name of a topic or table; None is for ever."""

NONE = "none"
MOST = 36_500.0
TOPIC_DAYS: Days = {topic.name: topic.retention_ms / DAY_MS for topic in TOPICS if topic.retention_ms != FOREVER}
"""What Kafka keeps by default. A topic that is compacted is not among them: it keeps the newest record of each key."""
TABLE_DAYS: Days = {
    "ticks": 30.0,
    "bars": None,
    "features": 90.0,
    "regimes": 365.0,
    "predictions": 180.0,
    "outcomes": 180.0,
    "score_hours": None,
    "model_skill": None,
    "alerts": 365.0,
    "alert_deliveries": 90.0,
    "dead_letters": 90.0,
}
"""What the database keeps by default. Bars are what models are trained on, `score_hours` and `model_skill` what remains
of forecasts; every table that is not here is kept for ever."""
AT_LEAST = (("score_hours", "outcomes"),)
"""A table, and another that it sums up: it is kept as long at least."""


def topic_days(given: object) -> dict[str, float | None]:
    """Return how long each topic is kept where some are given, as text (``ticks:14,alerts:none``) or by name.

    Raises ValueError.

    >>> topic_days("ticks:14")["ticks"], topic_days("")["gaps"]
    (14.0, 30.0)
    """
    return _changed(TOPIC_DAYS, given, "topic")


def table_days(given: object) -> dict[str, float | None]:
    """Return the same of the tables.

    >>> table_days("bars:400,features:none")["bars"], table_days("features:none")["features"]
    (400.0, None)
    """
    days = _changed(TABLE_DAYS, given, "table")
    for longer, shorter in AT_LEAST:
        if _length(days[longer]) < _length(days[shorter]):
            raise ValueError(
                f"{longer} would be kept for {said(days[longer])} and {shorter}, which it sums up, "
                f"for {said(days[shorter])}: keep it at least as long"
            )
    return days


def said(days: float | None) -> str:
    """Return a length of time in words.

    >>> said(30.0), said(1.0), said(None)
    ('30 days', '1 day', 'ever')
    """
    return "ever" if days is None else f"{days:g} day{'' if days == 1 else 's'}"


def _length(days: float | None) -> float:
    return float("inf") if days is None else days


def _changed(defaults: Days, given: object, what: str) -> dict[str, float | None]:
    if isinstance(given, str):
        parts = [part.strip().rpartition(":") for part in given.split(",") if part.strip()]
        pairs: list[tuple[object, object]] = [(name.strip() or text, text if name else "") for name, _, text in parts]
    elif isinstance(given, Mapping):
        pairs = list(given.items())
    else:
        raise ValueError(f"{given!r} says no days: write {next(iter(defaults))}:14")
    days = dict(defaults)
    for name, value in pairs:
        if name not in defaults:
            raise ValueError(unknown(what, str(name), list(defaults)))
        days[str(name)] = _days(str(name), value)
    return days


def _days(name: str, value: object) -> float | None:
    if value is None or value == NONE:
        return None
    try:
        days = float(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else 0.0
    except ValueError:
        days = 0.0
    if not 0 < days <= MOST:
        raise ValueError(f"{name}:{value}: not a number of days above 0, such as {name}:14; {NONE} keeps all")
    return days
