"""The plots of one page, and how what was read is drawn on them."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from bokeh.plotting import figure

from dashboard.analytics.challenge_reader import Challenge
from dashboard.analytics.forecasts_reader import Figures, Policy
from dashboard.analytics.line_plot import Axis, LinePlot
from dashboard.analytics.scores_reader import Scores
from dashboard.analytics.shape_plots import HourPlot, PitPlot, ReliabilityPlot, SharpnessPlot
from dashboard.analytics.tables import NOMINAL, hour_texts
from dashboard.crosshair import share_crosshair
from dashboard.in_view import InView
from dashboard.live.columns import Columns
from dashboard.palette import Palette
from models.skill import NAIVE
from topics.records import HORIZONS

LEAST_SKILL, LEAST_COVERAGE, LEAST_IC = 0.02, 0.04, 0.05
DASHES: tuple[list[int], ...] = ([], [6, 3], [2, 2])
"""Of the first, second and third challenger."""


def scored(column: str) -> dict[str, str]:
    """Return the tooltip's further rows."""
    return {column: "@rows{0,0}"}


class Drawing:
    """The plots and their colours."""

    def __init__(self, in_view: InView) -> None:
        self.in_view = in_view
        skill = Axis(format="percent", tip="0.00 %", reference=0.0, least=(-LEAST_SKILL, LEAST_SKILL))
        covered = Axis(
            format="whole percent",
            tip="0.0 %",
            reference=NOMINAL,
            least=(NOMINAL - LEAST_COVERAGE, NOMINAL + LEAST_COVERAGE),
        )
        ic = Axis(format="number", tip="0.000", reference=0.0, least=(-LEAST_IC, LEAST_IC))
        evidence = Axis(format="power", tip="0.00", reference=1.0, limits=(20.0,), least=(0.5, 25.0), log=True)
        equity = Axis(format="percent", tip="0.00 %", reference=0.0, least=(-0.01, 0.01))
        self.skill = LinePlot("skill", skill, scored("forecasts"), "skill [share]")
        self.coverage = LinePlot("coverage", covered, scored("forecasts"), "coverage [share]")
        gain = Axis(format="number", tip="0.0", reference=0.0, least=(-1.0, 1.0))
        self.gain = LinePlot("gain", gain, {}, "sum of relative gains", "challenger")
        self.evidence = LinePlot("evidence", evidence, {}, "e-value", "challenger")
        self.ic = LinePlot("ic", ic, scored("forecasts"), "IC")
        traded = {"traded": "@traded{0.0} times the capital"}
        self.equity = LinePlot("equity", equity, traded, "return [share of the capital]", "costs")
        share_crosshair(one.plot for one in (self.skill, self.coverage, self.gain, self.evidence, self.ic, self.equity))
        self.reliability, self.pit = ReliabilityPlot(), PitPlot()
        self.sharpness, self.hours = SharpnessPlot(), HourPlot()
        self._lines = (self.skill, self.coverage, self.gain, self.evidence, self.ic, self.equity)
        self._shapes = (self.reliability, self.pit, self.sharpness, self.hours)

    def plots(self) -> tuple[figure, ...]:
        """Return the plots, each a root of the document."""
        return tuple(one.plot for one in (*self._lines, *self._shapes))

    def scores(self, of: Scores | None) -> None:
        """Draw skill and coverage of each model over time, or nothing."""
        curves = {} if of is None else of.curves
        for column, plot in (("skill", self.skill), ("coverage", self.coverage)):
            lines = {
                model: {"time": one["time"], "value": one[column], "rows": one["scored"]}
                for model, one in curves.items()
            }
            self.in_view.draw(column, partial(plot.draw, lines))

    def challenges(self, of: Sequence[Challenge], horizon: int) -> None:
        """Draw each challenger's cumulative gain at a horizon with its confidence sequence, and its e-value."""
        place = HORIZONS.index(horizon)
        gains: dict[str, Columns] = {}
        bands: dict[str, Columns] = {}
        evidence: dict[str, Columns] = {}
        for one in of:
            name = one.pair.challenger
            time = np.array([point.time for point in one.points], dtype=np.float64)
            sides = np.array([(point.gain[place], point.low[place], point.high[place]) for point in one.points])
            sides = sides.reshape(len(time), 3)
            gains[name] = {"time": time, "value": sides[:, 0]}
            bands[name] = {"time": time, "low": sides[:, 1], "high": sides[:, 2]}
            evidence[name] = {"time": time, "value": np.array([point.e_value for point in one.points])}
        if of:
            self.evidence.limit(1.0 / of[0].alpha)
        self.in_view.draw("gain", partial(self.gain.draw, gains, bands))
        self.in_view.draw("evidence", partial(self.evidence.draw, evidence))

    def figures(self, of: Figures | None) -> None:
        """Draw what was found of the chosen model's forecasts, or nothing."""
        draw = self.in_view.draw
        draw("reliability", partial(self.reliability.draw, [] if of is None else of.reliability))
        draw("pit", partial(self.pit.draw, [] if of is None else of.pit))
        by_hour = [] if of is None else of.groups["hour"]
        draw("by_hour", partial(self.hours.draw, by_hour, hour_texts(by_hour)))
        if of is None:
            draw("ic", partial(self.ic.draw, {}))
            return
        known = np.isfinite(of.ic.ic)
        time = of.ic.time[known].astype(np.float64)
        line = {"time": time, "value": of.ic.ic[known], "rows": of.ic.rows[known]}
        noise = {"time": time, "low": -of.ic.noise[known], "high": of.ic.noise[known]}
        draw("ic", partial(self.ic.draw, {of.key.model: line}, {"no skill": noise}))

    def policy(self, of: Policy | None) -> None:
        """Draw a policy's curves before and after its costs, or nothing."""
        names = () if of is None or not len(of.curve["time"]) else ("gross", "net")
        lines = {name: self._curve(of, name) for name in names if of is not None}
        self.in_view.draw("equity", partial(self.equity.draw, lines))

    @staticmethod
    def _curve(of: Policy, name: str) -> Columns:
        return {"time": of.curve["time"], "value": of.curve[name], "traded": of.curve["traded"]}

    def paint(
        self, models: Mapping[str, str], model: str | None, of: Figures | None, challengers: Sequence[str], p: Palette
    ) -> None:
        """Put on the colours: what is of the chosen model has its colour."""
        own = models.get(model or "", p.baseline)
        naive = {NAIVE: [4, 3]}
        for plot in (self.skill, self.coverage):
            plot.paint(models, p, naive)
        versions = dict.fromkeys(challengers, own)
        dashes = {version: DASHES[place % len(DASHES)] for place, version in enumerate(challengers)}
        for plot in (self.gain, self.evidence):
            plot.paint(versions, p, dashes)
        self.ic.paint({**models, "no skill": p.muted}, p, naive)
        self.equity.paint({"gross": p.muted, "net": own}, p, {"gross": [5, 3]})
        self.reliability.paint(own, p)
        self.pit.paint(own, p)
        self.hours.paint(own)
        widths = [] if of is None else of.sharpness
        self.in_view.draw("sharpness", partial(self.sharpness.draw, widths, models, p))
