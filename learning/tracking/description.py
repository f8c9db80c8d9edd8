"""A version's provenance in MLflow: a description, and tags to search by."""

from evaluation.number_format import span
from models.registry.provenance import Provenance


def data(origin: Provenance) -> str:
    """Return a version's training data, in words."""
    return f"{', '.join(origin.symbols)} {span(origin.first, origin.last)}"


def described(version: str, origin: Provenance | None) -> str:
    """Return a version's description in Markdown; lists of versions show the beginning of it as plain text."""
    if origin is None:
        return f"Version {version}"
    lines = (
        f"{data(origin)}: {origin.rows:,} bars",
        "",
        "| | |",
        "|---|---|",
        f"| version | `{version}` |",
        f"| features | `{origin.fingerprint}` |",
        f"| commit | {f'`{origin.commit}`' if origin.commit else 'unknown'} |",
        f"| seed | {origin.seed} |",
        f"| data, SHA-256 | `{origin.data_sha256}` |",
    )
    return "\n".join(lines)


def labels(origin: Provenance) -> dict[str, str]:
    """Return the tags of a version."""
    return {"features": origin.fingerprint, "span": span(origin.first, origin.last)}
