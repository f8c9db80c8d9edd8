"""The client gives what the API gives: typed rows, Arrow, pandas, and streams that go on by themselves."""

import ast
import json
import re
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from api_market import FIRST, MINUTE, MINUTES, Api, Market, said, serving
from api_streams import frames, send

import foretick_client
from api.hub import STREAMED
from api.resources import RESOURCES
from foretick_client import Client, ForetickError, GoneError, records, rows
from settings import ROOT

NOTEBOOK = ROOT / "docs/notebooks/client.ipynb"


@pytest.fixture
def client(api: Api) -> Iterator[Client]:
    """A client that asks for small pages."""
    with Client(api.address, api.token, page=97) as found:
        yield found


@pytest.mark.parametrize("row", {resource.row for resource in RESOURCES}, ids=lambda row: row.__name__)
def test_the_clients_rows_are_those_of_the_api(row: Any):
    assert getattr(rows, row.__name__).__struct_fields__ == tuple(row.model_fields)


@pytest.mark.parametrize("topic", STREAMED, ids=lambda topic: topic.name)
def test_the_clients_records_are_those_on_the_topics(topic: Any):
    theirs, ours = topic.record, getattr(records, topic.record.__name__)
    assert ours.__struct_fields__ == theirs.__struct_fields__
    assert ours.__struct_defaults__ == theirs.__struct_defaults__


def test_the_client_needs_nothing_else_of_foretick():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"foretick_client"}
    for path in (ROOT / "foretick_client").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & packages, path


def test_without_a_token_the_client_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("FORETICK_TOKEN", raising=False)
    with pytest.raises(ForetickError, match="no token: give one"):
        Client(home=tmp_path)
    assert set(foretick_client.__all__) == {"Client", "ForetickError", "GoneError"}
    for address in ("127.0.0.1:8010", "localhost", "ftp://localhost"):
        with pytest.raises(ForetickError, match="is no address of an API, such as http"):
            Client(address, "token")


def test_the_client_tells_its_types():
    assert (ROOT / "foretick_client/py.typed").exists()


@pytest.mark.services
def test_history_is_given_over_all_pages(client: Client):
    found = list(client.predictions("BTCUSDT", model="gbm", horizon=5))
    assert [row.time for row in found] == [FIRST + minute * MINUTE for minute in range(MINUTES)]
    assert isinstance(found[0], rows.PredictionRow)
    assert found[3].price == said("BTCUSDT", 3, "gbm").price
    some = list(client.regimes("BTCUSDT", start="2025-05-18T00:10:00+00:00", end=FIRST + 12 * MINUTE))
    assert [row.time for row in some] == [FIRST + 10 * MINUTE, FIRST + 11 * MINUTE]


@pytest.mark.services
def test_arrow_and_pandas_hold_the_same_rows(client: Client):
    table = client.outcomes("ETHUSDT", model="naive", horizon=1)
    listed, arrow, frame = list(table), table.arrow(), table.pandas()
    assert len(listed) == len(arrow) == len(frame) == MINUTES - 1
    assert arrow["pinball"].to_pylist() == frame["pinball"].tolist() == [row.pinball for row in listed]
    assert [round(time.timestamp() * 1000) for time in frame["time"]] == [row.time for row in listed]


@pytest.mark.services
def test_every_table_can_be_read(client: Client):
    assert [row.symbol for row in client.symbols()] == ["BTCUSDT", "ETHUSDT"]
    assert {row.model for row in client.latest("BTCUSDT", horizon=15)} == {"gbm", "naive"}
    assert {row.champion for row in client.models()} == {"v1"}
    alerts = (client.alerts(symbol="ETHUSDT"), client.alerts(rule="up"), client.alerts(acknowledged=True))
    for table in (client.skill("BTCUSDT"), client.drift(), client.gaps(venue="binance"), *alerts):
        assert len(list(table)) == len(table.arrow()) > 0
    assert [row.note for row in client.alerts(acknowledged=True)] == ["seen", "mine"]
    assert all(row.acknowledged is None for row in client.alerts(acknowledged=False, severity="warning"))
    assert list(client.alerts(rule="none")) == []
    assert len(client.alerts(rule="none").pandas()) == 0


