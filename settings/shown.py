"""Values of settings as they are shown: as in TOML, and without what is secret in them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from topics.retention import NONE

HIDDEN = "***"


def toml(value: Any) -> str:
    """Return a value as TOML has it; "none" for None, which TOML lacks.

    >>> toml(("5m", "1h")), toml({"BTC": 2.0}), toml(True), toml(None)
    ('["5m", "1h"]', '{"BTC" = 2.0}', 'true', 'none')
    """
    if value is None:
        return "none"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{toml(key)} = {_in_table(one)}' for key, one in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)


def _in_table(value: Any) -> str:
    """Return a value within a table, where no comment can be: None is the text that the settings read."""
    return toml(NONE if value is None else value)


def public(value: Any) -> Any:
    """Return a value of JSON's types, without passwords: of a secret address only the server and path are left.

    >>> public(SecretStr("postgresql://me:pw@db:5432/foretick?sslmode=require&password=pw"))
    'postgresql://***@db:5432/foretick?***'
    >>> public(SecretStr("pw")), public(SecretStr("")), public("http://me:pw@proxy"), public(("5m", "1h"))
    ('***', '', 'http://***@proxy', ['5m', '1h'])
    """
    if isinstance(value, SecretStr):
        text = value.get_secret_value()
        return _without_login(text) if "://" in text else HIDDEN if text else ""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, str):
        return _without_login(value) if "://" in value and "@" in value else value
    if isinstance(value, list | tuple):
        return [public(one) for one in value]
    return dict(value) if isinstance(value, Mapping) else value


def _without_login(url: str) -> str:
    """Return an address without its user, password, query and fragment: each of them may be secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return HIDDEN
    _, at, host = parts.netloc.rpartition("@")
    netloc = f"{HIDDEN}@{host}" if at else host
    query = "?***" if parts.query or parts.fragment else ""
    return f"{parts.scheme}://{netloc}{parts.path}{query}"
