"""The address and the token for the API."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from foretick_client.errors import ForetickError

HERE = Path(".foretick")
CHECKOUT = Path(__file__).resolve().parents[1] / HERE
"""The home of the Foretick in whose checkout this package lies, whatever the current folder is."""


def installed() -> Path:
    """Return the home of a Foretick that was installed by pip, uv or pipx: the user's folder of data, as on Linux."""
    data = os.environ.get("XDG_DATA_HOME", "").strip()
    return (Path(data) if data else Path.home() / ".local" / "share") / "foretick"


@dataclass(frozen=True)
class Connection:
    """An address and a token."""

    address: str
    token: str

    @classmethod
    def of(cls, address: str | None, token: str | None, home: str | Path | None) -> "Connection":
        """Return what is given, else what the environment says, else what a Foretick on this machine wrote down.

        FORETICK_API and FORETICK_TOKEN; a home is FORETICK_HOME, or the folder .foretick here, or in the checkout that
        this package lies in, or else that of a Foretick installed by pip, uv or pipx. Raises ForetickError if there is
        no token, or where the address is none.
        """
        named = home or os.environ.get("FORETICK_HOME")
        there = (path for path in (HERE, CHECKOUT) if path.is_dir())
        folder = Path(named) if named else next(there, installed())
        address = address or os.environ.get("FORETICK_API") or f"http://127.0.0.1:{_port(folder)}"
        if not address.startswith(("http://", "https://")):
            raise ForetickError(f"{address!r} is no address of an API, such as http://127.0.0.1:8010")
        token = token or os.environ.get("FORETICK_TOKEN") or _text(folder / "api.token")
        if not token:
            raise ForetickError(
                f"no token: give one (foretick api token create), set FORETICK_TOKEN, or name the home of a Foretick "
                f"that runs on this machine ({folder / 'api.token'} is not there)"
            )
        return cls(address.rstrip("/"), token)


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _port(home: Path) -> int:
    try:
        return int(json.loads(_text(home / "addresses.json"))["api_port"])
    except (ValueError, KeyError, TypeError):
        return 8010
