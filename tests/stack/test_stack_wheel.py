"""What pip, uv and pipx install: both wheels, in environments that hold their requirements alone, from any folder."""

import importlib.metadata
import re
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest
from installed import Environment, build, environment, take_compiled, uv
from platformdirs import user_data_path

from foretick_client import connection
from settings import ROOT, places, version

pytestmark = pytest.mark.slow
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def client_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT / "foretick_client", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def foretick(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Environment:
    return environment(tmp_path_factory.mktemp("foretick"), wheel)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, client_wheel: Path) -> Environment:
    return environment(tmp_path_factory.mktemp("client"), client_wheel)


def names(wheel: Path) -> set[str]:
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def test_the_wheel_has_all_of_our_packages_and_what_they_read(wheel: Path) -> None:
    listed = subprocess.run(["git", "ls-files", *places.PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True)
    tracked = {name for name in listed.stdout.split() if (ROOT / name).exists()}
    data = {name for name in names(wheel) if name.startswith("stack/data/")}
    assert names(wheel) - data == tracked
    sample = {f"sample/{path.name}" for path in (ROOT / "sample").iterdir()}
    assert data == {f"stack/data/{name}" for name in (*sample, "requirements/default.lock", "requirements/sizes")}


def test_the_list_of_packages_is_that_of_the_wheel() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert sorted(places.PACKAGES) == sorted(build["targets"]["wheel"]["packages"])


def test_the_client_has_only_itself(client_wheel: Path) -> None:
    code = {f"foretick_client/{path.name}" for path in (ROOT / "foretick_client").glob("*.py")}
    assert names(client_wheel) == code | {"foretick_client/py.typed"}


def test_there_is_one_version_and_one_licence(foretick: Environment, client: Environment) -> None:
    for one, name in ((foretick, "foretick"), (client, "foretick-client")):
        (own,) = importlib.metadata.distributions(name=name, path=[str(one.site)])
        assert own.version == PROJECT["version"] == version.package_version()
        assert own.metadata["License-Expression"] == "Apache-2.0"
        licences = [str(file) for file in own.files or () if file.name == "LICENSE" and "sample" not in file.parts]
        assert [(one.site / licence).read_text() for licence in licences] == [(ROOT / "LICENSE").read_text()]
    assert foretick.run("foretick", "--version").stdout == f"foretick {PROJECT['version']}\n"


def test_what_the_metadata_require_is_all_and_fits(foretick: Environment, client: Environment) -> None:
    for one in (foretick, client):
        done = subprocess.run(
            [uv(), "pip", "check", "--python", one.prefix], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    here = {path.name for path in foretick.site.iterdir()}
    assert not {"torch", "catboost", "ccxt", "pytest", "foretick_client"} & here
    code = {path.name for path in client.site.iterdir() if path.suffix != ".dist-info"}
    assert {"httpx", "msgspec", "foretick_client"} <= code
    assert not code & {*places.PACKAGES, "pydantic", "numpy", "pandas", "pyarrow"}


def test_every_module_is_imported_by_what_the_metadata_require(foretick: Environment) -> None:
    """But for those of torch, CatBoost and ccxt, and those that take pictures of pages for the documentation."""
    code = (
        "import importlib, pathlib, sys\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).glob('*/**/*.py')):\n"
        "    name = '.'.join(path.relative_to(sys.argv[1]).with_suffix('').parts).removesuffix('.__init__')\n"
        f"    if name.split('.')[0] not in {places.PACKAGES!r} or name.endswith('__main__'): continue\n"
        "    try: importlib.import_module(name)\n"
        "    except ModuleNotFoundError as error: print(error.name, name)\n"
    )
    done = foretick.run("python", "-P", "-c", code, str(foretick.site))
    assert done.returncode == 0, done.stderr
    lacking = [line.split() for line in done.stdout.splitlines()]
    parts = {
        "torch": "models.networks.nn",
        "catboost": "models.trees.catboost_point",
        "ccxt": "sources.live",
        "playwright": "dashboard",
    }
    assert {name for name, _ in lacking} == set(parts)
    assert all(re.match(parts[name], module) for name, module in lacking), lacking


def test_its_home_is_the_users_folder_of_data(foretick: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    done = foretick.run("foretick", "doctor")
    home = foretick.prefix.parent / "data" / "foretick"
    assert done.returncode == 0, done.stdout
    assert f"the stack was never started in {home}" in done.stdout
    assert "./foretick" not in done.stdout
    elsewhere = foretick.run("foretick", "doctor", FORETICK_HOME="/nowhere/else")
    assert "the stack was never started in /nowhere/else" in elsewhere.stdout
    for value in ("/some/where", ""):
        monkeypatch.setenv("XDG_DATA_HOME", value)
        assert connection.installed() == user_data_path("foretick", appauthor=False)  # the client has no platformdirs


def test_other_versions_than_the_tested_are_told(foretick: Environment) -> None:
    told = foretick.run("foretick", "doctor", "--wide").stdout
    assert "the versions that were tested" in told
    info = next(foretick.site.glob("rich-*.dist-info"))
    tested, metadata = info.name.removesuffix(".dist-info").removeprefix("rich-"), (info / "METADATA").read_text()
    (info / "METADATA").write_text(metadata.replace(f"\nVersion: {tested}\n", "\nVersion: 15.9.9\n"))
    told = foretick.run("foretick", "doctor", "--wide").stdout
    (info / "METADATA").write_text(metadata)
    assert f"other versions than the tested (in brackets): rich 15.9.9 ({tested}) " in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("evaluate", "FILE", "--model", "lstm"),
            "lstm needs torch, which is not installed: install foretick[networks]",
        ),
        (("live", "binance", "BTC/USDT"), "live venues need ccxt, which is not installed: install foretick[live]"),
        (("install", "networks"), "the packages were installed by pip, uv or pipx: install foretick[networks]"),
        (("install", "network"), "no extra 'network'"),
        (("test", "tests/api"), "the tests are in a checkout"),
    ],
)
def test_what_is_not_installed_is_told_with_what_to_install(
    foretick: Environment, words: tuple[str, ...], told: str
) -> None:
    done = foretick.run("foretick", *(word.replace("FILE", sample(foretick)) for word in words))
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def sample(foretick: Environment) -> str:
    return str(foretick.site / "stack/data/sample/BTCUSDT-1m.csv.gz")


