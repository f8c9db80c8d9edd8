"""docs/reference and the picture of the flow say what the code says, and their documents are what they claim to be."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import typer

from cli.main import app
from cli.reference import commands, flow, markdown, metrics, topics
from cli.reference.__main__ import SQL_PAGE, files
from settings import ROOT
from stack import monitoring
from topics import codec
from topics.catalog import TOPICS
from topics.records import RECORDS

FILES = files()
ASYNCAPI: dict[str, Any] = json.loads((ROOT / "docs/reference/asyncapi.json").read_text())
SUFFIXES = ("", "_bucket", "_sum", "_count")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_generated_file_is_the_one_that_the_code_makes(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == FILES[path], "write it anew: python -m cli.reference"


def test_nothing_else_lies_among_the_generated_pages() -> None:
    assert set((ROOT / "docs/reference").iterdir()) == {
        SQL_PAGE,  # compared with a database by tests/storage/test_storage_reference.py
        *(path for path in FILES if path.parent.name == "reference"),
    }


def test_every_command_has_a_section_with_its_options() -> None:
    page = commands.page()
    leaves = dict(commands.leaves(typer.main.get_command(app), "foretick"))
    assert len(leaves) > 50
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == list(leaves)
    for name, command in leaves.items():
        section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        opts = [option for one in command.params for option in (*one.opts, *one.secondary_opts) if option[0] == "-"]
        assert [option for option in opts if not re.search(rf"[` ]{option}[`,]", section)] == []


def test_every_record_has_a_section_and_every_topic_a_row() -> None:
    page = topics.page()
    headings = re.findall(r"^## (.+)$", page, re.MULTILINE)
    assert {record.__name__ for record in RECORDS} | {"Forecast"} == set(headings)
    assert re.findall(r"^\| `([\w-]+)` \| \[", page, re.MULTILINE) == [topic.name for topic in TOPICS]


def test_the_asyncapi_document_has_each_topic_and_only_data_may_be_sent() -> None:
    assert ASYNCAPI["asyncapi"] == "3.0.0"
    assert {one["address"] for one in ASYNCAPI["channels"].values()} == {topic.name for topic in TOPICS}
    sent = {name.removeprefix("send-") for name, one in ASYNCAPI["operations"].items() if one["action"] == "send"}
    assert sent == {topic.name for topic in TOPICS if topic.open}


def test_each_reference_of_the_asyncapi_document_is_there() -> None:
    references = set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(ASYNCAPI)))
    assert len(references) > 40
    for reference in references:
        here: Any = ASYNCAPI
        for name in reference.split("/"):
            here = here[name]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_the_asyncapi_document_takes_what_the_codec_takes_and_nothing_else(topic: Any) -> None:
    """Compared with the schema that `foretick topics schema` prints, by what differs: where references point."""
    payload = ASYNCAPI["components"]["messages"][topic.name]["payload"]
    wanted = json.loads(json.dumps(codec.schema(topic.record)).replace("#/$defs/", "#/components/schemas/"))
    assert payload["anyOf"] == wanted["anyOf"]
    for name, schema in wanted["$defs"].items():
        said = {key: value for key, value in schema.items() if key != "description"}
        here = ASYNCAPI["components"]["schemas"][name]
        assert {key: value for key, value in here.items() if key != "description"} == said
        assert jsonschema_rs.meta.is_valid({"$schema": "http://json-schema.org/draft-07/schema#", **here})


def test_every_metric_that_a_panel_or_a_rule_names_is_on_the_page() -> None:
    here = {f"{one.name}{suffix}" for one in metrics.metrics() for suffix in SUFFIXES}
    assert {name for name in monitoring.metrics() if name.startswith("foretick_")} <= here


def test_a_name_that_is_composed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "topics").mkdir()
    (tmp_path / "topics/new.py").write_text('ONE = Counter(f"foretick_{name}", "Says.")\n')
    monkeypatch.setattr(metrics, "ROOT", tmp_path)
    with pytest.raises(ValueError, match=r"topics/new\.py:1: a metric's name is composed"):
        metrics.metrics()


def test_the_picture_refers_to_nothing_outside_and_its_boxes_do_not_overlap() -> None:
    text = flow.picture()
    assert set(re.findall(r"https?://[^\"]+", text)) == {"http://www.w3.org/2000/svg"}
    boxes = list(flow.BOXES.values())
    for place, one in enumerate(boxes):
        for other in boxes[place + 1 :]:
            beside = 2 * abs(one.x - other.x) > one.width + other.width
            assert beside or 2 * abs(one.y - other.y) > one.height + other.height, (one, other)
        assert one.x - one.width / 2 > 0
        assert one.x + one.width / 2 < flow.WIDTH


def test_prose_is_no_markdown() -> None:
    assert markdown.prose("<b> a|b *c* [d](e)") == r"\<b> a\|b \*c\* \[d\](e)"
