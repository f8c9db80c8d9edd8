"""Checks the settings of models, features, timeframes and retention before anything is started."""

from collections.abc import Iterator

from settings import Settings
from settings.origins import label
from topics.retention import said


def check(settings: Settings) -> None:
    """Raise ValueError for an unknown name in a setting, with the setting's place and the nearest name; and if a table
    is kept for less time than is read of it."""
    for problem in problems(settings):
        raise ValueError(problem)


def problems(settings: Settings) -> Iterator[str]:
    """Yield a line for each setting with an unknown name, and for each table that is kept too short."""
    yield from _kept(settings)
    # Imported only if needed: numba takes half a second.
    if settings.models:
        from models.registry.names import check as check_models  # noqa: PLC0415 - numba

        try:
            check_models(settings.models)
        except ValueError as error:
            yield f"{label('models')}: {error}"
    if settings.timeframes:
        from features.timeframes import length  # noqa: PLC0415 - numba

        try:
            for timeframe in settings.timeframes:
                length(timeframe, settings.interval)
        except ValueError as error:
            yield f"{label('timeframes')}: {error}"
    if settings.features:
        from features.definition import Definition  # noqa: PLC0415 - numba

        try:
            Definition(timeframes=settings.timeframes, columns=settings.features)
        except ValueError as error:
            yield f"{label('features')}: {error}"


def _kept(settings: Settings) -> Iterator[str]:
    needed = {"bars": ("retrain_days", settings.retrain_days)}
    needed |= dict.fromkeys(
        ("features", "regimes", "predictions", "outcomes"), ("challenger_days", settings.challenger_days)
    )
    for table, (name, least) in needed.items():
        days = settings.table_days[table]
        if days is not None and days < least:
            yield (
                f"{label('table_days')} keeps {table} for {said(days)}, and {label(name)} reads {least:g} days of it: "
                f"keep them as long, or lower {label(name)}"
            )
