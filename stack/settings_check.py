"""Checks the settings of models, features, timeframes and retention before anything is started."""

from settings import Settings
from topics.retention import said


def check(settings: Settings) -> None:
    """Raise ValueError for an unknown name in a setting, with the setting and the nearest name; and if a table is kept
    for less time than is read of it."""
    _kept(settings)
    name = "MODELS"
    # Imported only if needed: numba takes half a second.
    try:
        if settings.models:
            from models.registry.names import check  # noqa: PLC0415 - numba

            check(settings.models)
        name = "TIMEFRAMES"
        if settings.timeframes:
            from features.timeframes import length  # noqa: PLC0415 - numba

            for timeframe in settings.timeframes:
                length(timeframe, settings.interval)
        name = "FEATURES"
        if settings.features:
            from features.definition import Definition  # noqa: PLC0415 - numba

            Definition(timeframes=settings.timeframes, columns=settings.features)
    except ValueError as error:
        raise ValueError(f"FORETICK_{name}: {error}") from error


def _kept(settings: Settings) -> None:
    needed = {"bars": ("RETRAIN_DAYS", settings.retrain_days)}
    needed |= dict.fromkeys(
        ("features", "regimes", "predictions", "outcomes"), ("CHALLENGER_DAYS", settings.challenger_days)
    )
    for table, (name, least) in needed.items():
        days = settings.table_days[table]
        if days is not None and days < least:
            raise ValueError(
                f"FORETICK_TABLE_DAYS keeps {table} for {said(days)}, and FORETICK_{name} reads {least:g} days of it: "
                f"keep them as long, or lower FORETICK_{name}"
            )
