"""Checks the settings of models, features and timeframes before anything is started."""

from collections.abc import Iterator

from settings import Settings
from settings.origins import label


def check(settings: Settings) -> None:
    """Raise ValueError for an unknown name in a setting, with the setting's place and the nearest name."""
    for problem in problems(settings):
        raise ValueError(problem)


def problems(settings: Settings) -> Iterator[str]:
    """Yield a line for each setting with an unknown name."""
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
