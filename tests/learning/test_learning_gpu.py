"""What nvidia-smi says of the GPUs, from a program that answers as it does."""

import sys

import pytest

from learning.tracking import gpu


def test_two_gpus_are_averaged_and_their_memory_added() -> None:
    told = gpu.measure((sys.executable, "-c", "print('50, 1000\\n100, 3000')"))
    assert told["system/machine GPU percent"] == 75.0
    assert told["system/machine GPU memory MB"] == pytest.approx(4_000 * 1.048576)


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("/nowhere/nvidia-smi",),
        (sys.executable, "-c", "raise SystemExit(9)"),
        (sys.executable, "-c", "print('[N/A], 12')"),
        (sys.executable, "-c", "print()"),
        (sys.executable, "-c", "print('1, 2, 3')"),
    ],
)
def test_where_nothing_is_known_nothing_is_said(command: tuple[str, ...]) -> None:
    assert gpu.measure(command) == {}
