"""The drawer of one viewer's live page that tells of one forecast."""

from bokeh.document import Document
from bokeh.events import DocumentReady
from bokeh.models.callbacks import CustomJS
from bokeh.models.css import InlineStyleSheet
from bokeh.models.layouts import Column, LayoutDOM
from bokeh.models.widgets.markups import Div
from bokeh.plotting import figure

from dashboard.forecast import detail_text
from dashboard.forecast.chart_mark import ChartMark
from dashboard.forecast.reader import StoredForecast
from dashboard.forecast.sources import ForecastSources
from dashboard.forecast.waterfall import comparison, waterfall_card
from dashboard.html import heading
from dashboard.inspector.cards import card
from dashboard.inspector.explanations_view import attention_cards
from dashboard.inspector.page_text import progress, sentence
from dashboard.inspector.version_details import LoadedDetails
from dashboard.inspector.version_loader import LoadState
from dashboard.live.detail import Detail, ForecastKey
from dashboard.live.look import Look
from dashboard.polled_reader import Reading
from dashboard.static_files import asset
from models.explain.summary import Summary

NAME = "Forecast in detail"
HIDDEN: dict[str, str | None] = {"display": "none"}
"""A card without a text. Its style sheet says how it is displayed, which `visible` would not change."""
SHOWN: dict[str, str | None] = {"display": "block"}
"""Any other card: what a style was before, it stays until another is named."""
STICKY: dict[str, str | None] = {
    **SHOWN,
    "position": "sticky",
    "top": "0",
    "z-index": "1",
    "border-radius": "0 0 8px 8px",
}
"""The head, whose button closes the drawer, stays in view."""
SECTIONS = ("head", "forecast", "outcome", "origin", "explanation", "inputs")


class ForecastDetail(Detail):
    """Texts that are written when what they say changes, and plots that are made once the explanation is there."""

    def __init__(self, sources: ForecastSources) -> None:
        self.sources = sources
        self.mark: ChartMark | None = None
        sheets: list[InlineStyleSheet] = [InlineStyleSheet(css=asset(name)) for name in ("text.css", "forecast.css")]
        self.texts = {
            name: Div(name=f"forecast_{name}", stylesheets=[*sheets], sizing_mode="stretch_width", margin=0)
            for name in SECTIONS
        }
        self.cards = {name: card(text) for name, text in self.texts.items()}
        self.nothing = Div(visible=False)  # Bokeh warns of a column without children
        self.plots = Column(name="forecast_plots", sizing_mode="stretch_width", spacing=12, children=[self.nothing])
        self.root = Column(
            name="forecast_detail",
            visible=False,
            spacing=12,
            stylesheets=[InlineStyleSheet(css=asset("drawer.css"))],
            html_attributes={"role": "dialog", "aria-label": NAME},
            children=[
                *(self.cards[name] for name in SECTIONS if name != "inputs"),
                self.plots,
                self.cards["inputs"],
            ],
        )
        self._drawn: object = None
        self._written: object = None

    def attach(self, document: Document, price: figure) -> None:
        """Add the drawer, its keys, and the mark among the candles."""
        document.add_root(self.root)
        self.mark = ChartMark(price)
        document.js_on_event(DocumentReady, CustomJS(args={"root": self.root}, code=asset("drawer.js")))

    def show(self, key: ForecastKey | None, look: Look) -> None:
        """Tell of that forecast; the drawer is shut if it is None."""
        reading = self.sources.view(key) if key else None
        told = reading.value if reading else None
        if self.mark is not None:
            self.mark.show(key, told, look)
        if key is not None and reading is not None:
            self._write(key, reading, look)
            self._explain(key, told, look)
        if self.root.visible != (key is not None):
            self.root.visible = key is not None

    def _write(self, key: ForecastKey, reading: Reading[StoredForecast], look: Look) -> None:
        """Write what is stored; what was read before the database fell silent stays, and says so."""
        written = key, reading.value, reading.error, look
        if written == self._written:
            return
        self._written = written
        told, said = reading.value, reading.value.said if reading.value else None
        state = ""
        if reading.error:
            kept = " What is below was read before." if told else ""
            state = sentence(f"{reading.error}{kept}", "problem")
        elif told is None:
            state = sentence("Reading what is stored of it.", "working")
        elif said is None:
            state = detail_text.absent(key, look.clock)
        shown = {"head": detail_text.head(key, look) + state}
        if told is not None:
            if said is not None:
                shown["forecast"] = detail_text.forecast(told, said, look.clock)
                shown["outcome"] = detail_text.outcome(told, said, look.clock)
                shown["origin"] = detail_text.origin(key, told, said)
            shown["inputs"] = detail_text.inputs(told.inputs)
        for name in SECTIONS:
            if name != "explanation":
                self._set(name, shown.get(name, ""))

    def _explain(self, key: ForecastKey, told: StoredForecast | None, look: Look) -> None:
        """Draw what each input added, or write how far that is."""
        said = told.said if told else None
        if said is None or said.mean is None:
            self._plots(None, ())
            self._set("explanation", "")
            return
        work = self.sources.explained(key, said.version)
        answer = work.answer
        self._set("explanation", "" if answer and answer.explanation else heading("What moved it") + how_far(work))
        if answer is None or answer.explanation is None:
            self._plots(None, ())
            return
        drawn = id(answer), look.palette, said.mean, look.clock
        if drawn != self._drawn:
            about = comparison(answer.explanation, said.mean, answer.bars) + detail_text.command(key)
            self._plots(drawn, cards(answer, about, look))

    def _plots(self, drawn: object, made: "tuple[LayoutDOM, ...]") -> None:
        """Put the plots in their place; none are kept that are not seen."""
        if drawn != self._drawn:
            self._drawn = drawn
            self.plots.children = [*made] or [self.nothing]
            self.plots.visible = bool(made)

    def _set(self, name: str, html: str) -> None:
        if self.texts[name].text != html:
            self.texts[name].text = html
        styles = (STICKY if name == "head" else SHOWN) if html else HIDDEN
        if self.cards[name].styles != styles:
            self.cards[name].styles = styles


def how_far(work: LoadState) -> str:
    """Return in words how far an explanation is, or why there is none."""
    return progress(work, "Explaining the forecast")


def cards(answer: LoadedDetails, about: str, look: Look) -> tuple[LayoutDOM, ...]:
    """Return the waterfall, and where a network looked; `about` is HTML."""
    explanation = answer.explanation
    if explanation is None:
        return ()
    looked = Summary(
        symbol=explanation.symbol,
        interval=explanation.interval,
        horizon=explanation.horizon,
        newest=explanation.time,
        attention=explanation.attention,
        looked=explanation.looked(),
    )
    return waterfall_card(explanation, about, look.palette), *attention_cards(looked, look.palette)
