"""What goes wrong in storage, in one line that holds no secret."""

from urllib.parse import urlsplit


class StorageError(Exception):
    """A server that cannot be reached, or that refused. The message is one line and never holds the password."""


def place(url: str) -> str:
    """Return where a URL points, without user, password and options.

    >>> place("postgresql://foretick:secret@127.0.0.1:5432/foretick")
    'postgresql://127.0.0.1:5432/foretick'
    """
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        # Most likely a password with a special character: which part is which is unknown, so none is shown.
        return "the server (its URL cannot be read: write special characters of the password as %XX)"
    if not parts.scheme or not parts.netloc or "@" in parts.netloc.rpartition("@")[0]:
        return "the server"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def reason(error: Exception, url: str) -> str:
    """Return the error in one line; where it quotes part of the URL's credentials, only its type."""
    line = " ".join(str(error).split()) or type(error).__name__
    secret = url.partition("://")[2].rpartition("@")[0].partition(":")[2]
    parts = [part for part in (secret, *secret.split("@"), url) if part]
    return type(error).__name__ if any(part in line for part in parts) else line
