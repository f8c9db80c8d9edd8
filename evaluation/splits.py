"""The training and test rows of a split: cut at times, the same for every symbol."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from features.frame import FeatureFrame

DAY = 86_400_000
EMBARGO = DAY
"""Between the last label of the training and the first forecast that is scored (epoch ms)."""


@dataclass(frozen=True)
class Split:
    """One step of the walk, in epoch ms: trained on [start, cut - EMBARGO), tested on [cut, end).

    Labels come from the training frames' own closes, so none of them ends after cut - EMBARGO: that is the purge.
    """

    name: str
    start: int
    cut: int
    end: int

    def training(self, frame: FeatureFrame) -> FeatureFrame:
        """Return the rows to fit on."""
        return between(frame, self.start, self.cut - EMBARGO)

    def walked(self, frame: FeatureFrame, warm_up: int) -> FeatureFrame:
        """Return the rows to forecast: those of the test, and `warm_up` ms before, which are not scored."""
        return between(frame, self.cut - warm_up, self.end)


def between(frame: FeatureFrame, start: int, end: int) -> FeatureFrame:
    """Return the rows of [start, end), epoch ms."""
    first, last = frame.time.searchsorted([start, end]).tolist()
    return frame[first:last]


def monthly(first: int, last: int, months: int, window: int) -> list[Split]:
    """Return the splits that test the last whole months up to `last`, each after `window` days of training.

    `first` and `last` are the times of the first and last bar (epoch ms); a month counts as whole when its last day has
    bars. Raises ValueError if the data do not reach back far enough.
    """
    end = _month(last + DAY)
    splits = []
    for _ in range(months):
        begin = _month(end - 1)
        splits.append(Split(_name(begin), begin - window * DAY, begin, end))
        end = begin
    return _checked(splits[::-1], first)


def days(first: int, last: int, test: int, window: int) -> list[Split]:
    """Return one split that tests the last `test` whole days, after `window` days. Raises ValueError as `monthly`."""
    end = (last + 60_000) // DAY * DAY
    cut = end - test * DAY
    return _checked([Split(_name(cut, "%Y-%m-%d"), cut - window * DAY, cut, end)], first)


def _checked(splits: list[Split], first: int) -> list[Split]:
    if splits[0].start < first:
        short = -(-(first - splits[0].start) // DAY)
        raise ValueError(
            f"the bars begin {short} days too late to train for {splits[0].name}: "
            "give more history, fewer --months, or a shorter --window"
        )
    return splits


def _month(time: int) -> int:
    moment = datetime.fromtimestamp(time / 1_000, UTC)
    begin = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return round(begin.timestamp() * 1_000)


def _name(time: int, form: str = "%Y-%m") -> str:
    return (datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=time)).strftime(form)
