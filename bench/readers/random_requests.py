"""What a user may say of a file, by chance: its layout, its zone, the order of its dates, its interval."""

from random import Random

from sources.formats import SOURCES
from sources.reading.request import ReadRequest

ZONES = ("America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "+05:30", "UTC")


def wished(chance: Random) -> ReadRequest:
    """Return nothing for every second file, so that what is recognised is tried as well."""
    if chance.random() < 0.5:
        return ReadRequest()
    return ReadRequest(
        zone=chance.choice((None, *ZONES)),
        layout=chance.choice((None, None, *(source.short for source in SOURCES))),
        date_order=chance.choice((None, "day", "month")),
        interval=chance.choice((None, None, "1m", "1d")),
        symbol=chance.choice((None, None, "BTCUSDT")),
    )
