"""Translates names of earlier versions in records to the present ones.

The role `standby`, and the field of deployments, was called `shadow`, and an alert's `suppressed` was `held`. Topics
keep old records, and programs may still write them.
"""

import re

from msgspec import Struct

from topics.records import Alert, Deployment, ModelEvent, Outcome, Prediction

_ROLE = b'"shadow"', re.compile(rb'("role"\s*:\s*)"shadow"'), rb'\1"standby"'
_FIELD = b'"shadow"', re.compile(rb'"shadow"(\s*:\s*["n])'), rb'"standby"\1'
"""In a JSON string a quotation mark has a backslash before it, and `evidence` has numbers: the name never occurs
there."""
_HELD = b'"held"', re.compile(rb'"held"(\s*:)'), rb'"suppressed"\1'
_NAMES = {Prediction: _ROLE, Outcome: _ROLE, ModelEvent: _ROLE, Deployment: _FIELD, Alert: _HELD}


def renewed(data: bytes, record: type[Struct]) -> bytes:
    """Return the JSON of records of that type with the present names."""
    if record not in _NAMES:
        return data
    former, pattern, name = _NAMES[record]
    if former[-2:-1] not in data or former not in data:  # a byte is found 60 times as fast as a word
        return data
    return pattern.sub(name, data)
