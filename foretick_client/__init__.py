"""A client of the Foretick API: tables by pages, streams that resume after interruptions.

On the machine where Foretick runs, with the Python of the project, it finds the address and the token by itself, in any
folder; elsewhere they are given, or are in the environment as FORETICK_API and FORETICK_TOKEN (``foretick api token
create NAME`` creates a token)::

    from foretick_client import Client

    with Client("https://forecasts.example.org", "foretick_...") as client:
        for row in client.latest("BTCUSDT", horizon=15):
            print(row.model, row.q05, row.q50, row.q95)

        frame = client.outcomes("BTCUSDT", start="2025-05-18").pandas()  # or .arrow(), or a loop over typed rows

        stream = client.stream_alerts(severity=["warning", "critical"], last_id=None)
        for alert in stream:
            print(alert.message, stream.last_id)

A table is read page by page while it is iterated, as often as it is iterated. A stream reconnects by itself and misses
nothing; from its `last_id` another process can resume. Times are epoch milliseconds, UTC, in rows and records, and have
their own type in Arrow and pandas; returns are log returns; None is unknown. Where the server refuses, ForetickError
has its line (and its `status`: 404 for a symbol that is not there), and GoneError says that a stream's `last_id` is too
old to go on from.

It needs httpx and msgspec; pyarrow for ``arrow``, and pandas besides for ``pandas``. The notebook
``docs/notebooks/client.ipynb`` shows each of these at work.
"""

from foretick_client.client import Client
from foretick_client.errors import ForetickError, GoneError

__all__ = ["Client", "ForetickError", "GoneError"]
