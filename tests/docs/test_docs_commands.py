"""Every command line of README, CONTRIBUTING and docs beside those of `foretick` itself, which tests/story types.

What takes seconds runs word by word in a copy of the checkout; where it takes longer, the line is given to its parser.
"""

import argparse
import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
import types
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import documented
import pytest
from documented import command_lines, documented_lines

from settings import ROOT, Settings
from stack import packages
from stack.settings_check import check

EXECUTED = {
    ".venv/bin/ruff check": "",
    ".venv/bin/ruff format --check": "",
    ".venv/bin/mypy": "topics/units.py",
    ".venv/bin/lint-imports": "",
    ".venv/bin/python -m bench.report": "",
    ".venv/bin/python -m stack.monitoring": "",
    "python -m stack.kubernetes": "",
    ".venv/bin/python -m features.listing > docs/FEATURES.md": "",
    "python -m bench.report": "",
    "python -m bench.chaos.page": "",
    "python -m cli.reference": "",
    "python docs/site/build.py": "",
    "python -m features.listing > docs/FEATURES.md": "",
    "python -m settings.page > docs/settings.md": "",
    "python -m sources.formats_page > docs/FORMATS.md": "",
    "python -m stack.sbom > sbom.json": "",
    "python -m stack.sbom networks": "",
    "python -m tests.simulation SEED": "",
    "gunzip -c sample/BTCUSDT-1m.csv.gz > BTCUSDT-1m.csv": "",
}
"""What runs in the copy, and what makes it shorter; SEED is a number. What it writes is the checkout's."""
MADE = (
    *("docs/measured.md", "docs/reliability.md", "docs/FEATURES.md", "docs/FORMATS.md", "docs/settings.md"),
    *("docker/monitoring/rules.yml", "docker/monitoring/grafana/foretick.json", "docs/images/flow.svg"),
    *(f"docs/reference/{name}" for name in ("commands.md", "topics.md", "rest.md", "metrics.md")),
    *(f"docker/kubernetes/components/strimzi/{name}.yaml" for name in ("topics", "users")),
    *(f"docs/reference/{name}" for name in ("asyncapi.json", "openapi.json")),
)
PARSED = (
    *("alerts", "api", "chaos", "dashboard", "features", "features_file", "features_stream", "forecast"),
    *(
        "fuzz",
        "inference",
        "latency",
        "live",
        "promotion",
        "promotion_replay",
        "queries",
        "readers",
        "reading",
        "regimes",
        "replay",
        "scale",
        "soak",
        "stream",
    ),
    "trainer",
)
"""Benches, which start servers or take minutes."""
ELSEWHERE = {
    ".ci/run": "tests/docs/test_docs_commands.py",
    ".venv/bin/python": "tests/learning/test_learning_pipeline.py",
    "./foretick test --fast": "tests/docs/test_docs_commands.py",
    "python -m bench.readers.guided": "tests/docs/test_docs_commands.py",
    "python -m bench.readers.guided FOLDER": "tests/docs/test_docs_commands.py",
    "python -m cli.reference --database": "tests/storage/test_storage_reference.py",
    "python -m stack.packages": "tests/docs/test_docs_commands.py",
    "sh requirements/compile.sh": "tests/stack/test_stack_install.py",
    # The test takes what the backend builds, and gives uv the requirements that are here: nothing is downloaded.
    "uv build --wheel --out-dir dist .": "tests/stack/test_stack_wheel.py",
    "uv build --wheel --out-dir dist foretick_client": "tests/stack/test_stack_wheel.py",
    "uv tool install dist/foretick-0.1.0-py3-none-any.whl": "tests/stack/test_stack_wheel.py",
    "uv tool install foretick": "tests/stack/test_stack_wheel.py",
    "uv tool install 'foretick[live]'": "tests/stack/test_stack_wheel.py",
    "pipx install foretick": "tests/stack/test_stack_wheel.py",
    "pip install foretick": "tests/stack/test_stack_wheel.py",
    "pip install foretick-client": "tests/stack/test_stack_wheel.py",
    **dict.fromkeys(
        [
            'curl -H "Authorization: Bearer $TOKEN" "$ADDRESS/v1/predictions/latest?symbol=BTCUSDT"',
            'curl -N -H "Authorization: Bearer $TOKEN" "$ADDRESS/v1/stream/predictions?symbol=BTCUSDT"',
        ],
        "tests/docs/test_docs_site.py",
    ),
    # What cannot be run here: its parts are looked at.
    "python -m stack.jars": "tests/docs/test_docs_commands.py",  # Maven Central
    "docker compose up": "tests/stack/test_stack_compose.py",  # no daemon
    "docker compose exec database sh -c 'head /secrets/*.password'": "tests/stack/test_stack_container_secrets.py",
    "docker compose up -d alerts": "tests/stack/test_stack_compose.py",
    "docker compose --profile monitoring up -d": "tests/stack/test_stack_compose.py",
    "docker compose run -d --use-aliases live binance BTC/USDT": "tests/stack/test_stack_compose.py",
    "go install github.com/prometheus/prometheus/cmd/promtool@v0.316.0": "tests/stack/test_stack_monitoring.py",
    **dict.fromkeys(  # no cluster, no registry
        (line for line in documented_lines() if line.startswith(("kubectl ", "docker build ", "docker push "))),
        "tests/stack/test_stack_kubernetes.py",
    ),
    "kcat -b 127.0.0.1:9092 -t predictions -C -o -1": "tests/api/test_api_foreign_consumer.py",
}
OURS = re.compile(r"([A-Z_]+=\S+ )*(\./)?foretick\b")


