"""The client gives what the API gives: typed rows, Arrow, pandas, and streams that go on by themselves."""

import ast
import json
import math
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from api_market import FIRST, MINUTE, MINUTES, Api, Market, alert, close_at, said, serving
from api_streams import frames, send
from notebooks import code, executed

import foretick_client
from foretick_client import Client, ForetickError, GoneError, rows
from settings import ROOT
from settings.broker import Address
from topics.catalog import ALERTS, PREDICTIONS, Topic
from topics.records import Alert, Prediction

NOTEBOOK = ROOT / "docs/notebooks/client.ipynb"


@pytest.fixture
def client(api: Api) -> Iterator[Client]:
    """A client that asks for small pages."""
    with Client(api.address, api.token, page=97) as result:
        yield result


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
    prediction_rows = list(client.predictions("BTCUSDT", model="gbm", horizon=5))
    assert [row.time for row in prediction_rows] == [FIRST + minute * MINUTE for minute in range(MINUTES)]
    assert isinstance(prediction_rows[0], rows.PredictionRow)
    assert prediction_rows[3].price == said("BTCUSDT", 3, "gbm").price
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
    assert [row.close for row in client.bars("btc/usdt")] == [close_at(minute) for minute in range(MINUTES)]
    assert [row.features["ema_12"] for row in client.features("BTCUSDT", feature="ema_12")] == [
        close_at(minute) for minute in range(MINUTES)
    ]
    assert [set(row.features) for row in client.features("BTCUSDT", feature=["age", "rsi_14"])] == [
        {"age", "rsi_14"}
    ] * MINUTES
    alerts = (client.alerts(symbol="ETHUSDT"), client.alerts(rule="up"), client.alerts(acknowledged=True))
    for table in (client.skill("BTCUSDT"), client.drift(), client.gaps(venue="binance"), *alerts):
        assert len(list(table)) == len(table.arrow()) > 0
    assert [row.note for row in client.alerts(acknowledged=True)] == ["seen", "mine"]
    assert all(row.acknowledged is None for row in client.alerts(acknowledged=False, severity="warning"))
    assert list(client.alerts(rule="none")) == []
    assert len(client.alerts(rule="none").pandas()) == 0


@pytest.mark.services
def test_the_contents_name_every_table_and_stream_that_the_client_has(client: Client):
    contents = client.contents()
    assert {one.name.removeprefix("predictions/") for one in contents.resources} == {
        row
        for row in dir(client)
        if row.islower() and not row.startswith(("_", "stream")) and row not in ("close", "contents")
    }
    assert {f"stream_{one.name}" for one in contents.streams} == {
        name for name in dir(client) if name.startswith("stream_")
    }
    (symbol,) = [one for one in contents.resources[1].parameters if one.required]
    assert (contents.resources[1].name, symbol.name, symbol.type) == ("bars", "symbol", "string")


@pytest.mark.services
def test_a_symbol_that_is_not_there_is_an_error(client: Client):
    for table in (
        client.bars("BTCUSD"),
        client.features("BTCUSD"),
        client.latest("BTCUSD"),
        client.alerts(symbol="BTCUSD"),
    ):
        with pytest.raises(ForetickError, match=r"there is no BTCUSD; the nearest (is|are) BTCUSDT") as refused:
            list(table)
        assert refused.value.status == 404
    with pytest.raises(ForetickError, match="there is no BTCUSD"):
        next(iter(client.stream_regimes(symbol=["BTCUSDT", "BTCUSD"])))


@pytest.mark.services
def test_a_refusal_is_the_servers_line(api: Api, client: Client):
    with pytest.raises(ForetickError, match="symbol: String should match pattern") as refused:
        list(client.predictions("btc usdt"))
    assert refused.value.status == 422
    with Client(api.address, "foretick_0_0") as stranger, pytest.raises(ForetickError, match="the token is unknown"):
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


def forecast(minute: int) -> Prediction:
    return said("BTCUSDT", minute, "gbm")


