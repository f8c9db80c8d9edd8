"""The tables: one path each, answered page by page."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response, Security

from api import known_symbols
from api import resources as r
from api.access import BEARER, needs
from api.formats import MEDIA
from api.page import page
from api.problems import responses
from api.query_parameters import (
    AlertsQuery,
    DriftQuery,
    FeaturesQuery,
    GapsQuery,
    LatestQuery,
    ModelQuery,
    ModelsQuery,
    SeriesQuery,
    SkillQuery,
    SymbolsQuery,
)
from api.resources import Resource

router = APIRouter(
    prefix="/v1",
    tags=["tables"],
    dependencies=[Security(BEARER), Depends(needs("read"))],
    responses=responses(401, 403, 406, 422, 429, 503),
)

CSV = (
    "the columns' names, then a line for each row; a text that a spreadsheet would execute as a formula has an "
    "apostrophe before it"
)
LINK = {"Link": {"description": '`<…>; rel="next"` where there is another page', "schema": {"type": "string"}}}


def documented(resource: Resource) -> dict[str, Any]:
    """Return the OpenAPI descriptions of a table's answers; 404 is for an unknown symbol."""
    name = resource.row.__name__
    missing = responses(404) if resource not in (r.SYMBOLS, r.MODELS) else {}
    example = resource.row.model_config["json_schema_extra"]["examples"][0]  # type: ignore[index] # each row has an example
    page_schema = {
        "type": "object",
        "required": ["rows", "next"],
        "properties": {
            "rows": {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}},
            "next": {
                "type": ["string", "null"],
                "description": "the `cursor` of the next page; null where this is the last",
            },
        },
    }
    content: dict[str, Any] = {
        MEDIA["json"]: {"schema": page_schema, "example": {"rows": [example], "next": None}},
        MEDIA["arrow"]: {"schema": {"type": "string", "format": "binary", "description": "an Arrow IPC stream"}},
        MEDIA["csv"]: {"schema": {"type": "string", "description": CSV}},
    }
    values = {"description": f"A page of rows, each a {name}", "headers": LINK, "content": content}
    return {"responses": {200: values, **missing}, "response_class": Response, "openapi_extra": {"x-row": name}}


@router.get("/symbols", **documented(r.SYMBOLS))
def symbols(request: Request, asked: Annotated[SymbolsQuery, Query()]) -> Response:
    """The stored symbols and intervals, and the times of their first and newest bars."""
    return page(request, r.SYMBOLS, asked)


@router.get("/bars", **documented(r.BARS))
def bars(request: Request, asked: Annotated[SeriesQuery, Query()]) -> Response:
    """The bars of a symbol."""
    return page(request, r.BARS, asked)


@router.get("/features", **documented(r.FEATURES))
def features(request: Request, asked: Annotated[FeaturesQuery, Query()]) -> Response:
    """The features of a symbol's bars, as they were stored."""
    if asked.feature:
        known_symbols.check_features(request.app.state.database, asked.feature)
    return page(request, r.FEATURES, asked)


@router.get("/predictions/latest", **documented(r.LATEST))
def latest(request: Request, asked: Annotated[LatestQuery, Query()]) -> Response:
    """The newest forecast of each model's champion, a row for each horizon."""
    return page(request, r.LATEST, asked)


@router.get("/predictions", **documented(r.PREDICTIONS))
def predictions(request: Request, asked: Annotated[ModelsQuery, Query()]) -> Response:
    """Forecasts of a symbol, a row for each horizon."""
    return page(request, r.PREDICTIONS, asked)


@router.get("/outcomes", **documented(r.OUTCOMES))
def outcomes(request: Request, asked: Annotated[ModelsQuery, Query()]) -> Response:
    """The outcomes of a symbol's forecasts, and their scores, by the time of the forecast."""
    return page(request, r.OUTCOMES, asked)


@router.get("/skill", **documented(r.SKILL))
def skill(request: Request, asked: Annotated[SkillQuery, Query()]) -> Response:
    """Rolling scores of each model and horizon; over the last 168 buckets if no `from` is given."""
    return page(request, r.SKILL, asked)


@router.get("/regimes", **documented(r.REGIMES))
def regimes(request: Request, asked: Annotated[SeriesQuery, Query()]) -> Response:
    """The regimes of a symbol."""
    return page(request, r.REGIMES, asked)


@router.get("/models", **documented(r.MODELS))
def models(request: Request, asked: Annotated[ModelQuery, Query()]) -> Response:
    """The versions of each model in service."""
    return page(request, r.MODELS, asked)


@router.get("/drift", **documented(r.DRIFT))
def drift(request: Request, asked: Annotated[DriftQuery, Query()]) -> Response:
    """Changes in models' errors, coverage and inputs that have lasted."""
    return page(request, r.DRIFT, asked)


@router.get("/alerts", **documented(r.ALERTS))
def alerts(request: Request, asked: Annotated[AlertsQuery, Query()]) -> Response:
    """Alerts of all rules, with their acknowledgements."""
    return page(request, r.ALERTS, asked)


@router.get("/gaps", **documented(r.GAPS))
def gaps(request: Request, asked: Annotated[GapsQuery, Query()]) -> Response:
    """Spans of a venue's missing trades."""
    return page(request, r.GAPS, asked)
