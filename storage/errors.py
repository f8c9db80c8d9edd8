"""Errors of storage, in one line without secrets."""

from urllib.parse import urlsplit


class StorageError(Exception):
    """A server that cannot be reached, or that refused. The message is one line and never contains the password."""


class AwayError(StorageError):
    """A server does not answer, or has no space: the operation can be retried."""


class RefusedError(StorageError):
    """A healthy server refuses these records: retrying is useless."""


def place(url: str) -> str:
    """Return a URL without user, password and options.

    Raises StorageError, which quotes nothing of it, where a password with a bare special character makes it unclear
    what is what: the drivers would then quote a piece of the password as the name of a host.

    >>> place("postgresql://foretick:secret@127.0.0.1:5432/foretick")
    'postgresql://127.0.0.1:5432/foretick'
    """
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise _unclear() from None
    if not parts.scheme or url.count("@") > parts.netloc.count("@") or parts.netloc.count("@") > 1:
        raise _unclear()
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def _unclear() -> StorageError:
    return StorageError(
        "a server's address cannot be read; it must look like postgresql://user:password@host:5432/name or "
        "redis://:password@host:6379/0, with special characters of the password written as %XX"
    )


def reason(error: Exception) -> str:
    """Return the error in one line."""
    return " ".join(str(error).split()) or type(error).__name__