@contextmanager
def minutes_coming(kafka: Address, made: Callable[[int], Any] = forecast, topic: Topic = PREDICTIONS) -> Iterator[None]:
    """Let records of new minutes come in: one model's forecasts, or what is made of a minute for another topic."""
    ended = threading.Event()

    def market() -> None:
        number = MINUTES
        while not ended.wait(0.2):
            number += 1
            send(kafka, [[made(number)]], topic)

    writer = threading.Thread(target=market)
    writer.start()
    try:
        yield
    finally:
        ended.set()
        writer.join()


@pytest.mark.services
def test_the_notebook_shows_what_its_cells_print(
    api: Api, kafka: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("FORETICK_API", api.address)
    monkeypatch.setenv("FORETICK_TOKEN", api.token)
    with minutes_coming(kafka):
        notebook, stored, fresh = executed(NOTEBOOK, capsys, tmp_path)
    assert timeless([cell["outputs"] for cell in code(notebook)]) == timeless(stored), f"cp {fresh} {NOTEBOOK}"
    assert all(stored[1:-1])


@pytest.mark.services
def test_the_lines_of_the_page_print_the_alerts_of_their_severities(
    api: Api, servers: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FORETICK_API", api.address)
    monkeypatch.setenv("FORETICK_TOKEN", api.token)
    (block,) = re.findall(
        r"```python\n(from foretick_client .*?)```", (ROOT / "docs/howto/read.md").read_text(), re.DOTALL
    )

    class Heard(Exception):  # noqa: N818 - no error: the lines listen for ever
        pass

    def heard(message: str) -> None:
        raise Heard(message)

    space: dict[str, Any] = {"print": heard}

    def every_other_warns(minute: int) -> Alert:
        return alert("BTCUSDT", minute * 10)

    coming = minutes_coming(servers.broker, every_other_warns, ALERTS)  # only the stack itself writes alerts
    with coming, pytest.raises(Heard, match=r'^BTCUSDT is "up", by a lot$'):
        exec(block, space)  # noqa: S102 - our own documentation
    assert (space["alert"].severity, space["alert"].rule) == ("warning", "up")
    assert space["outcomes"].symbol.unique().tolist() == ["BTCUSDT"]


@pytest.mark.services
@pytest.mark.parametrize("where", ["the notebook's", "the checkout's", "another"])
def test_the_notebook_runs_in_any_folder_and_finds_the_foretick_of_this_machine(
    api: Api, kafka: str, tmp_path: Path, where: str
):
    # The package in a checkout of its own, whose home is the running one's.
    checkout = tmp_path / "checkout"
    folder = {"the notebook's": NOTEBOOK.parent, "the checkout's": checkout, "another": tmp_path}[where]
    cells = code(json.loads(NOTEBOOK.read_text()))
    script = "\n".join("".join(cell["source"]) for cell in cells)
    shown = "".join(line for cell in cells for output in cell["outputs"] for line in output["text"])
    shutil.copytree(ROOT / "foretick_client", checkout / "foretick_client")
    home = checkout / ".foretick"
    home.mkdir()
    (home / "api.token").write_text(api.token)
    (home / "addresses.json").write_text(json.dumps({"api_port": int(api.address.rpartition(":")[2])}))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FORETICK_")}
    with minutes_coming(kafka):
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=folder,
            env=clean | {"PYTHONPATH": str(checkout), "PYTHONSAFEPATH": "1"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert timeless(done.stdout.splitlines()) == timeless(shown.splitlines())


@pytest.mark.services
def test_the_notebook_takes_log_returns_for_what_they_are(client: Client):
    (row,) = client.latest("BTCUSDT", model="gbm", horizon=15)
    assert row.q05 is not None
    assert row.q95 is not None
    prices = [f"{row.price * math.exp(quantile):,.2f}" for quantile in (row.q05, row.q95)]
    assert f"BTCUSDT gbm: between {prices[0]} and {prices[1]} in 15 bars" in NOTEBOOK.read_text()


def timeless(outputs: Any) -> str:
    """Return outputs without the places and times of the stream, which are those of the day."""
    return re.sub(r"\b(0|[1-9])-\d+-\d+", "PLACE", re.sub(r"\b\d{13}\b", "TIME", json.dumps(outputs)))
