"""What a worker imports decides how soon it is there again."""

import subprocess
import sys

import pytest

SEEN = "import sys; print([name for name in ('sklearn', 'pandas', 'mlflow', 'torch', 'optuna') if name in sys.modules])"


def test_a_worker_imports_none_of_the_large_packages_that_it_does_not_use() -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import stream.worker; {SEEN}"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.slow
def test_what_was_hidden_can_be_imported_afterwards() -> None:
    code = "import models.trees.lightgbm_import, sklearn.linear_model, pandas; print(pandas.Series([1, 2]).sum())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "3\n"
