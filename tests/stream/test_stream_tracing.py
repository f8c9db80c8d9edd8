"""One trace goes from a tick over what comes of it, if tracing is on; else there is nothing of it."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from own_record_fakes import Steps, Worker, run_story, turns
from shell_fakes import ARRIVED, Event, Journal, Stream, Sum, Table, event

from broker.origin import Origin
from observability.metrics import STORE
from observability.spans import SpanTracer
from observability.tracer import OFF, Tracer
from settings import ROOT
from stream.app_metrics import arrived
from stream.persist import persist
from stream.poison_records import Guard
from stream.shell import Shell
from stream.sinks import Sink
from stream.stage import Output, Part
from topics import codec
from topics.catalog import FEATURES, PREDICTIONS, TICKS
from topics.codec import ARRIVED_HEADER, TRACE_HEADER
from topics.records import Features, Prediction

FOREIGN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Recorded:
    """A tracer, and what it has recorded."""

    def __init__(self, share: float = 1.0) -> None:
        self._memory = InMemorySpanExporter()
        self.tracer = SpanTracer("worker", share, SimpleSpanProcessor(self._memory))

    def spans(self) -> dict[str, ReadableSpan]:
        """Return the ended spans, by name; of one name there is one."""
        spans = {span.name: span for span in self._memory.get_finished_spans()}
        assert len(spans) == len(self._memory.get_finished_spans())
        return spans

    def forget(self) -> None:
        """Forget them."""
        self._memory.clear()


class Last(Sum):
    """Features to predictions, one each."""

    name = "last"
    source = FEATURES

    def check(self, record: Features) -> None:
        """All can be used."""

    def step(self, state: float, parts: Sequence[Part[Features]]) -> tuple[float, list[Output]]:
        rows = [row for part in parts for row in part.records]
        known = {"interval": "1m", "model": "m", "version": "1", "fingerprint": "f", "forecasts": []}
        return state, [(PREDICTIONS, [Prediction(symbol=r.symbol, time=r.time, price=r.close, **known) for r in rows])]


class Chain(Worker):
    """Ticks to bars to features to predictions, in one process."""

    def __init__(self, tracer: Tracer) -> None:
        super().__init__(tracer=tracer)
        last = Shell(stage=Last(), table=Table(Journal()), writer=self.kafka, tracer=tracer)
        self.features = Steps(self.kafka, [])
        self.totals.readers = {"features": last}
        self._running.append(asyncio.ensure_future(last.run(self.features)))

    async def fetch_features(self, offset: int) -> None:
        """The record of that offset on `features` comes."""
        value = [value for topic, _, value in self.kafka.log if topic == "features"][offset]
        fetched = event(offset)
        fetched.message.value, fetched.message.headers = value, self.kafka.headers["features", offset]
        await self.features.news.put(fetched)
        await turns()

    async def begun(self) -> None:
        """Fold and fetch a first record of each topic."""
        await super().begun()
        await self.fetch_features(0)


def chained(story: Callable[[Chain], Any], tracer: Tracer) -> None:
    """Run a story."""
    run_story(lambda: Chain(tracer), story)


def folded(tracer: Tracer, *events: Event) -> Journal:
    """Fold events in one batch, and return what happened."""
    journal = Journal()
    shell = Shell(stage=Sum(), table=Table(journal), writer=journal, tracer=tracer)
    asyncio.run(shell.run(Stream(journal, [list(events)])))
    return journal


def of(offset: int, **headers: str) -> Event:
    """Return a tick with these headers beside ours."""
    made = event(offset, 1.0)
    made.message.headers = [*codec.HEADERS, *((name, value.encode()) for name, value in headers.items())]
    return made


def span_id(traceparent: bytes) -> int:
    return int(traceparent.split(b"-")[2], 16)


def test_one_trace_goes_from_a_tick_over_all_that_is_folded_at_once_and_each_record_names_its_span():
    recorded = Recorded()

    async def story(chain: Chain) -> None:
        await chain.begun()
        recorded.forget()
        await chain.tick(2.0)
        spans = recorded.spans()
        assert set(spans) == {"sum", "total", "last"}
        assert spans["sum"].parent is None
        assert len({span.context.trace_id for span in spans.values()}) == 1
        for child, parent in (("total", "sum"), ("last", "total")):
            assert spans[child].parent.span_id == spans[parent].context.span_id
            assert spans[parent].start_time <= spans[child].start_time < spans[child].end_time
        for topic, name in (("bars", "sum"), ("features", "total"), ("predictions", "last")):
            headers = dict(chain.kafka.headers[topic, 1])
            assert span_id(headers[TRACE_HEADER]) == spans[name].context.span_id
            assert headers[ARRIVED_HEADER] == b"%d" % ARRIVED
        recorded.forget()
        await chain.fetch(1)
        await chain.fetch_features(1)
        assert recorded.spans() == {}  # what was folded at once is not folded again

    chained(story, recorded.tracer)


def test_a_trace_goes_on_where_records_are_folded_when_they_are_fetched():
    recorded = Recorded()

    async def story(chain: Chain) -> None:
        await chain.tick(1.0)
        await chain.fetch(0)
        await chain.fetch_features(0)
        spans = recorded.spans()
        assert set(spans) == {"sum", "total", "last"}
        assert len({span.context.trace_id for span in spans.values()}) == 1
        assert spans["last"].parent.span_id == spans["total"].context.span_id
        assert spans["last"].attributes["messaging.destination.name"] == "features"
        assert spans["last"].attributes["messaging.kafka.message.keys"] == ("BTCUSDT",)

    chained(story, recorded.tracer)


def test_a_span_ends_once_kafka_has_what_was_made_in_it():
    recorded = Recorded()

    async def story(chain: Chain) -> None:
        await chain.begun()
        recorded.forget()
        chain.kafka.later = []
        await chain.tick(2.0)
        assert recorded.spans() == {}
        for confirm in chain.kafka.later:
            confirm()
        await turns()
        assert set(recorded.spans()) == {"sum", "total", "last"}

    chained(story, recorded.tracer)


@pytest.mark.parametrize("tracer", [OFF, Recorded(share=0.0).tracer])
def test_nothing_is_written_beside_the_arrival_where_no_trace_is_recorded(tracer: Tracer):
    async def story(chain: Chain) -> None:
        await chain.begun()
        await chain.tick(2.0)
        every = [dict(headers) for headers in chain.kafka.headers.values()]
        assert len(every) == 6
        assert all(set(headers) == {codec.VERSION_HEADER, ARRIVED_HEADER} for headers in every)

    chained(story, tracer)


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("stream.worker", "opentelemetry"),
        ("alerts.worker", "opentelemetry"),
        ("stream.persist", "observability.span"),  # Redis' client imports OpenTelemetry where it is installed
    ],
)
def test_where_tracing_is_off_nothing_of_it_is_imported(module: str, unwanted: str):
    text = (
        f"import sys, {module}; from observability.tracing import tracer; from settings import Settings; "
        f"tracer('tried', Settings()); print(*(name for name in sys.modules if name.startswith({unwanted!r})))"
    )
    done = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    "text",
    ["", "x", FOREIGN[:-1], FOREIGN.upper(), f"00-{'0' * 32}-b7ad6b7169203331-01", f"ff{FOREIGN[2:]}", "\0é" * 99],
)
def test_a_header_that_is_no_traceparent_counts_for_none(text: str):
    recorded = Recorded()
    folded(recorded.tracer, of(0, traceparent=text))
    assert recorded.spans()["sum"].parent is None


def test_a_trace_of_another_program_goes_on_and_one_that_it_does_not_record_is_not_begun():
    recorded = Recorded(share=0.0)
    folded(recorded.tracer, of(0, traceparent=FOREIGN))
    assert recorded.spans()["sum"].parent.span_id == span_id(FOREIGN.encode())
    recorded = Recorded()
    folded(recorded.tracer, of(0, traceparent=f"{FOREIGN[:-2]}00"))
    assert recorded.spans() == {}


def test_a_record_of_ours_that_is_not_traced_begins_no_trace():
    recorded = Recorded()
    folded(recorded.tracer, of(0, **{ARRIVED_HEADER: "1200"}))
    assert recorded.spans() == {}


def test_a_batch_continues_its_first_traced_input_and_links_the_others_once():
    recorded = Recorded()
    parents = [f"00-{number:032x}-{number:016x}-01" for number in (7, 8, 9)]
    folded(recorded.tracer, of(0), *(of(n, traceparent=p) for n, p in enumerate([*parents, *parents], 1)))
    span = recorded.spans()["sum"]
    assert (span.parent.trace_id, [link.context.trace_id for link in span.links]) == (7, [8, 9])
    assert span.attributes["messaging.batch.message_count"] == 7


def test_the_records_of_very_many_spans_have_a_bounded_number_of_links():
    recorded = Recorded()
    folded(recorded.tracer, *(of(n, traceparent=f"00-{n + 1:032x}-{n + 1:016x}-01") for n in range(100)))
    assert len(recorded.spans()["sum"].links) == 32


def test_a_batch_that_could_not_be_delivered_is_recorded_as_failed():
    recorded = Recorded()
    journal = Journal(broken=True)
    shell = Shell(stage=Sum(), table=Table(journal), writer=journal, tracer=recorded.tracer)
    with pytest.raises(ConnectionError):
        asyncio.run(shell.run(Stream(journal, [[event(0, 1.0)]])))
    assert recorded.spans()["sum"].status.description == "ConnectionError"


class Takes:
    """A database, a cache and a Kafka that take everything, as far as persist looks at them."""

    async def write(self, *_: Any) -> None:
        """Take records."""

    async def send(self, *_: Any) -> None:
        """Take dead letters."""


def test_a_write_is_a_span_of_the_trace_and_the_exemplar_of_its_time():
    recorded = Recorded()
    journal = Journal()
    stream = Stream(journal, [[of(0, traceparent=FOREIGN)], [of(1)]])
    taking: Any = Takes()
    asyncio.run(persist(TICKS, stream, taking, Sink("tried"), taking, taking, Guard(), recorded.tracer))
    span = recorded.spans()["store ticks"]  # and none of the second write: none begins here
    assert span.parent.span_id == span_id(FOREIGN.encode())
    samples = [sample for family in STORE.collect() for sample in family.samples if sample.exemplar is not None]
    assert [sample.exemplar.labels for sample in samples] == [{"trace_id": FOREIGN[3:35]}]


def test_the_headers_of_an_origin_are_read_again():
    origin = Origin(1_200, FOREIGN)
    read = event(0)
    read.message.headers = origin.headers()
    assert arrived([read]) == 1_200
    assert Recorded().tracer.parent([read.message]) == FOREIGN
    assert origin.trace_id == FOREIGN[3:35]
