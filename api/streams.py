"""The streams: one path each, as Server-Sent Events or, where the client asks for that, over a WebSocket."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response, Security, WebSocket

from api.access import BEARER, Access, needs
from api.events import EventStream, talk
from api.follow import Follower
from api.position import Position, PositionError
from api.problems import ProblemError, responses
from api.questions import OfAlertStream, OfDriftStream, OfGapStream, OfModelStream, OfRegimeStream, OfStream, once
from api.selection import Selection
from api.tokens import Token
from topics.catalog import ALERTS, DRIFT, GAPS, OUTCOMES, PREDICTIONS, REGIMES, Topic

STREAMS: dict[Topic, type[OfStream]] = {
    PREDICTIONS: OfModelStream,
    OUTCOMES: OfModelStream,
    REGIMES: OfRegimeStream,
    ALERTS: OfAlertStream,
    DRIFT: OfDriftStream,
    GAPS: OfGapStream,
}
LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "the id of the last event that came: go on after it",
    "schema": {"type": "string", "maxLength": 4000},
}

router = APIRouter(prefix="/v1/stream", tags=["streams"])


async def begun(connection: Request | WebSocket, topic: Topic, question: OfStream, token: Token) -> Follower:
    """Return what follows the topic, from after the last id on where there is one. Raises ProblemError."""
    once(connection.query_params, question)
    last = connection.headers.get("last-event-id") or question.last_id
    try:
        position = Position.decode(last, topic.name) if last else None
    except PositionError as error:
        raise ProblemError(422, f"last_id: {error}") from None
    access: Access = connection.app.state.access
    selection = Selection.of(question, topic.record)
    follower = Follower(connection.app.state.hub, topic, selection, partial(access.holds, token))
    await follower.begin(position)
    return follower


def described(topic: Topic) -> dict[str, Any]:
    """Return what the OpenAPI document says of a stream."""
    name = topic.record.__name__
    text = (
        f"Blocks of `id:` and `data:`; the data is a record, by #/components/schemas/{name}. A block with an id alone "
        "says where the stream is; `event: note` tells that Kafka is away, or back. The last block, `event: end`, says "
        "why, where the server ends the stream."
    )
    content = {"text/event-stream": {"schema": {"type": "string", "description": text}}}
    said = {"description": f"A stream of records, each a {name}", "content": content}
    return {
        "responses": {200: said} | responses(401, 403, 410, 422, 429, 503),
        "response_class": Response,
        "openapi_extra": {"parameters": [LAST_EVENT_ID], "x-record": name},
        "summary": f"Follow {topic.name}",
        "description": f"Each {name} as it is published, as Server-Sent Events; over a WebSocket by the same path, "
        'where each message is `{"id": …, "data": …}`. With the last id given back nothing is missed and nothing '
        "comes twice.",
    }


def add(topic: Topic, asked: type[OfStream]) -> None:
    """Add a topic's stream to the router."""

    async def events(request: Request, question: Any, token: Annotated[Token, Depends(needs("stream"))]) -> Response:
        access: Access = request.app.state.access
        return EventStream(await begun(request, topic, question, token), access, token)

    async def messages(socket: WebSocket, question: Any) -> None:
        access: Access = socket.app.state.access
        try:
            token = access.enter(socket, "stream")
            with access.streaming(token, topic.name):
                await talk(socket, await begun(socket, topic, question, token))
        except ProblemError as problem:
            await socket.send_denial_response(problem.response())

    for function in (events, messages):
        # What may be asked differs from topic to topic: FastAPI reads it here.
        function.__annotations__["question"] = Annotated[asked, Query()]
    path = f"/{topic.name}"
    router.get(path, name=f"stream_{topic.name}", dependencies=[Security(BEARER)], **described(topic))(events)
    router.websocket(path)(messages)


for _topic, _asked in STREAMS.items():
    add(_topic, _asked)
