"""The OpenAPI document: FastAPI's paths, with the models of rows and the records' own JSON Schema."""

from collections.abc import Iterable
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.hub import STREAMED
from api.problems import ProblemDetails
from api.resources import RESOURCES

TEMPLATE = "#/components/schemas/{model}"


def shared(models: Iterable[type[BaseModel]]) -> dict[str, Any]:
    """Return the schemas of the answers."""
    _, defined = models_json_schema([(model, "serialization") for model in models], ref_template=TEMPLATE)
    _, records = msgspec.json.schema_components(
        [topic.record for topic in STREAMED], ref_template="#/components/schemas/{name}"
    )
    return {**defined["$defs"], **records}


def document(app: FastAPI) -> dict[str, Any]:
    """Return the document, made once."""
    if not app.openapi_schema:
        made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        models: list[type[BaseModel]] = [ProblemDetails, *dict.fromkeys(resource.row for resource in RESOURCES)]
        schemas = made["components"].setdefault("schemas", {})
        made["components"]["schemas"] = dict(sorted((schemas | shared(models)).items()))
        app.openapi_schema = made
    return app.openapi_schema
