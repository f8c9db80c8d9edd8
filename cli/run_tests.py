"""`foretick test`: the tests in parallel, also the long ones, only the fast ones, or those selected for pytest."""

import os
import subprocess
import sys
from typing import Annotated, NoReturn

import typer

from cli.errors import UserError
from cli.stack import machine
from settings import ROOT, threads
from settings.places import CHECKOUT
from stack import system
from stack.errors import MachineError

SIDE_BY_SIDE = ("--numprocesses=2", "--dist=loadfile", "--no-loadscope-reorder")
"""A file's tests share servers and fitted models, so they stay together; tests/conftest.py puts the longest first."""
SHORT = ("-m", "not long")
COVERAGE = ("--cov", "--cov-branch", "--cov-report=term:skip-covered")
"""Of the tests' own processes: what they start, and what numba compiles, is not seen."""
FAST = ("-m", "not services and not browser and not chaos and not slow")


def run_tests(
    arguments: Annotated[list[str] | None, typer.Argument(help="Arguments of pytest.")] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="Only tests without servers and browser that take little time.")
    ] = False,
    long: Annotated[
        bool, typer.Option("--long", help="Also the tests that take minutes, of faults and repetitions.")
    ] = False,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Also measure which branches run, in the tests' own processes.")
    ] = False,
) -> None:
    """Install the tests' requirements, then run the tests in two processes, or those selected by arguments in one.

    Without a checkout there are none: what is installed is tried in a folder of its own, for some minutes.
    """
    if fast and long:
        raise UserError("--fast and --long exclude each other")
    chosen = list(arguments or ())
    if not CHECKOUT:
        _try_installed(chosen, fast, long or coverage)
    try:
        if not fast:
            system.ensure(postgres=True, redis=True, browser=True)
    except MachineError as error:
        machine(error)
    kinds = FAST if fast else () if long or chosen else SHORT
    options = (*kinds, *(() if chosen else SIDE_BY_SIDE), *(COVERAGE if coverage else ()))
    # Each of the two processes has one of the processors.
    command = [sys.executable, "-m", "pytest", *options, *chosen]
    done = subprocess.run(command, cwd=ROOT, env=threads.ONE | os.environ, check=False)  # noqa: S603 - pytest, with the user's own options
    raise typer.Exit(done.returncode)


def _try_installed(arguments: list[str], fast: bool, long: bool) -> NoReturn:
    """Try what pip, uv or pipx installed, without the tests, which are the checkout's."""
    from cli.smoke_test import run

    if arguments or long:
        raise UserError("the tests are in a checkout; without one it is `foretick test` or `foretick test --fast`")
    try:
        system.ensure(postgres=not fast, redis=not fast)
    except MachineError as error:
        machine(error)
    raise typer.Exit(0 if run(fast) else 1)
