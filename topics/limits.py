r"""The limits of a record's fields: lengths, numbers and times.

The limits of numbers are far beyond any market and far within float64 (and, where a model sees them, float32): no
product, ratio, square or sum that the folds make of numbers within them is infinite or loses all its digits. A log
return between two prices is at most ln(10^24) = 55.3 either way.

A pattern is written for JSON Schema (ECMA-262), and the whole text must match: in Python by `fullmatch`, since `$` also
matches before a final newline. msgspec would check every record of a frame; `topics.codec` checks each distinct text
once. Changing a limit changes the schemas that `foretick topics schema` prints.
"""

from typing import Annotated

from msgspec import Meta

from topics.units import INTERVAL

_OF_A_NAME = r"A-Z0-9$@\u00a1-\u00ac\u00ae-\u061b\u061d-\u180d\u180f-\u1fff\u2070-\u2fff\u3001-\ud7ff"
SYMBOL = rf"^[{_OF_A_NAME}][{_OF_A_NAME}._:!&+-]*$"
"""Capitals, digits, and letters of other scripts, since venues list such coins; no slashes: see `topics.markets`."""
LABEL = r"^[A-Za-z0-9][A-Za-z0-9._+-]*$"
"""A model, a version, a definition of features: used as a component of file paths, and so never a path itself."""
VERSION = r"^[0-9a-f]{12}$"
"""A version of ours: the beginning of the SHA-256 of the fitted model."""
PLAIN = r"^[^\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]*$"
"""No control characters, and none that change the text direction of a terminal or a page."""

EARLIEST = 1_230_940_800_000
"""No market is older than Bitcoin's first block (epoch ms): 2009-01-03. Smaller times are in seconds, or invalid."""
END_OF_TIME = 10_000_000_000_000
"""Every time is before this (epoch ms): the year 2286."""
LEAST_PRICE, MOST_PRICE = 1e-12, 1e12
"""The cheapest tokens are at some 1e-12 in BTC; in the weakest currencies a bitcoin costs less than 1e10."""
LEAST_AMOUNT, MOST_AMOUNT = 1e-18, 1e18
"""Of one trade, in base currency: from one wei of an ether to more than the supply of the cheapest tokens."""
MOST_VOLUME, MOST_QUOTE = 1e24, MOST_PRICE * 1e24
"""Of one bar, in base and in quote currency."""
MOST_RETURN = 100.0
"""Of log returns, forecast ones too: more than the largest possible, ln(MOST_PRICE / LEAST_PRICE)."""
LEAST_SCALE, MOST_SCALE = 1e-12, 1_000.0
"""Of a forecast's standard deviation, in log return."""
MOST_VALUE = 1e36
"""Of a feature, and of any other number: float32, in which some models compute, ends at 3.4e38."""
MAX_DISSIMILARITY = 1e6
MOST_WEIGHT = 1e6
MOST_HORIZON = 100_000
MOST_FORECASTS, MOST_VALUES, MOST_KEYS, MOST_CHALLENGERS = 64, 10_000, 64, 16
"""Forecasts of a prediction; values of a row of features; keys of a mapping; challengers of a deployment."""
LONGEST_SYMBOL, LONGEST_LABEL, LONGEST_NAME, LONGEST_TEXT = 64, 64, 200, 10_000


def _text(pattern: str, longest: int, *examples: str, shortest: int | None = 1) -> Meta:
    fields = {"pattern": pattern}
    return Meta(min_length=shortest, max_length=longest, examples=list(examples) or None, extra_json_schema=fields)


Symbol = Annotated[str, _text(SYMBOL, LONGEST_SYMBOL, "BTCUSDT", "BTCUSDT:USDT")]
Interval = Annotated[str, _text(INTERVAL, 64, "1m", "tick-500")]
Label = Annotated[str, _text(LABEL, LONGEST_LABEL, "gbm")]
LabelOrNone = Annotated[str, _text(rf"^(?:{LABEL[1:-1]})?$", LONGEST_LABEL, shortest=None)]
Version = Annotated[str, _text(VERSION, 12, "8c1f02ab77d4")]
Name = Annotated[str, _text(PLAIN, LONGEST_NAME, shortest=None)]
Text = Annotated[str, Meta(max_length=LONGEST_TEXT)]
"""Texts for people: any characters. They are escaped where they are shown on a terminal or a page."""

CLOCK = {"clock": True}
"""Marks the times that must not be ahead of the clock, if the reader passes it (`topics.codec.decode`)."""
Time = Annotated[int, Meta(ge=0, lt=END_OF_TIME, description="epoch milliseconds, UTC", extra=CLOCK)]
MarketTime = Annotated[int, Meta(ge=EARLIEST, lt=END_OF_TIME, description="epoch milliseconds, UTC", extra=CLOCK)]
Horizon = Annotated[int, Meta(ge=1, le=MOST_HORIZON, description="bars ahead")]
# Decoded values must also fit into a 64-bit column and into an index, or one record would block the rest.
Count = Annotated[int, Meta(ge=0, le=2**53)]

# Tick, Bar and Forecast check these themselves, also when they are constructed; here they are only for the schema.
Price = Annotated[float, Meta(extra_json_schema={"minimum": LEAST_PRICE, "maximum": MOST_PRICE})]
Amount = Annotated[float, Meta(extra_json_schema={"minimum": LEAST_AMOUNT, "maximum": MOST_AMOUNT})]
Volume = Annotated[float, Meta(extra_json_schema={"minimum": 0, "maximum": MOST_VOLUME})]
QuoteVolume = Annotated[float, Meta(extra_json_schema={"minimum": 0, "maximum": MOST_QUOTE})]
Scale = Annotated[float, Meta(extra_json_schema={"minimum": LEAST_SCALE, "maximum": MOST_SCALE})]
Quantile = Annotated[float, Meta(extra_json_schema={"minimum": -MOST_RETURN, "maximum": MOST_RETURN})]
# The length is only for the schema, and `topics.codec` checks it: without a length msgspec reuses the strings of keys
# that it has decoded before.
Key = Annotated[str, Meta(extra_json_schema={"pattern": PLAIN, "maxLength": LONGEST_NAME})]
Close = Annotated[float, Meta(ge=LEAST_PRICE, le=MOST_PRICE)]
Probability = Annotated[float, Meta(ge=0, le=1)]
Return = Annotated[float, Meta(ge=-MOST_RETURN, le=MOST_RETURN, description="log return")]
Loss = Annotated[float, Meta(ge=0, le=2 * MOST_RETURN, description="in log return")]
Weight = Annotated[float, Meta(ge=-MOST_WEIGHT, le=MOST_WEIGHT)]
Dissimilarity = Annotated[float, Meta(ge=0, le=MAX_DISSIMILARITY)]
Number = Annotated[float, Meta(ge=-MOST_VALUE, le=MOST_VALUE)]
