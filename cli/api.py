"""`foretick api`: the API's address and its tokens."""

from typing import Annotated

import msgspec
import typer

from cli.errors import UserError
from cli.tables import Column, Wide, show
from cli.text import echo, echo_json
from cli.times import minute
from settings import Settings
from stack.addresses import HOST

app = typer.Typer(invoke_without_command=True, help="Show the API's address; make, list and revoke its tokens.")
token = typer.Typer(no_args_is_help=True, help="Make, list and revoke the API's tokens.")
app.add_typer(token, name="token")


@app.callback()
def where(context: typer.Context) -> None:
    """Show the API's address and the file with the token for this machine's programs."""
    if context.invoked_subcommand is not None:
        return
    from api.tokens import LOCAL_FILE

    settings = Settings()
    address, path = f"http://{HOST}:{settings.api_port}", settings.home.resolve() / LOCAL_FILE
    echo(f"address: {address}/v1   (page: {address}/docs, document: {address}/openapi.json)")
    echo(f"token:   in {path}" if path.exists() else "token:   made when the API starts: foretick up")
    if path.exists():
        echo(f'try:     curl -H "Authorization: Bearer $(cat {path})" {address}/v1/symbols')


@token.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="read (tables), stream, or admin (all, and tokens); may be repeated.")
    ] = None,
) -> None:
    """Make a token and print it: once, since only its hash is kept."""
    from api.tokens import SCOPES, TokenError, Tokens

    wanted = scope or ["read"]
    unknown = [one for one in wanted if one not in SCOPES]
    if unknown and all(part in SCOPES for part in unknown[0].split(",")):
        each = ", ".join(unknown[0].split(","))
        raise UserError(f"there is no scope {unknown[0]!r}; give --scope once for each: {each}")
    if unknown:
        raise UserError(f"there is no scope {unknown[0]!r}; there are: {', '.join(SCOPES)}")
    try:
        text, made = Tokens(Settings().home.resolve()).create(name, tuple(one for one in SCOPES if one in wanted))
    except TokenError as error:
        raise UserError(str(error)) from None
    echo(f"token {made.name!r} ({', '.join(made.scopes)}); it is not shown again:", err=True)
    echo(text)


@token.command("list")
def list_tokens(
    wide: Wide = False, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """List the tokens: name, id, scopes, when they were made."""
    from api.tokens import TokenError, Tokens

    try:
        tokens = Tokens(Settings().home.resolve()).all()
    except TokenError as error:
        raise UserError(str(error)) from None
    if as_json:
        rows = [{"id": one.id, "name": one.name, "scopes": one.scopes, "created": one.created} for one in tokens]
        echo_json(msgspec.json.encode(rows))
        return
    made = [(one.name, one.id, ", ".join(one.scopes), minute(one.created * 1000)) for one in tokens]
    show((Column("name"), Column("id"), Column("scopes", 1), Column("made", 2)), made, wide)


@token.command()
def revoke(name: Annotated[str, typer.Argument(help="The token's name or id.")]) -> None:
    """Revoke a token, from its next request on."""
    from api.tokens import TokenError, Tokens

    try:
        gone = Tokens(Settings().home.resolve()).revoke(name)
    except TokenError as error:
        raise UserError(str(error)) from None
    echo(f"revoked {gone.name!r}")
