"""The page of the tables, views and functions for SQL, made from a migrated database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from cli.reference.markdown import code, head, prose, table
from cli.reference.rest import document
from storage.tables import QUANTILE_COLUMNS

HEAD = """
The address is in `./foretick status`, the password in `.foretick/addresses.json`; the role `foretick` owns the
database. Times are `timestamptz`; returns are log returns; unknown is NULL. Tables that are not listed here are behind
the views or are a component's own state.
"""
QUERY = """
SELECT c.relname, c.relkind = 'v', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    array_position(i.indkey::int2[], a.attnum) IS NOT NULL,
    (SELECT extract(epoch FROM d.time_interval) / 86400 FROM timescaledb_information.dimensions d
     WHERE d.hypertable_schema = 'public' AND d.hypertable_name = c.relname)::float8
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'v') ORDER BY c.relname, a.attnum
"""
FUNCTIONS = {
    "feature(values, fingerprint, name)": (
        "One number of a row of `features` by its name, such as `'rsi_14'`; NULL where it is unknown."
    ),
    "symbol_of(market)": "The tables' spelling of a market: `symbol_of('BTC/USDT')` is `BTCUSDT`.",
    "skill_of(loss, reference)": (
        "1 - loss / reference, of sums over the same forecasts; NULL where the reference lost nothing."
    ),
}


@dataclass(frozen=True, kw_only=True)
class Relation:
    """What is said of a table or view: a sentence, the row of the HTTP API that has its columns, and other columns."""

    about: str
    row: str = ""
    columns: dict[str, str] = field(default_factory=dict)


_FORECAST = {
    "mean": "of the log return over the horizon",
    "scale": "of the log return over the horizon",
    **dict.fromkeys(QUANTILE_COLUMNS, "quantile of the log return"),
}
_OUTCOME = {
    "status": "scored; stale: no bar traded at the target; unscored: the model had no forecast",
    "realised": "the log return over the horizon",
    "absolute_error": "a log return",
}
_SCORE = {name: text for name, text in _OUTCOME.items() if name != "status"}
_SUMS = {
    "hour": "the beginning of the hour of the forecasts' bars",
    "scored": "how many forecasts were scored",
    "paired": "how many have a pinball loss beside one of the naive model at the same bar",
    "pinball": "the sum over the paired",
    "naive_pinball": "the naive model's sum over the paired",
    "absolute_error": "the sum where both errors are known",
    "naive_absolute_error": "the sum where both errors are known, of a forecast of no change",
    "intervals": "how many have a 90 % interval",
    "interval_hits": "in how many of these the price was inside",
    "directions": "how many had a price that moved, and said where",
    "direction_hits": "how many of these were right",
    "horizon": "bars ahead",
}
RELATIONS = {
    "Market data": {
        "bars": Relation(about="Bars of any length, from files, feeds and ticks.", row="BarRow"),
        "ticks": Relation(
            about="Trades.",
            columns={
                "identity": "tells apart trades of one moment: venue and id, or the place in Kafka or the file",
                "amount": "in the base currency",
                "side": "of the taker",
                "repaired": "fetched afterwards, to close a gap",
            },
        ),
        "gaps": Relation(about="Trades or records that are known to be missing.", row="GapRow"),
        "features": Relation(
            about="The indicators of each bar, as one array; `feature()` takes one of them by its name.",
            row="FeatureRow",
            columns={"values": "in the order of the definition's names"},
        ),
        "feature_definitions": Relation(
            about="The names of the values in a row of `features`, by fingerprint.",
            columns={"names": "in the order of the values"},
        ),
        "regimes": Relation(about="The state of the market at each bar.", row="RegimeRow"),
    },
    "Forecasts and their scores": {
        "predictions": Relation(
            about="Every forecast, a row for each horizon.", row="PredictionRow", columns=_FORECAST
        ),
        "latest_predictions": Relation(
            about="The newest forecast of each champion.", row="PredictionRow", columns=_FORECAST
        ),
        "outcomes": Relation(about="What came of each forecast, scored or not.", row="OutcomeRow", columns=_OUTCOME),
        "scores": Relation(
            about="The scored outcomes, each with the naive model's loss.", row="OutcomeRow", columns=_SCORE
        ),
        "score_hours": Relation(
            about="Sums and counts of `scores` by hour of the forecast, always up to date: for long spans.",
            columns=_SUMS,
        ),
        "drift": Relation(about="What detectors found. A detection is only a candidate.", row="DriftRow"),
    },
    "Models": {
        "model_deployments": Relation(about="Each promotion, rollback and change of challengers.", row="ModelRow"),
        "model_events": Relation(
            about="What workers did with a version of a model: loaded, refused, serving for a symbol."
        ),
        "model_skill": Relation(
            about="The skill of each version over the last days, as the watcher computed it.",
            columns={
                "horizon": "bars ahead",
                "days": "the length of the window",
                "forecasts": "how many were scored in it",
                "pinball_skill": "1 - pinball / pinball of the naive model",
                "mae_skill": "1 - absolute error / that of a forecast of no change",
                "coverage": "the share in the 90 % interval",
            },
        ),
        "pipeline_runs": Relation(
            about="The runs of the pipeline that trains and promotes.",
            columns={"bar_time": "the newest bar that it trains on", "stop_reason": "as given by whoever stopped it"},
        ),
        "pipeline_steps": Relation(about="The steps of each run."),
    },
    "Alerts and operation": {
        "alerts": Relation(about="Every alert.", row="AlertRow"),
        "alert_rules": Relation(about="The rules, with every version that they had."),
        "alert_deliveries": Relation(about="What became of each alert for each subscriber."),
        "dead_letters": Relation(
            about="Records that could not be read, as they came.",
            columns={
                "row": "its index in the record's array",
                "value": "the bytes",
                "size": "of the value in bytes, if it was cut",
                "state": "new, retried or dropped",
            },
        ),
        "table_retention": Relation(
            about="How long the rows of each table are kept, and what was dropped so far.",
            columns={"kept_days": "NULL where they are kept for ever"},
        ),
    },
}
OWN_USE = frozenset(
    (
        "alert_acknowledgements",
        "alert_mutes",
        "alert_offsets",
        "alert_outbox",
        "alert_states",
        "alert_subscribers",
        "alert_worker",
        "contexts",
        "dashboard_actions",
        "dead_letter_resends",
        "outcome_rows",
        "prediction_rows",
        "schema_migrations",
        "score_archive",
        "score_sums",
        "series",
        "stale_score_hours",
    )
)
"""Tables behind the views, and the components' own state."""