@pytest.mark.services
def test_a_refusal_is_the_servers_line(api: Api, client: Client):
    with pytest.raises(ForetickError, match="symbol: String should match pattern") as refused:
        list(client.predictions("btc usdt"))
    assert refused.value.status == 422
    with Client(api.address, "foretick_0_0") as stranger, pytest.raises(ForetickError, match="the token is not known"):
        next(iter(stranger.stream_alerts()))
    with pytest.raises(GoneError, match="/v1/alerts"):
        next(iter(client.stream_alerts(last_id="alerts.0-99999999-0")))


@pytest.mark.services
def test_a_client_that_asks_too_often_waits_as_it_is_told(market: Market, kafka: str, tmp_path: Path):
    with (
        serving(market.url, kafka, tmp_path, api_rate="20", api_burst="1") as api,
        Client(api.address, api.token, page=1) as client,
    ):
        assert len(list(client.predictions("BTCUSDT", model="gbm", horizon=5, end=FIRST + 3 * MINUTE))) == 3


@pytest.mark.services
def test_a_stream_goes_on_over_a_restart_of_the_server(market: Market, kafka: str, tmp_path: Path):
    before, while_away, after = frames(81, 5), frames(82, 20), frames(83, 5)
    total = sum(len(one) for batch in (before, while_away, after) for one in batch)
    got: list[tuple[str, int]] = []
    with serving(market.url, kafka, tmp_path) as api:
        address, token = api.address, api.token
        client = Client(address, token)
        begun = next(block["id"] for block in client.stream_predictions()._blocks() if "id" in block)
        stream = client.stream_predictions(last_id=begun)

        def follow() -> None:
            got.extend((record.symbol, record.time) for record in islice(stream, total))

        following = threading.Thread(target=follow)
        following.start()
        send(kafka, before)
    send(kafka, while_away)
    with serving(market.url, kafka, tmp_path, port=address.rsplit(":", 1)[1]):
        send(kafka, after)
        following.join(120)
    client.close()
    batches = [*before, *while_away, *after]
    assert sorted(got) == sorted((record.symbol, record.time) for one in batches for record in one)


@pytest.mark.services
def test_the_notebook_shows_what_its_cells_print(
    api: Api, kafka: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("FORETICK_API", api.address)
    monkeypatch.setenv("FORETICK_TOKEN", api.token)
    sending = threading.Event()

    def market() -> None:
        number = MINUTES
        while not sending.wait(0.2):
            number += 1
            send(kafka, [[said("BTCUSDT", number, "gbm")]])

    notebook = json.loads(NOTEBOOK.read_text())
    stored = [cell["outputs"] for cell in code(notebook)]
    writer = threading.Thread(target=market)
    writer.start()
    try:
        space: dict[str, Any] = {}
        for number, cell in enumerate(code(notebook), 1):
            exec(compile("".join(cell["source"]), f"cell {number}", "exec"), space)  # noqa: S102 - our own notebook
            lines = capsys.readouterr().out.splitlines(keepends=True)
            cell["execution_count"] = number
            cell["outputs"] = [{"name": "stdout", "output_type": "stream", "text": lines}] if lines else []
    finally:
        sending.set()
        writer.join()
    fresh = tmp_path / NOTEBOOK.name
    fresh.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")
    assert timeless([cell["outputs"] for cell in code(notebook)]) == timeless(stored), f"cp {fresh} {NOTEBOOK}"
    assert all(stored[1:-1])


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def timeless(outputs: Any) -> str:
    """Return outputs without the places and times of the stream, which are those of the day."""
    return re.sub(r"\b(0|[1-9])-\d+-\d+", "PLACE", re.sub(r"\b\d{13}\b", "TIME", json.dumps(outputs)))
