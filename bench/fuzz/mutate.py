"""Changes to a value: to its bytes, and to the JSON that they are."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

NUMBERS = (
    *("0", "-0.0", "NaN", "Infinity", "-Infinity", "1e-300", "1e300", "1e999", "-1e400", "5e-324", "1.5", "-1", "1e36"),
    *(str(2**63), str(-(2**63)), str(2**53), str(2**53 + 1), str(2**64), "1e400", "0." + "9" * 400, "9" * 400),
    *("1230940799999", "1230940800000", "9999999999999", "10000000000000", "1e-12", "9.9e-13", "1e12", "1.0000001e12"),
)
TEXTS = (
    *("", " ", "A" * 65, "A" * 201, "x" * 10_001, "\x00", "a\x00b", "\x1b[2J\x1b[31m", "line\nline", "\r\n", "A\n"),
    *("<script>alert(1)</script>", "=cmd|'/C calc'!A0", "@SUM(1)", "%s%n%d", "{0.__class__}", "../../etc/passwd"),
    *("\u202eBTC", "\u2028", "\ufeff", "\U0001f4a9", "ﬀ", "İ", "é", "e\u0301", "'; DROP TABLE bars; --", "NULL"),
    *("99999999999d", "1m\n", "0m", "01m", "tick-0", "range-0.1", "volume-1e9", "BTCUSDT\n", "a|b", "|", "FUZZA|1m"),
    *("BTCUSDT", "ETHUSDT", "TBTCUSDT", "naive", "online"),  # the witnesses, and what serves them
    *("0123456789ab", "0123456789AB", "gbm", "champion", "ALL", "WORKER", "+inf", "-", ".", "F" * 64),
)
DEEP = b"[" * 1_000 + b"]" * 1_000
DEEP_OBJECT = b'{"a":' * 1_000 + b"1" + b"}" * 1_000


MOST_CHANGED = 1e300
"""Larger numbers are put in, and not calculated with."""
LONGEST = 400_000


class Raw(bytes):
    """JSON that is put in as it is."""


def written(value: Any, ascii_only: bool = True) -> bytes:
    """Return a value as JSON; `Raw` parts as they are."""
    match value:
        case Raw():
            return bytes(value)
        case dict():
            items = (written(name, ascii_only) + b":" + written(part, ascii_only) for name, part in value.items())
            return b"{" + b",".join(items) + b"}"
        case list():
            return b"[" + b",".join(written(part, ascii_only) for part in value) + b"]"
        case _:
            return json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


def any_part(chance: Random) -> Any:
    """Return a value of any type."""
    made: tuple[Callable[[], Any], ...] = (
        lambda: None,
        lambda: chance.random() < 0.5,
        lambda: Raw(chance.choice(NUMBERS).encode()),
        lambda: chance.choice(TEXTS),
        list,
        dict,
        lambda: Raw(DEEP),
        lambda: Raw(DEEP_OBJECT),
        lambda: [Raw(chance.choice(NUMBERS).encode()) for _ in range(chance.randrange(20))],
        lambda: {chance.choice(TEXTS): Raw(chance.choice(NUMBERS).encode()) for _ in range(chance.randrange(80))},
        lambda: "=" * 5 + "TQ",
    )
    return chance.choice(made)()


def changed(value: Any, chance: Random) -> Any:
    """Return a JSON value with one part changed, dropped, added, doubled or renamed; the one given stays as it is."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        return _changed_object(dict(value), chance)
    if isinstance(value, list) and value and chance.random() < 0.9:
        return _changed_array(list(value), chance)
    if isinstance(value, int | float) and not isinstance(value, bool) and chance.random() < 0.8:
        if chance.random() < 0.3 and abs(value) < MOST_CHANGED:
            return value * chance.choice((-1, 0, 2, 10, 1_000, 0.5)) + chance.choice((0, 1, -1))
        return Raw(chance.choice(NUMBERS).encode())
    if isinstance(value, str) and chance.random() < 0.8:
        return chance.choice((chance.choice(TEXTS), value[:20_000] * 3, value.lower(), value + chance.choice(TEXTS)))
    return any_part(chance)


def _changed_object(values: dict[str, Any], chance: Random) -> Any:
    name, kind = chance.choice(list(values)), chance.random()
    if kind < 0.7:
        values[name] = changed(values[name], chance)
    elif kind < 0.8:
        del values[name]
    elif kind < 0.88:
        values[chance.choice(TEXTS)] = any_part(chance)
    elif kind < 0.94:
        values[chance.choice((name.upper(), name + " ", name + "\x00", name[:-1]))] = values.pop(name)
    else:  # the same name twice
        return Raw(written(values)[:-1] + b"," + written(name) + b":" + written(any_part(chance)) + b"}")
    return values


def _changed_array(parts: list[Any], chance: Random) -> Any:
    place, kind = chance.randrange(len(parts)), chance.random()
    if kind < 0.6:
        parts[place] = changed(parts[place], chance)
    elif kind < 0.7:
        del parts[place]
    elif kind < 0.9:
        parts.insert(place, any_part(chance) if kind < 0.8 else parts[place])
    else:
        chance.shuffle(parts)
    return parts


def flipped(value: bytes, chance: Random) -> bytes:
    """Return bytes with a few bits turned."""
    results = bytearray(value)
    for _ in range(chance.choice((1, 1, 1, 2, 8))):
        results[chance.randrange(len(results))] ^= 1 << chance.randrange(8)
    return bytes(results)


def cut(value: bytes, chance: Random) -> bytes:
    """Return bytes without a part."""
    start, end = sorted(chance.randrange(len(value) + 1) for _ in range(2))
    return chance.choice((value[:start], value[end:], value[:start] + value[end:]))


def inserted(value: bytes, chance: Random) -> bytes:
    """Return bytes with others between them."""
    place = chance.randrange(len(value) + 1)
    new = chance.choice((chance.randbytes(chance.randrange(1, 16)), b"\x00", b"\xff\xfe", b'"', b"\\u0000", b"\\ud800"))
    return value[:place] + new + value[place:]


def repeated(value: bytes, chance: Random) -> bytes:
    """Return bytes of which a part comes several times."""
    start, end = sorted(chance.randrange(len(value) + 1) for _ in range(2))
    times = min(chance.choice((2, 3, 10, 100)), max(1, 200_000 // (end - start + 1)))
    return value[:start] + value[start:end] * times + value[end:]


def spliced(value: bytes, other: bytes, chance: Random) -> bytes:
    """Return the beginning of one value with the end of another."""
    return value[: chance.randrange(len(value) + 1)] + other[chance.randrange(len(other) + 1) :]


BYTES: tuple[Callable[[bytes, Random], bytes], ...] = (flipped, cut, inserted, repeated)


def parsed(value: bytes) -> Any:
    """Return the JSON that a value is. Raises ValueError if it is none, or too deep to be gone through."""
    if DEEP[:200] in value or DEEP_OBJECT[:200] in value or len(value) > LONGEST:
        raise ValueError("too deep, or too long")
    return json.loads(value)


def mutated(value: bytes, other: bytes, chance: Random) -> bytes:
    """Return a value changed once or a few times, as JSON where it is any."""
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        if chance.random() < 0.7:
            try:
                value = written(changed(parsed(value), chance), chance.random() < 0.9)
            except (ValueError, RecursionError):  # it is no JSON, or nested deeply: its bytes are changed
                pass
            else:
                continue
        if not value:
            value = other
        elif chance.random() < 0.15:
            value = spliced(value, other, chance)
        else:
            value = chance.choice(BYTES)(value, chance)
    return value[:LONGEST]
