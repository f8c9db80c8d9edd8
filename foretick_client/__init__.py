"""A client of the Foretick API: tables by pages, streams that go on where they broke off."""

from foretick_client.client import Client
from foretick_client.errors import ForetickError, GoneError

__all__ = ["Client", "ForetickError", "GoneError"]
