"""`foretick config`: the settings, where each comes from, and what is wrong with them."""

import json
from typing import Annotated

import typer
from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from cli.errors import UserError
from cli.text import echo, echo_json
from settings import Settings
from settings.config_file import ConfigFile
from settings.origins import Origin, lines, origins, settings_file, variable
from settings.shown import public, toml
from settings.units import unit
from stack import config_copy, state
from stack.settings_check import problems

app = typer.Typer(no_args_is_help=True, help="Show and check the settings; the file foretick.toml.")
WIDTH = 40
"""Where the remark of a line begins, if its value is not longer."""
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("show")
def show_settings(as_json: Json = False) -> None:
    """Show each setting as a line of TOML with its unit and where it comes from. Passwords are not shown."""
    try:
        settings = Settings()
    except ValidationError as error:
        found = lines(error)
        more = f" ({len(found) - 1} more: foretick config check)" if len(found) > 1 else ""
        raise UserError(f"{found[0]}{more}") from None
    except ValueError as error:
        raise UserError(str(error)) from None
    values = {name: public(getattr(settings, name)) for name in Settings.model_fields}
    places = origins(settings)
    if as_json:
        rows = [row(name, field, values[name], places[name]) for name, field in Settings.model_fields.items()]
        echo_json(json.dumps(rows, indent=2))
        return
    echo(f"# settings file: {named(settings_file(settings), settings)}")
    for name, field in Settings.model_fields.items():
        value, remark = values[name], "; ".join(filter(None, [unit(field), short(places[name])]))
        echo(f"{f'# {name}: none' if value is None else f'{name} = {toml(value)}':<{WIDTH}}  # {remark}")


def row(name: str, field: FieldInfo, value: object, origin: Origin) -> dict[str, object]:
    """Return a setting as JSON."""
    return {
        "setting": name,
        "value": value,
        "unit": unit(field) or None,
        "from": origin.kind,
        "place": origin.place or None,
        "line": origin.line,
    }


def named(file: ConfigFile, settings: Settings) -> str:
    """Return the file in words."""
    return str(file.path) if file.path is not None else f"none ({settings.home.resolve()}/foretick.toml is not there)"


def short(origin: Origin) -> str:
    """Return an origin below the line that names the file."""
    return f"line {origin.line}" if origin.kind == "file" and origin.line else str(origin)


@app.command()
def check(as_json: Json = False) -> None:
    """Check the environment and the file: a line for each fault, and exit code 1 if there is one."""
    settings, faults, notes = None, [], []
    try:
        settings = Settings()
        faults = list(problems(settings))
    except ValidationError as error:
        faults = lines(error)
    except ValueError as error:  # no TOML
        faults = [str(error)]
    if settings is not None:
        notes = list(remarks(settings))
    if as_json:
        echo_json(json.dumps({"faults": faults, "notes": notes}, indent=2))
    else:
        for line in (*faults, *(f"note: {note}" for note in notes)):
            echo(line)
        if settings is not None and not faults:
            file = settings_file(settings)
            variables = sum(variable(name) is not None for name in Settings.model_fields)
            echo(f"no fault; {len(file.settings)} settings in the file, {variables} in variables")
            echo(f"settings file: {named(file, settings)}")
    if faults:
        raise typer.Exit(1)


def remarks(settings: Settings) -> list[str]:
    """Return what is no fault, but should be known."""
    file, results = settings_file(settings), []
    secret = [name for name in file.settings if Settings.model_fields[name].annotation is SecretStr]
    if secret and file.readable_by_others():
        results.append(f"{file.path} holds {', '.join(secret)}, and other users may read it: chmod 600 {file.path}")
    running = state.read(settings.home)
    if running is not None and running.running() and config_copy.is_outdated(settings):
        results.append("the running stack was started with other settings in the file: foretick down, then foretick up")
    return results


@app.command()
def schema() -> None:
    """Print the JSON Schema of the settings file."""
    from settings.schema import schema as made

    echo_json(json.dumps(made(), indent=2))
