"""The sets of packages: each lock is a part of the larger one, and what is missing is said."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.argument_checks import check_typed
from cli.errors import UserError
from cli.main import app
from models.networks.network import Network
from models.registry import model_registry, names
from models.registry.zoo import ZOO
from settings import ROOT
from stack import bytecode, component_table, packages

NAMES = list(packages.SETS)


def locked(name: str) -> dict[str, str]:
    """Return each entry of a lock with its hashes."""
    text = (packages.FOLDER / f"{name}.lock").read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    return {entry.split("\\")[0].strip(): entry for entry in entries}


@pytest.mark.parametrize(("smaller", "larger"), [("default", "networks"), ("networks", "tests")])
def test_each_larger_set_contains_the_smaller_one(smaller: str, larger: str) -> None:
    few, many = locked(smaller), locked(larger)
    assert len(few) < len(many)
    assert {name: many.get(name) for name in few} == few


def test_the_default_set_has_no_torch_and_no_test_tools() -> None:
    few = {line.split("==")[0] for line in locked("default")}
    assert not few & {
        "torch",
        "catboost",
        "triton",
        "nvidia-cublas",
        "playwright",
        "ruff",
        "mypy",
        "pytest",
        "ta",
        "ta-lib",
        "hypothesis",
    }
    assert {"torch", "catboost"} <= {line.split("==")[0] for line in locked("networks")}


def test_locks_name_no_registry() -> None:
    assert not [name for name in NAMES if "://" in (packages.FOLDER / f"{name}.lock").read_text()]


def test_the_sizes_that_are_shown_are_those_that_are_here() -> None:
    for name, size in packages.measured().items():
        assert float(packages.sizes()[name].removesuffix(" GB")) == pytest.approx(size / 1e9, rel=0.1)


@pytest.mark.slow
def test_no_component_needs_torch_or_catboost_to_start() -> None:
    """As in the default set: they cannot be imported, and each module of a component can."""
    script = (
        "import sys; from importlib import import_module\n"
        "class Without:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name in ('torch', 'catboost'): raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Without())\n"
        f"for module in {bytecode.MODULES!r}: import_module(module)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


def test_the_bytecode_is_of_all_that_up_starts() -> None:
    source = Path(component_table.__file__).read_text()
    started = re.findall(r'(?:python|step)\("\w+", "([\w.]+)"', source)
    assert {"stream.worker", "stack.prepare", "api.serve"} < set(started)
    assert set(started) <= set(bytecode.MODULES)


def test_a_model_that_needs_torch_says_so_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "lstm" in model_registry.classes(["lstm"])
    of_torch = {name for name, package in names.NEEDED.items() if package == "torch"}
    assert of_torch == {name for name, model in ZOO.items() if issubclass(model, Network)}
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr("models.registry.names.find_spec", lambda _name: None)
    with pytest.raises(ValueError, match=r"lstm needs torch, which is not installed: \./foretick install networks"):
        model_registry.classes(["lstm", "ridge"])
    with pytest.raises(ValueError, match="transformer and lstm need torch"):
        model_registry.classes(["lstm", "transformer"])
    with pytest.raises(ValueError, match="catboost and lstm need catboost and torch, which are not installed"):
        model_registry.classes(["lstm", "catboost"])
    with pytest.raises(UserError, match=r"--model: lstm needs torch.*install networks \(\d\.\d GB in all\)"):
        check_typed(models=["lstm"])


def test_install_shows_the_sets_and_refuses_others() -> None:
    shown = CliRunner().invoke(app, ["install"])
    assert shown.exit_code == 0
    assert all(re.search(rf"^ ?{name} .*{packages.sizes()[name]}", shown.output, re.MULTILINE) for name in NAMES)
    wrong = CliRunner().invoke(app, ["install", "network"])
    assert "there is no set of packages 'network'; there are default, networks, tests" in str(wrong.exception)