def test_the_pipeline_and_the_dashboards_are_imported_outside_of_a_checkout(foretick: Environment) -> None:
    code = (
        "from learning.pipeline import ProductionPipeline\n"
        "from dashboard.served_dashboard import HyperparameterOptimizationDashboard, MonitoringDashboard\n"
        "from dashboard.served_dashboard import ModelInspectorDashboard\n"
        "from learning.tracking.code_version import commit\n"
        "print(commit())"
    )
    done = foretick.run("python", "-P", "-c", code)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(rf"{re.escape(PROJECT['version'])}\+sha256\.[0-9a-f]{{12}}\n", done.stdout)


def test_the_client_is_used_without_foretick(client: Environment) -> None:
    code = (
        "import foretick_client\n"
        "try: foretick_client.Client('https://forecasts.example', None)\n"
        "except foretick_client.ForetickError as error: print(error)"
    )
    done = client.run("python", "-P", "-c", code)
    assert "no token: give one" in done.stdout, done.stderr
    assert str(client.prefix.parent / "data" / "foretick" / "api.token") in done.stdout


def nothing_left(foretick: Environment) -> None:
    left = {path.name for path in foretick.folder.rglob("*")}
    assert {name for name in left if not name.endswith(".py")} == {"topics"}


@pytest.mark.timeout(1_800)
def test_it_evaluates_and_tries_itself_from_any_folder(foretick: Environment) -> None:
    take_compiled(foretick.site)
    done = foretick.run("foretick", "evaluate", sample(foretick), "--quick", "--model", "naive", "--json")
    assert done.returncode == 0, done.stderr
    assert '"naive"' in done.stdout
    done = foretick.run("foretick", "test", "--fast")
    assert done.stdout.endswith(" passed, 0 failed\n"), f"{done.stdout}{done.stderr}"
    assert done.returncode == 0
    nothing_left(foretick)


@pytest.mark.services
@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_it_starts_and_forecasts_from_any_folder(foretick: Environment) -> None:
    take_compiled(foretick.site)
    done = foretick.run("foretick", "test")
    assert re.search(r"^ok forecasts, \d+ s: .*naive [1-9]", done.stdout, re.MULTILINE), f"{done.stdout}{done.stderr}"
    assert done.stdout.endswith("\n6 passed, 0 failed\n")
    assert done.returncode == 0
    nothing_left(foretick)
