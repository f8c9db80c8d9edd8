"""Where a version comes from, as MLflow shows it: a description for people, and tags to search by."""

from evaluation.wording import span
from models.provenance import Provenance


def described(model: str, version: str, origin: Provenance | None) -> str:
    """Return a version's description in Markdown."""
    lines = [f"**{model} {version}**"]
    if origin is not None:
        lines += [
            "",
            "| | |",
            "|---|---|",
            f"| data | {', '.join(origin.symbols)}, {span(origin.first, origin.last)} (UTC), {origin.rows:,} bars |",
            f"| data, SHA-256 | `{origin.data_sha256}` |",
            f"| features | `{origin.fingerprint}` |",
            f"| seed | {origin.seed} |",
            f"| commit | {f'`{origin.commit}`' if origin.commit else 'unknown'} |",
        ]
    return "\n".join(lines)


def labels(origin: Provenance) -> dict[str, str]:
    """Return the tags of a version."""
    return {"foretick.fingerprint": origin.fingerprint, "foretick.span": span(origin.first, origin.last)}
