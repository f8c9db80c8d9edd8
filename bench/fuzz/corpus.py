"""The inputs worth keeping, a small file each in tests/fuzz/corpus: JSON, in which a byte is a character (latin-1)."""

import hashlib
import json
import re
from collections import Counter
from pathlib import Path

from bench.fuzz.generate import Input
from settings import ROOT
from topics.catalog import by_name

FOLDER = ROOT / "tests" / "fuzz" / "corpus"
LONGEST, LONGEST_OF_STAGE = 1_000, 6_000
"""Characters of a file that is kept; the second of one whose value the codec took, which may need more."""
STAGE = "in a stage: "
"""How a reason begins that a stage gave: the codec took the value."""
MOST_OF_TOPIC = 20
"""Files of a topic. One of each reason: who reads the reasons of a topic has seen what can be wrong there."""

_QUOTED = re.compile(r"`[^`]*`|'[^']*'|\"[^\"]*\"")
_NUMBER = re.compile(r"[-+]?(?:\binf\b|\bnan\b|0x[0-9a-f]+|\d+(?:[.,]\d+)*(?:e[-+]?\d+)?)")


def normal(reason: str) -> str:
    """Return a reason without what is this record's alone: numbers, and what is quoted.

    >>> normal("price -1.5 is not a positive number from 1e-12 to 1e+12")
    'price # is not a positive number from # to #'
    """
    if reason.startswith("version "):
        return "version # of the format is not #"
    text = _NUMBER.sub("#", _QUOTED.sub("'…'", reason))
    text = re.sub(r"features of definition \S*;", "features of definition #;", text)
    text = re.sub(r"definition \S+ has", "definition # has", text)
    text = re.sub(r"^\S+ bars are not cut", "# bars are not cut", text)
    return text[:200]


def as_json(result: Input, reason: str) -> str:
    """Return an input as the text of its file."""
    fields = {
        "topic": result.topic.name,
        "reason": reason,
        "partition": result.partition,
        "key": _text(result.key),
        "headers": [[name, _text(value)] for name, value in result.headers],
        "value": _text(result.value),
    }
    return json.dumps(fields, indent=1) + "\n"


def of_json(text: str, number: int = -1) -> Input:
    """Return the input of a file."""
    reporter = json.loads(text)
    headers = [(name, _bytes(value)) for name, value in reporter["headers"]]
    return Input(
        number=number,
        topic=by_name(reporter["topic"]),
        partition=reporter["partition"],
        key=_bytes(reporter["key"]),
        headers=headers,
        value=_bytes(reporter["value"]),
        compression=None,
    )


def load(folder: Path = FOLDER) -> list[Input]:
    """Return the corpus, in the order of the files' names; their numbers are negative."""
    return [of_json(path.read_text(), -1 - place) for place, path in enumerate(sorted(folder.glob("*.json")))]


def reasons(folder: Path = FOLDER) -> set[tuple[str, str]]:
    """Return the topics and normal reasons that the corpus has an input of."""
    messages = (json.loads(path.read_text()) for path in folder.glob("*.json"))
    return {(one["topic"], one["reason"]) for one in messages}


def save(values: dict[tuple[str, str], Input], folder: Path = FOLDER) -> int:
    """Add inputs by topic and reason to the files where there is room; return how many files there are."""
    folder.mkdir(parents=True, exist_ok=True)
    known = reasons(folder)
    counts = Counter(topic for topic, _ in known)
    # First what a stage refused, then what the record did: of what is no JSON there is enough.
    for (topic, reason), one in sorted(values.items(), key=lambda item: (_rank(item[0][1]), item[0])):
        text = as_json(one, reason)
        room = len(text) <= (LONGEST_OF_STAGE if reason.startswith(STAGE) else LONGEST)
        if (topic, reason) not in known and counts[topic] < MOST_OF_TOPIC and room:
            counts[topic] += 1
            mark = hashlib.sha256(f"{topic} {reason}".encode()).hexdigest()[:8]
            (folder / f"{topic}-{mark}.json").write_text(text)
    return sum(counts.values())


def _rank(reason: str) -> int:
    return 0 if reason.startswith(STAGE) else 2 if "JSON" in reason or "codec" in reason else 1


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else value.encode("latin-1")
