"""The ways in: further ports with a page of their own, and from Python, also where nothing answers."""

import asyncio
import re
import urllib.request
from pathlib import Path

import pytest
from pydantic import SecretStr
from tornado.httpclient import AsyncHTTPClient

import dashboard
from dashboard.serve import build
from dashboard.site import CLASSIC_PORTS, PAGES
from settings import Settings

TITLE = re.compile("<title>([^<]*)</title>")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a machine on which no server runs."""
    return Settings(
        home=tmp_path,
        database_url=SecretStr("postgresql://me@127.0.0.1:1/nowhere"),
        mlflow_uri=SecretStr("http://127.0.0.1:1"),
        kafka="127.0.0.1:1",
        dashboard_burst=20,
    )


def title(html: bytes) -> str:
    found = TITLE.search(html.decode())
    return "" if found is None else found[1]


def test_each_classic_port_has_its_page_at_its_root_and_all_others_too(settings: Settings) -> None:
    async def titles() -> dict[str, str]:
        site = build(settings, 0, classic=dict.fromkeys(("training", "tuning", "no-such-page"), 0))
        site.start()
        client = AsyncHTTPClient()
        assert set(site.classic) == {"training", "tuning"}
        paths = {"live": f"{site.port}/", "training": f"{site.classic['training']}/"}
        paths |= {"tuning": f"{site.classic['tuning']}/", "other": f"{site.classic['tuning']}/training"}
        found = {
            name: title((await client.fetch(f"http://127.0.0.1:{path}", request_timeout=60)).body)
            for name, path in paths.items()
        }
        site.stop()
        return found

    assert asyncio.run(titles()) == {
        "live": "Foretick",
        "training": "Training · Foretick",
        "tuning": "Tuning · Foretick",
        "other": "Training · Foretick",
    }


def test_the_classic_ports_are_those_that_the_commands_help_names() -> None:
    assert CLASSIC_PORTS == {"training": 8050, "tuning": 8051, "inspector": 8052}
    assert set(CLASSIC_PORTS) <= {page.name for page in PAGES}


def test_from_python_a_dashboard_is_served_until_it_is_stopped(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    served = [
        dashboard.create_monitoring_dashboard(port=0, settings=settings, block=False),
        dashboard.HyperparameterOptimizationDashboard(settings).run_dashboard(port=0, block=False),
        dashboard.ModelInspectorDashboard(settings).run_dashboard(port=0, block=False),
    ]
    try:
        pages = [urllib.request.urlopen(one.url, timeout=60).read() for one in served]  # noqa: S310 - http, loopback
        assert [title(page) for page in pages] == ["Training · Foretick", "Tuning · Foretick", "Inspector · Foretick"]
        names = ("training", "tuning", "inspector")
        lines = [f"{name} on {one.url}" for name, one in zip(names, served, strict=True)]
        assert capsys.readouterr().out.splitlines() == lines
    finally:
        for one in served:
            one.stop()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(served[0].url, timeout=5)  # noqa: S310 - likewise


def test_the_package_has_no_other_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        _ = dashboard.other
