"""Management of tokens, for the scope admin."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Request, Response, Security
from pydantic import BaseModel, ConfigDict, Field

from api.access import BEARER, Access, needs
from api.problems import ProblemError, responses
from api.tokens import Scope, TakenError, Token, TokenError

router = APIRouter(
    prefix="/v1/tokens",
    tags=["tokens"],
    dependencies=[Security(BEARER), Depends(needs("admin"))],
    responses=responses(400, 401, 403, 413, 422, 429, 503),
)


class TokenRow(BaseModel):
    """A token's properties, without its text."""

    id: str = Field(examples=["9f86d081"])
    name: str = Field(examples=["research"])
    scopes: list[Scope] = Field(examples=[["read", "stream"]])
    created: int = Field(description="seconds since 1970")


class NewToken(TokenRow):
    """A new token: its text is returned only here."""

    token: str


class TokenRequest(BaseModel):
    """A token to create."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100, examples=["research"])
    scopes: list[Scope] = Field(min_length=1, max_length=3, examples=[["read", "stream"]])


def row(token: Token) -> TokenRow:
    """Return a token's properties."""
    return TokenRow(id=token.id, name=token.name, scopes=list(token.scopes), created=token.created)


@router.get("")
def list_tokens(request: Request) -> list[TokenRow]:
    """Every token, the oldest first."""
    access: Access = request.app.state.access
    return [row(token) for token in access.tokens.all()]


@router.post("", status_code=201, responses=responses(409))
def create_token(request: Request, wanted: Annotated[TokenRequest, Body()]) -> NewToken:
    """Make a token."""
    access: Access = request.app.state.access
    try:
        text, token = access.tokens.create(wanted.name, tuple(wanted.scopes))
    except TokenError as error:
        raise ProblemError(409 if isinstance(error, TakenError) else 422, str(error)) from None
    return NewToken(token=text, **row(token).model_dump())


@router.delete("/{name}", status_code=204, responses=responses(404))
def revoke_token(request: Request, name: Annotated[str, Path(max_length=100)]) -> Response:
    """Revoke the token of that name or id, from the next request on."""
    access: Access = request.app.state.access
    try:
        access.tokens.revoke(name)
    except TokenError as error:
        raise ProblemError(404, str(error)) from None
    return Response(status_code=204)
