"""Generates the page of the features: `python -m features.listing > docs/FEATURES.md`."""

import sys
from itertools import groupby

from features.table import FEATURES, FINGERPRINT, HISTORY, LONGEST_GAP, NAMES, UNITS, Feature

SEEN_AS = {
    "level": "from the close",
    "change": "in parts of the close",
    "movement": "over the volatility",
    "free": "unchanged",
    "history": "no input: it depends on when the stream began",
    "amount": "no input: it has the symbol's own scale",
}
"""How a model uses a column, by `KINDS`."""


GAPS = f"""## Intervals without trades

- Across a gap of up to {LONGEST_GAP} intervals N bars are N bars that traded; `missing_before` counts the missing ones.
- After a longer one all state except the time is reset: all columns are unknown until they have warmed up again, and
  sums since the beginning restart.
- A volume, a number of trades or a market column that a source does not give is unknown in its row and in each window
  that contains it; a recursive average or a sum since the beginning leaves that row out.
- A longer timeframe's columns (`rsi_14@15m`, with `FORETICK_TIMEFRAMES`) are those of its newest bar that has closed,
  so up to one such bar old. After a long gap of the base bars they are unknown until a longer bar has closed.
- An undefined value (a position in a range of zero, a correlation with a constant) is unknown, not 0.

## Input of the models

"""


def page() -> str:
    """Return the page: a section for each family, a part for each feature."""
    families = {name: list(group) for name, group in groupby(FEATURES, key=lambda feature: feature.family)}
    parts = [
        "# The features\n\n",
        "Generated from `features/table.py` by `python -m features.listing > docs/FEATURES.md`; a test compares.\n\n",
        f"{len(NAMES)} columns of {len(FEATURES)} features, definition {FINGERPRINT}. A bar is known once it "
        "has ended, and no column uses\na later one. The warm-up counts the bars until a column is known, its own "
        f"included; the longest is {HISTORY}. Unknown is\nNaN, on the topics and in SQL null; never filled.\n\n",
        GAPS,
        "| unit | input of a model | columns |\n|---|---|---|\n",
    ]
    for unit in UNITS:
        count = sum(feature.units.count(unit) for feature in FEATURES)
        parts.append(f"| {unit} | {SEEN_AS[UNITS[unit]]} | {count} |\n" if count else "")
    for family, features in families.items():
        columns = sum(len(feature.names) for feature in features)
        parts.append(f"\n## {family.replace('_', ' ').capitalize()}: {columns} columns\n")
        parts += [_part(feature) for feature in features]
    return "".join(parts)


def _part(feature: Feature) -> str:
    """Return the part of one feature."""
    lines = [f"\n**{', '.join(f'`{name}`' for name in feature.names)}**\n\n{' '.join(feature.definition.split())}\n\n"]
    facts = {
        "parameters": ", ".join(
            [f"{value:g}" for value in feature.parameters] + ["fitted in training"] * feature.fitted
        ),
        "known from bar": str(feature.warmup),
        "unit": ", ".join(dict.fromkeys(feature.units)),
        "source": feature.source,
        "compared with": "; ".join(_oracles(feature)),
        "ta differs": feature.peculiar,
    }
    lines += [f"- {name}: {fact}\n" for name, fact in facts.items() if fact.strip()]
    return "".join(lines)


def _oracles(feature: Feature) -> list[str]:
    results = []
    for title, expressions in (("ta", feature.ta), ("TA-Lib", feature.talib), ("reference", feature.reference)):
        known = [f"`{expression}`" for expression in expressions if expression]
        if known and not (title == "ta" and feature.peculiar):
            results.append(f"{title} {', '.join(known)}")
    return results


if __name__ == "__main__":
    sys.stdout.write(page())
