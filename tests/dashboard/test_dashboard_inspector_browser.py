"""The model inspector in Chromium, on its real server, with models of several kinds that were really trained."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import inspector_models
import pytest
from dashboard_market import serving
from playwright.sync_api import Page, TimeoutError, expect
from stacks import Servers, databases

from models.registry import listing

pytestmark = [pytest.mark.services, pytest.mark.browser]

WAIT_MS = 180_000
NOWHERE = "postgresql://me:s3cret@127.0.0.1:1/nowhere"
FIND = """const body = Bokeh.documents[0].roots().find(root => root.name === "body")
    const found = [...body.references()].find(model => model.name === name)"""
DRAWN = f"name => {{ {FIND}; return found !== undefined }}"
TEXTS = """Bokeh.documents[0].roots().flatMap(root => [...root.references()])
    .map(model => model.text).filter(text => typeof text === "string").join("; ")"""
COLUMN = f"""([name, column]) => {{
    {FIND}
    return Array.from(found.renderers.map(one => one.data_source.data).find(data => column in data)[column])
}}"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of small models."""
    return tmp_path_factory.mktemp("inspected")


@pytest.fixture(scope="module")
def inspector(servers: Servers, home: Path) -> Iterator[str]:
    """The address of a dashboard on those models, and on a database with their bars and forecasts."""
    frames = inspector_models.train(home)
    with databases(servers, "inspector") as make:
        url = make()
        inspector_models.store(home, url, frames)
        with serving(url, servers.kafka, home) as address:
            yield f"{address}inspector"


def opened(page: Page, address: str, query: str, state: str = "live") -> None:
    page.goto(f"{address}?{query}")
    expect(page.locator("body")).to_have_attribute("data-state", state, timeout=WAIT_MS)


def drawn(page: Page, *plots: str) -> None:
    """Wait until those plots are there. Fails with what the page says."""
    for plot in plots:
        try:
            page.wait_for_function(DRAWN, arg=plot, timeout=WAIT_MS)
        except TimeoutError:
            pytest.fail(f"no plot {plot}; the page has: {page.evaluate(TEXTS)}")


def column(page: Page, plot: str, name: str) -> list[Any]:
    """Return a column of a plot, as the browser has it."""
    values: list[Any] = page.evaluate(COLUMN, [plot, name])
    return values


def choose(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_boosted_model_shows_origin_trees_and_what_moved_it(page: Page, inspector: str) -> None:
    opened(page, inspector, "model=gbm")
    expect(page.get_by_text("0123abc")).to_be_visible()
    expect(page.get_by_text("9,000 of BTCUSDT, ETHUSDT")).to_be_visible()
    drawn(page, "importance", "curve")
    assert column(page, "curve", "step") == list(range(1, 21))
    choose(page, "Structure")
    drawn(page, "tree", "gains")
    first = column(page, "tree", "text")
    expect(page.get_by_text("1 of 20, for mean, 15 bars ahead")).to_be_visible()
    page.get_by_label("Tree", exact=True).fill("7")
    page.get_by_label("Tree", exact=True).press("Enter")
    expect(page.get_by_text("7 of 20, for mean, 15 bars ahead")).to_be_visible()
    assert column(page, "tree", "text") != first
    choose(page, "Explanations")
    drawn(page, "summary", "dependence")
    assert len(set(column(page, "summary", "time"))) > 100


def test_a_linear_model_beside_its_older_version(page: Page, inspector: str, home: Path) -> None:
    served = listing.serving(home / "models")["ar"]
    (older,) = set(listing.versions(home / "models", "ar")) - {served}
    opened(page, inspector, f"model=ar&section=compare&other={older}")
    drawn(page, "importances", "coefficients")
    expect(page.locator("tr.differs", has_text="clip")).to_contain_text("3")
    expect(page.get_by_text("+1.23 % ± 0.40 % over 14 days").first).to_be_visible()
    assert len(column(page, "coefficients", "other")) == 7
    choose(page, "Structure")
    drawn(page, "coefficients")
    before = column(page, "coefficients", "value")
    choose(page, "60")
    page.wait_for_function("before => location.search.includes('horizon=60')")
    expect(page.get_by_text("Coefficients")).to_be_visible()
    page.wait_for_timeout(500)
    assert column(page, "coefficients", "value") != before


@pytest.mark.long
def test_a_network_shows_layers_weights_and_attention(page: Page, inspector: str) -> None:
    opened(page, inspector, "model=transformer&section=structure")
    drawn(page, "architecture", "weights", "weights-by-epoch", "gradients-by-epoch", "gradients-by-tensor")
    names = column(page, "architecture", "name")
    assert {"window", "row", "patch", "first.query", "head"} <= set(names)
    epochs = column(page, "weights-by-epoch", "epoch")
    assert list(epochs) == list(range(1, len(epochs) + 1))
    before = column(page, "weights-by-epoch", "q50")
    page.get_by_label("Tensor").select_option("head.bias")
    page.wait_for_function(
        f"before => JSON.stringify(({COLUMN})(['weights-by-epoch', 'q50'])) !== before",
        arg=json.dumps(list(before)),
        timeout=WAIT_MS,
    )
    choose(page, "Explanations")
    drawn(page, "looked", "attention_encoder", "attention_thinned")
    assert sum(column(page, "looked", "share")) == pytest.approx(1.0, abs=1e-6)
    assert len(column(page, "attention_encoder", "weight")) == 4 * 9 * 9


def test_an_ensembles_weights_over_time_and_by_regime(page: Page, inspector: str) -> None:
    opened(page, inspector, "model=ensemble&section=weights&horizon=1")
    drawn(page, "weights_over_time", "weights_by_regime")
    assert set(column(page, "weights_by_regime", "model")) == {"naive", "ar", "gbm", "transformer"}
    choose(page, "Explanations")
    expect(page.get_by_text("adds up other models' forecasts by weights")).to_be_visible()


@pytest.mark.long
def test_a_broken_artifact_and_a_wrong_address_are_told(page: Page, inspector: str, home: Path) -> None:
    folder = home / "models" / "gbm"
    (sound,) = listing.versions(home / "models", "gbm")
    broken = folder / "0000deadbeef"
    broken.mkdir()
    (broken / "model.json").write_text((folder / sound / "model.json").read_text())
    opened(page, inspector, "model=gbm")
    expect(page.locator("option", has_text="0000deadbeef").first).to_be_attached(timeout=WAIT_MS)
    opened(page, inspector, "model=gbm&version=0000deadbeef&section=structure&horizon=7")
    expect(page.get_by_text("booster.txt: cannot be read (No such file or directory)")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text("horizon=7 in the address is none of")).to_be_visible()
    opened(page, inspector, "model=nothing")
    expect(page.get_by_text("No version of a model nothing is stored")).to_be_visible()


@pytest.mark.long
def test_without_models_and_without_a_database(page: Page, home: Path, tmp_path: Path) -> None:
    with serving(NOWHERE, "127.0.0.1:1", tmp_path) as address:
        opened(page, f"{address}inspector", "model=ar&section=structure", state="blank")
        expect(page.get_by_text("No model is stored in")).to_be_visible()
        shutil.copytree(home / "models", tmp_path / "models")
        expect(page.locator("body")).to_have_attribute("data-state", "stale", timeout=WAIT_MS)
        expect(page.get_by_text("postgresql://127.0.0.1:1/nowhere cannot be read").first).to_be_visible()
        drawn(page, "coefficients")
        assert "s3cret" not in page.content()
        page.goto("about:blank")  # a page whose server ends complains