def read(url: str) -> list[tuple[Any, ...]]:
    """Return a row for each column of the database's tables and views."""
    with psycopg.connect(url) as connection:
        return connection.execute(QUERY).fetchall()


def page(rows: Sequence[tuple[Any, ...]]) -> str:
    """Return the page.

    Raises:
        ValueError: a table is neither described nor for own use, or one of these does not exist.
    """
    described = {name for relations in RELATIONS.values() for name in relations}
    if unlike := {row[0] for row in rows} ^ (described | OWN_USE):
        raise ValueError(f"not in the database, or neither in RELATIONS nor OWN_USE: {', '.join(sorted(unlike))}")
    parts = [head("SQL", "a migrated database"), HEAD]
    for title, relations in RELATIONS.items():
        parts.append(f"\n## {title}\n")
        parts += [_section(name, one, [row for row in rows if row[0] == name]) for name, one in relations.items()]
    functions = [(code(name), prose(about)) for name, about in FUNCTIONS.items()]
    return "".join([*parts, "\n## Functions\n\n", table(("function", "what it returns"), functions)])


def _section(name: str, relation: Relation, rows: list[tuple[Any, ...]]) -> str:
    fields = document()["components"]["schemas"][relation.row]["properties"] if relation.row else {}
    known = {column: one.get("description", "") for column, one in fields.items()} | relation.columns
    known = {column: text for column, text in known.items() if text != "epoch milliseconds, UTC"}
    columns = [row[2] for row in rows]
    if unknown := relation.columns.keys() - set(columns):
        raise ValueError(f"{name} has no {', '.join(sorted(unknown))}")
    _, view, *_, days = rows[0]
    key = ", ".join(code(row[2]) for row in rows if row[5])
    what = ["A view." if view else f"Key: {key}."] + ([f"In chunks of {days:g} days of `time`."] if days else [])
    # PostgreSQL does not know which columns of a view may be NULL.
    heads = ("column", "type", *(() if view else ("may be NULL",)), "what it is")
    cells = [
        (code(column), code(kind), *(() if view else ("" if required else "yes",)), prose(known.get(column, "")))
        for _, _, column, kind, required, _, _ in rows
    ]
    return f"\n### {name}\n\n{prose(relation.about)} {' '.join(what)}\n\n{table(heads, cells)}"
