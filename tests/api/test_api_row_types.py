"""What the client and the API give has the types of the records on the topics, field for field."""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from pydantic import BaseModel

from api.hub import STREAMED
from api.resources import RESOURCES
from foretick_client import records, rows
from topics import records as topic_records
from topics.records import QUANTILES, RECORDS

ROWS = sorted({resource.row for resource in RESOURCES}, key=lambda row: row.__name__)
WITHOUT_A_RECORD = {"SkillRow", "SymbolRow"}
"""Sums over the rows of many records."""
RECORD_OF = {
    row: getattr(
        topic_records, {"FeatureRow": "Features", "ModelRow": "Deployment"}.get(row.__name__, row.__name__[:-3])
    )
    for row in ROWS
    if row.__name__ not in WITHOUT_A_RECORD
}
OF_THE_HORIZON = {"horizon", "mean", "scale", "p_up", "weights", *(f"q{round(100 * level):02}" for level in QUANTILES)}
ONLY_ROW = {"AlertRow": {"acknowledged", "note"}, "FeatureRow": {"features"}, "PredictionRow": OF_THE_HORIZON}
"""What people add to an alert, the features by their names; a row of predictions is one horizon of a record."""
ONLY_RECORD = {"FeatureRow": {"values"}, "PredictionRow": {"forecasts"}}


def bare(kind: Any) -> str:
    """Return a type in words without its limits: a literal is the type of its values, the order of a union is none."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return bare(parts[0])
    if origin is Literal:
        return type(parts[0]).__name__
    if origin in (Union, types.UnionType):
        return " | ".join(sorted(bare(part) for part in parts))
    return f"{origin.__name__}[{', '.join(map(bare, parts))}]" if origin else str(kind.__name__)


def fields(record: type) -> dict[str, str]:
    """Return the fields of a record or row with their types."""
    names = record.model_fields if issubclass(record, BaseModel) else record.__struct_fields__
    hints = get_type_hints(record, include_extras=True)
    return {name: bare(hints[name]) for name in names}


def nested(kind: Any) -> set[type[msgspec.Struct]]:
    """Return the records that a type holds, itself among them."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return {kind}.union(*map(nested, get_type_hints(kind, include_extras=True).values()))
    return set().union(*map(nested, get_args(kind)))


EVERY = sorted(set().union(*(nested(topic.record) for topic in STREAMED)), key=lambda record: record.__name__)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.__name__)
def test_the_clients_row_has_the_types_of_the_apis(row: type[BaseModel]) -> None:
    assert list(fields(getattr(rows, row.__name__)).items()) == list(fields(row).items())


@pytest.mark.parametrize("record", EVERY, ids=lambda record: record.__name__)
def test_the_clients_record_has_the_types_and_defaults_of_the_topics(record: type[msgspec.Struct]) -> None:
    theirs = getattr(records, record.__name__)
    assert list(fields(theirs).items()) == list(fields(record).items())
    assert theirs.__struct_defaults__ == record.__struct_defaults__


def test_the_clients_levels_are_those_of_the_forecasts() -> None:
    assert records.QUANTILES == QUANTILES


def test_every_record_that_is_not_given_as_a_table_is_known() -> None:
    assert {record.__name__ for record in set(RECORDS) - set(RECORD_OF.values())} == {
        "Tick",
        "ModelEvent",
        "DeadLetter",
    }


@pytest.mark.parametrize("row", RECORD_OF, ids=lambda row: row.__name__)
def test_the_apis_row_has_the_fields_of_its_record(row: type[BaseModel]) -> None:
    own, of_record = fields(row), fields(RECORD_OF[row])
    assert own.keys() - of_record.keys() == ONLY_ROW.get(row.__name__, set())
    assert of_record.keys() - own.keys() == ONLY_RECORD.get(row.__name__, set())
    shared = own.keys() & of_record.keys()
    # What a record must say may be unknown in a row: NaN on a topic is null in JSON.
    assert {name: own[name].replace("NoneType | ", "") for name in shared} == {
        name: of_record[name].replace("NoneType | ", "") for name in shared
    }
