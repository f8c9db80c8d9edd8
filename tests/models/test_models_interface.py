"""What a model can do is on its class: no code asks which model it has before it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from model_data import NAMES

from models.forecaster import Forecaster
from models.registry.zoo import ZOO
from settings import ROOT

PACKAGES = ("models", "learning", "evaluation", "dashboard", "cli")
KINDS = {kind.__name__ for model in ZOO.values() for kind in model.__mro__ if issubclass(kind, Forecaster)}


def asked(source: str) -> Iterator[str]:
    """Yield what is asked of an object's kind that should be asked of the object: a model's class, or an attribute."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id == "hasattr":
            yield ast.unparse(node)
        if node.func.id in {"isinstance", "issubclass"}:
            names = {part.id for part in ast.walk(node.args[1]) if isinstance(part, ast.Name)}
            if names & KINDS:
                yield ast.unparse(node)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_code_tests_which_class_a_model_has(package: str) -> None:
    paths: list[Path] = sorted((ROOT / package).rglob("*.py"))
    assert {path.name: found for path in paths if (found := list(asked(path.read_text())))} == {}


def test_a_test_of_a_models_class_is_found() -> None:
    assert {"Forecaster", "JSONModel", "Boosted", "Network", "HAR"} <= KINDS
    source = "if isinstance(model, (HAR, int)) or hasattr(model, 'thin') or isinstance(error, MemoryError): pass"
    assert list(asked(source)) == ["isinstance(model, (HAR, int))", "hasattr(model, 'thin')"]


@pytest.mark.parametrize("name", ZOO)
def test_every_model_is_constructed_with_the_same_arguments(name: str) -> None:
    model = ZOO[name](NAMES, horizons=(1, 5), parameters={})
    assert (model.names, model.horizons, model.tuned, model.fingerprint) == (NAMES, (1, 5), {}, "")
    assert (model.progress, model.checkpoint, model.thin) == (None, None, 1)
    assert not model.resumable or model.iterative
    with pytest.raises(ValueError, match=f"model '{name}' has no parameter 'leaves'"):
        ZOO[name](NAMES, parameters={"leaves": 3})
