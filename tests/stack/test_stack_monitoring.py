"""The files that Grafana and Prometheus read are those of the tables, and are what they are meant to be."""

import re
import shutil
import subprocess

import pytest
import yaml

from broker.origin import Origin
from observability.metrics import exemplar
from settings import ROOT
from stack.grafana_panels import ROWS
from stack.monitoring import DASHBOARD, RULES, dashboard, files, rules
from stack.prometheus_rules import WARNINGS
from stack.servers import MEASURED

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SCRAPED = yaml.safe_load((ROOT / "docker/monitoring/prometheus.yml").read_text())
MONITORING = ("prometheus", "grafana")


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_the_monitoring_files_are_those_that_the_tables_generate(path):
    assert path.read_text() == files()[path], "run python -m stack.monitoring"


def test_every_rule_is_one_that_prometheus_knows():
    (group,) = yaml.safe_load(rules())["groups"]
    assert [rule["alert"] for rule in group["rules"]] == [rule.name for rule in WARNINGS]
    for rule in group["rules"]:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"\d+[mhs]", rule["for"])
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
        assert rule["expr"].count("(") == rule["expr"].count(")")


def test_every_panel_has_a_place_of_its_own():
    panels = dashboard()["panels"]
    taken = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len(panels) == len(ROWS) + sum(map(len, ROWS.values()))


def test_each_component_is_scraped_where_compose_runs_it():
    jobs = {job.pop("job_name"): job for job in SCRAPED["scrape_configs"]}
    (venues,) = jobs.pop("live")["dns_sd_configs"]  # as many as are started: one that is not is not down
    assert (venues["names"], venues["type"], venues["port"]) == (["live"], "A", 9100)
    assert jobs == {name: {"static_configs": [{"targets": [f"{name}:9100"]}]} for name in MEASURED}
    for name in (*MEASURED, "live"):
        reporter = COMPOSE["services"][name]["environment"]
        assert reporter["FORETICK_METRICS_PORT"] == "9100"
        assert reporter["FORETICK_METRICS_ADDRESS"] == "0.0.0.0"  # noqa: S104 - of the container
        assert not any("9100" in port for port in COMPOSE["services"][name].get("ports", ()))


def test_monitoring_starts_only_where_it_is_asked_for_and_on_loopback():
    for name in MONITORING:
        service = COMPOSE["services"][name]
        assert service["profiles"] == ["monitoring"]
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        mounted = [volume.split(":")[0] for volume in service["volumes"] if volume.startswith("./")]
        assert mounted
        assert all((ROOT / path).exists() for path in mounted)
    every = [port for service in COMPOSE["services"].values() for port in service.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in every)


def test_grafana_is_provisioned_with_the_source_that_the_panels_name():
    folder = ROOT / "docker/monitoring/grafana"
    source, traces = yaml.safe_load((folder / "datasources.yml").read_text())["datasources"]
    assert (source["uid"], source["type"], source["url"]) == ("prometheus", "prometheus", "http://prometheus:9090")
    assert (traces["uid"], traces["type"], traces["url"]) == ("jaeger", "jaeger", "http://jaeger:16686")
    (provider,) = yaml.safe_load((folder / "dashboards.yml").read_text())["providers"]
    mounts = [volume.split(":") for volume in COMPOSE["services"]["grafana"]["volumes"]]
    assert (f"./{DASHBOARD.relative_to(ROOT)}", f"{provider['options']['path']}/{DASHBOARD.name}", "ro") in [
        tuple(mount) for mount in mounts
    ]


def test_an_exemplar_leads_from_a_panel_to_its_trace():
    """Of each link on the way: Prometheus keeps exemplars, the panel asks for them, and their label names the trace."""
    prometheus, jaeger = COMPOSE["services"]["prometheus"], COMPOSE["services"]["jaeger"]
    assert "--enable-feature=exemplar-storage" in prometheus["command"]
    assert (jaeger["profiles"], jaeger["ports"]) == (["monitoring"], ["127.0.0.1:16686:16686"])
    source, _ = yaml.safe_load((ROOT / "docker/monitoring/grafana/datasources.yml").read_text())["datasources"]
    (label,) = exemplar(Origin(traceparent=f"00-{'a' * 32}-{'b' * 16}-01")) or {}
    assert source["jsonData"]["exemplarTraceIdDestinations"] == [{"name": label, "datasourceUid": "jaeger"}]
    asked_for = [
        one["expr"] for panel in dashboard()["panels"] for one in panel.get("targets", ()) if "exemplar" in one
    ]
    assert ["foretick_latency" in asked_for[0], "foretick_store" in asked_for[1], len(asked_for)] == [True, True, 2]


@pytest.fixture
def promtool() -> str:
    """Return Prometheus' own checker, or skip the test where it is not installed."""
    text = shutil.which("promtool")
    if text is None:
        pytest.skip("no promtool: go install github.com/prometheus/prometheus/cmd/promtool@v0.316.0")
    return text


def asked(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_can_read_each_panel(promtool: str):
    for panels in ROWS.values():
        for panel in panels:
            for query, _ in panel.lines:
                assert asked(promtool, "promql", "format", "--experimental", query).strip()


def test_prometheus_warns_when_it_should(promtool: str):
    asked(promtool, "check", "rules", "--lint-fatal", str(RULES))
    asked(promtool, "test", "rules", str(ROOT / "tests/stack/rules_tried.yml"))
