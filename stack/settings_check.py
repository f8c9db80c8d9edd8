"""Checks the settings of models, features and timeframes before anything is started."""

from settings import Settings


def check(settings: Settings) -> None:
    """Raise ValueError for an unknown name in a setting, with the setting and the nearest name."""
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
