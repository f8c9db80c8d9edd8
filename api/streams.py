"""The streams: one path each, as Server-Sent Events or, if the client requests it, over a WebSocket."""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Depends, Query, Request, Response, Security, WebSocket
from psycopg_pool import PoolTimeout

from api import known_symbols
from api.access import BEARER, Access, needs
from api.events import EventStream, talk
from api.follow import TopicSubscription
from api.problems import ProblemError, responses
from api.query_parameters import (
    AlertStreamQuery,
    DriftStreamQuery,
    GapStreamQuery,
    ModelStreamQuery,
    RegimeStreamQuery,
    StreamQuery,
    once,
)
from api.stream_filter import Selection
from api.stream_position import Position, PositionError
from api.tokens import Token
from topics.catalog import ALERTS, DRIFT, GAPS, OUTCOMES, PREDICTIONS, REGIMES, Topic

STREAMS: dict[Topic, type[StreamQuery]] = {
    PREDICTIONS: ModelStreamQuery,
    OUTCOMES: ModelStreamQuery,
    REGIMES: RegimeStreamQuery,
    ALERTS: AlertStreamQuery,
    DRIFT: DriftStreamQuery,
    GAPS: GapStreamQuery,
}
LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "the id of the last event received: continue after it",
    "schema": {"type": "string", "maxLength": 4000},
}

router = APIRouter(prefix="/v1/stream", tags=["streams"])


async def begun(connection: Request | WebSocket, topic: Topic, asked: StreamQuery, token: Token) -> TopicSubscription:
    """Return the subscription to the topic, from after the last id if there is one. Raises ProblemError."""
    once(connection.query_params, asked)
    if asked.symbol:
        # A stream needs no database: if it does not answer, symbols are not checked.
        with suppress(psycopg.Error, PoolTimeout):
            await asyncio.to_thread(known_symbols.check, connection.app.state.database, topic.name, asked.symbol)
    last = connection.headers.get("last-event-id") or asked.last_id
    try:
        position = Position.decode(last, topic.name) if last else None
    except PositionError as error:
        raise ProblemError(422, f"last_id: {error}") from None
    access: Access = connection.app.state.access
    selection = Selection.of(asked, topic.record)
    subscription = TopicSubscription(
        hub=connection.app.state.hub, topic=topic, selection=selection, allowed=partial(access.holds, token)
    )
    await subscription.begin(position)
    return subscription


def described(topic: Topic) -> dict[str, Any]:
    """Return the OpenAPI description of a stream."""
    name = topic.record.__name__
    text = (
        f"Blocks of `id:` and `data:`; the data is a record, by #/components/schemas/{name}. A block with an id alone "
        "has the stream's position; `event: note` reports that Kafka is away, or back. The last block, `event: end`, "
        "has the reason if the server ends the stream."
    )
    content = {"text/event-stream": {"schema": {"type": "string", "description": text}}}
    values = {"description": f"A stream of records, each a {name}", "content": content}
    return {
        "responses": {200: values} | responses(401, 403, 404, 410, 422, 429, 503),
        "response_class": Response,
        "openapi_extra": {"parameters": [LAST_EVENT_ID], "x-record": name},
        "summary": f"Follow {topic.name}",
        "description": f"Each {name} as it is published, as Server-Sent Events; over a WebSocket by the same path, "
        'where each message is `{"id": …, "data": …}`. With the last id nothing is missed and nothing '
        "comes twice. An unknown symbol is refused, unless the database does not answer.",
    }


def add(topic: Topic, query: type[StreamQuery]) -> None:
    """Add a topic's stream to the router."""

    async def events(request: Request, asked: Any, token: Annotated[Token, Depends(needs("stream"))]) -> Response:
        access: Access = request.app.state.access
        return EventStream(await begun(request, topic, asked, token), access, token)

    async def messages(socket: WebSocket, asked: Any) -> None:
        access: Access = socket.app.state.access
        try:
            token = access.enter(socket, "stream")
            with access.streaming(token, topic.name):
                await talk(socket, await begun(socket, topic, asked, token))
        except ProblemError as problem:
            await socket.send_denial_response(problem.response())

    for function in (events, messages):
        # The parameters differ from topic to topic: FastAPI reads them here.
        function.__annotations__["asked"] = Annotated[query, Query()]
    path = f"/{topic.name}"
    router.get(path, name=f"stream_{topic.name}", dependencies=[Security(BEARER)], **described(topic))(events)
    router.websocket(path)(messages)


for _topic, _query in STREAMS.items():
    add(_topic, _query)
