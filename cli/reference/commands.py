"""The page of the commands: each with its arguments and options, as typer knows them."""

from collections.abc import Iterator
from typing import Any

import typer

from cli.main import app
from cli.reference.markdown import code, head, paragraphs, prose, table

CODES = """
Exit codes: 0 done, 1 a check failed or something is unhealthy, 2 a usage error, 3 a missing requirement, 130 stopped by
Ctrl-C. Every command has `--help`. In a checkout the command is `./foretick`.
"""


def page() -> str:
    """Return the page: a list of the commands, then a section for each."""
    commands = list(leaves(typer.main.get_command(app), "foretick"))
    listed = [(f"[{code(name)}](#{anchor(name)})", prose(summary(command))) for name, command in commands]
    parts = [head("Commands", "`cli/`"), CODES, "\n", table(("command", "what it does"), listed)]
    parts += [_section(name, command) for name, command in commands]
    return "".join(parts)


def leaves(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield each command that can be typed, with its whole name, in the order of the help."""
    if not isinstance(command, typer.core.TyperGroup):
        yield name, command
        return
    for inner, one in command.commands.items():
        if not one.hidden:
            yield from leaves(one, f"{name} {inner}")


def anchor(name: str) -> str:
    """Return the anchor of a command's section.

    >>> anchor("foretick alerts add")
    'foretick-alerts-add'
    """
    return name.replace(" ", "-")


def summary(command: Any) -> str:
    """Return the first paragraph of a command's help, in a line."""
    return " ".join((command.help or "").split("\n\n")[0].split())


def _section(name: str, command: Any) -> str:
    context = typer.Context(command)
    shown = [one for one in command.params if not getattr(one, "hidden", False)]
    arguments = [one for one in shown if one.param_type_name == "argument"]
    options = [one for one in shown if one.param_type_name == "option"]
    usage = [name, *(_argument(one) for one in arguments), *(["[OPTIONS]"] if options else [])]
    parts = [f"\n## {name}\n\n{paragraphs(command.help or '')}\n\nUsage: {code(' '.join(usage))}\n"]
    if shown:
        rows = [_row(one, context) for one in (*arguments, *options)]
        parts.append("\n" + table(("", "type", "default", "what it is"), rows))
    return "".join(parts)


def _argument(one: Any) -> str:
    name = f"{one.name.upper()}{'…' if one.nargs != 1 else ''}"
    return name if one.required else f"[{name}]"


def _row(one: Any, context: Any) -> tuple[str, str, str, str]:
    names = ", ".join([*one.opts, *one.secondary_opts]) if one.param_type_name == "option" else one.name.upper()
    kind = "" if one.param_type_name == "option" and one.is_flag else code(one.display_type(context).strip("<>"))
    default = "required" if one.required else _default(one)
    return code(names), kind, default, prose(" ".join((one.help or "").split()))


def _default(one: Any) -> str:
    value = one.default
    if value is None or value == () or (value is False and not one.secondary_opts):
        return ""
    if isinstance(value, bool):
        return code(str((one.opts if value else one.secondary_opts)[0]))
    return code(str(value))