OTHERS = [line for line in documented_lines() if not OURS.match(line) or line in ELSEWHERE]


def bench_of(line: str) -> str | None:
    """Return the bench that a line starts, where its parser is to be asked."""
    words = line.removeprefix(".venv/bin/").split()
    module = words[2] if words[:2] == ["python", "-m"] and len(words) > 2 else ""
    return module.removeprefix("bench.") if module.removeprefix("bench.") in PARSED else None


def proof(line: str) -> str | None:
    """Return what proves a line, None if nothing does."""
    if line in EXECUTED:
        return "executed"
    if line in ELSEWHERE:
        return ELSEWHERE[line]
    return "parsed" if bench_of(line) else None


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy") / "foretick"
    left_out = shutil.ignore_patterns(".git", ".venv", ".foretick", ".*_cache", "__pycache__", ".hypothesis")
    shutil.copytree(ROOT, folder, ignore=left_out)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def shell(line: str, folder: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    """Type a line in a folder, with its modules and this environment's programs."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PYTHONPATH": str(folder), "PATH": path} | more
    return subprocess.run(["sh", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_each_documented_command_has_a_test() -> None:
    assert len(OTHERS) > 40
    assert [line for line in OTHERS if proof(line) is None] == []
    assert [line for line in {**EXECUTED, **ELSEWHERE} if line not in OTHERS] == []
    assert [name for name in ELSEWHERE.values() if not (ROOT / name).exists()] == []


def test_a_command_without_a_test_is_found() -> None:
    (new,) = command_lines("To see it: `python -m bench.other --save`.")
    assert proof(new) is None
    assert doctest.testmod(documented).failed == 0


@pytest.mark.slow
@pytest.mark.parametrize("line", EXECUTED)
def test_a_documented_command_runs(line: str, copy: Path) -> None:
    done = shell(f"{line.replace('SEED', '1')} {EXECUTED[line]}", copy)
    assert done.returncode == 0, done.stdout + done.stderr
    for page in MADE:
        assert (copy / page).read_bytes() == (ROOT / page).read_bytes(), f"{page}: write it anew: {line}"


class Parsed(BaseException):
    """The line was understood, and nothing has been started."""


def parse(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a line to the parser of its bench. Raises Parsed if it is taken, SystemExit where not."""
    result = argparse.ArgumentParser.parse_args

    def only(self: argparse.ArgumentParser) -> NoReturn:
        self.allow_abbrev = False
        result(self)
        raise Parsed

    name = f"bench.{bench_of(line)}"
    spec = find_spec(name)
    assert spec is not None
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", only)
    monkeypatch.setattr(sys, "argv", [name, *shlex.split(line)[3:]])
    import_module(f"{name}.__main__" if spec.submodule_search_locations else name).main()


@pytest.mark.parametrize("line", [line for line in OTHERS if bench_of(line)])
def test_the_parser_accepts_a_documented_command(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Parsed):
        parse(line, monkeypatch)


@pytest.mark.parametrize("line", ["python -m bench.replay --sav", "python -m bench.fuzz --minutes many"])
def test_the_parser_refuses_a_wrong_command(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(line, monkeypatch)
    assert ended.value.code == 2


@pytest.mark.slow
def test_the_fast_tests_are_some_of_all() -> None:
    done = shell(
        ".venv/bin/foretick test --fast --collect-only -q tests/topics tests/story/test_story_documented.py", ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^[1-9]\d*/\d+ tests collected \([1-9]\d* deselected\)", done.stdout, re.MULTILINE), done.stdout
    assert "test_story_documented.py" not in done.stdout


def test_the_sizes_of_the_packages_are_written(copy: Path) -> None:
    assert shell("python -m stack.packages", copy).returncode == 0
    written = dict(line.split(" ", 1) for line in (copy / "requirements/sizes").read_text().splitlines())
    assert written.keys() == packages.sizes().keys()
    assert all(re.fullmatch(r"\d+\.\d GB", size) for size in written.values())


def test_what_ci_runs_is_what_contributing_names_and_one_failure_fails_it(copy: Path, tmp_path: Path) -> None:
    """Each program is one that writes its line down; ruff format fails."""
    folder = tmp_path / "checkout"
    (folder / ".venv/bin").mkdir(parents=True)
    shutil.copytree(copy / ".ci", folder / ".ci")
    for name in ("foretick", ".venv/bin/ruff", ".venv/bin/mypy", ".venv/bin/lint-imports"):
        (folder / name).write_text('#!/bin/sh\necho "$0 $*" >> typed\n[ "$1" != "$FAILS" ]\n')
        (folder / name).chmod(0o755)
    wanted = [".venv/bin/ruff check", ".venv/bin/ruff format --check", ".venv/bin/mypy", ".venv/bin/lint-imports"]
    assert shell(".ci/run", folder, FAILS="nothing").returncode == 0
    assert [line.strip() for line in (folder / "typed").read_text().splitlines()] == ["./foretick test", *wanted]
    assert set(wanted) <= set(OTHERS)
    failed = shell(".ci/run", folder, FAILS="format")
    assert failed.returncode == 1
    assert failed.stderr == "== FAILED: .venv/bin/ruff format --check\n"
    assert len((folder / "typed").read_text().splitlines()) == 10


def test_the_guided_reader_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """atheris is no package of the project: one that gives a single input stands for it."""
    fake = types.ModuleType("atheris")
    given: list[str] = []

    class Fuzzer:
        def __init__(self, *, include: list[str]) -> None:
            assert all(find_spec(name) is not None for name in include)

        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

    def setup(arguments: list[str], one: Callable[[bytes], None]) -> None:
        given.extend(arguments)
        one(b"\x01time,open\n1,2\n")

    vars(fake).update(
        instrument_imports=Fuzzer,
        Setup=setup,
        Fuzz=lambda: given.append("fuzzed"),
    )
    monkeypatch.setitem(sys.modules, "atheris", fake)
    monkeypatch.setattr(sys, "argv", ["guided", str(tmp_path / "FOLDER")])
    import_module("bench.readers.guided").main()
    assert given == ["guided", str(tmp_path / "FOLDER"), "fuzzed"]
    assert len(list((tmp_path / "FOLDER").glob("seed-*"))) > 100


def test_the_list_of_jars_is_one_that_its_writer_reads() -> None:
    jars = import_module("stack.jars")
    written = jars.LIST.read_text().splitlines()
    assert callable(jars.write_list)
    assert all(re.fullmatch(r"[\w.-]+:[\w.-]+:[\w.-]+ [0-9a-f]{64}", line) for line in written)


def environments() -> list[Mapping[str, str]]:
    before = (line.partition("foretick")[0] for line in documented_lines() if OURS.match(line))
    return [given for words in before if (given := dict(re.findall(r"(\w+)=(\S+) ", words)))]


@pytest.mark.parametrize("given", environments(), ids=str)
def test_settings_before_a_command_are_taken(given: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    check(settings)
    untouched = Settings.model_construct()
    for name in given:
        setting = name.removeprefix("FORETICK_").lower()
        assert getattr(settings, setting) != getattr(untouched, setting)
