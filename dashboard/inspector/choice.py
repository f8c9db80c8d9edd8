"""The viewer's choice on the inspector, and its form in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dashboard.inspector.catalogue import Catalogue
from topics.records import HORIZONS

SECTIONS = ("overview", "structure", "explanations", "weights", "compare")
NO_OTHER = ""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What is shown; None where the page may choose. `other` is the version to compare with, empty for none."""

    model: str | None = None
    version: str | None = None
    other: str = NO_OTHER
    section: str = SECTIONS[0]
    horizon: int = 15
    series: str | None = None
    """Symbol and interval."""

    def query(self) -> dict[str, str | None]:
        """Return what the address says of it."""
        return {
            "model": self.model,
            "version": self.version,
            "other": self.other,
            "section": self.section if self.section != SECTIONS[0] else None,
            "horizon": str(self.horizon),
            "series": self.series,
        }


def parse(given: Mapping[str, str]) -> tuple[Choice, tuple[str, ...]]:
    """Read the address' query; return the choice, and what could not be followed."""
    notes = []
    choice = Choice(
        model=given.get("model") or None,
        version=given.get("version") or None,
        other=given.get("other", NO_OTHER),
        series=given.get("series") or None,
    )
    known = {str(horizon): horizon for horizon in HORIZONS}
    for name, options, default in (
        ("section", dict.fromkeys(SECTIONS), choice.section),
        ("horizon", known, str(choice.horizon)),
    ):
        if name in given and given[name] not in options:
            notes.append(
                f"{name}={given[name][:40]} in the address is none of {', '.join(options)}: this is {default}."
            )
    if given.get("section") in SECTIONS:
        choice = replace(choice, section=given["section"])
    if given.get("horizon") in known:
        choice = replace(choice, horizon=known[given["horizon"]])
    return choice, tuple(notes)


def settle(choice: Choice, catalogue: Catalogue, series: Sequence[str]) -> tuple[Choice, tuple[str, ...]]:
    """Fill in what the page may choose, and replace what is not stored; say so where the viewer had asked for it."""
    notes = []
    if choice.model not in catalogue.models:
        serving = [model for model, versions in catalogue.models.items() if any(one.in_service for one in versions)]
        best = next((model for model in serving if model != "naive"), next(iter(catalogue.models)))
        if choice.model:
            notes.append(f"No version of a model {choice.model[:60]} is stored: this is {best}.")
        choice = replace(choice, model=best, version=None, other=NO_OTHER)
    versions = catalogue.models[choice.model or ""]
    names = [one.version for one in versions]
    if choice.version not in names:
        newest = next((one.version for one in versions if one.in_service), names[0])
        if choice.version:
            notes.append(f"Version {choice.version[:60]} of {choice.model} is not stored: this is {newest}.")
        choice = replace(choice, version=newest)
    if choice.other and choice.other not in names:
        notes.append(f"Version {choice.other[:60]} of {choice.model} is not stored: nothing is compared.")
        choice = replace(choice, other=NO_OTHER)
    if choice.other == choice.version:
        choice = replace(choice, other=NO_OTHER)
    if series and choice.series not in series:
        if choice.series:
            notes.append(f"No features of {choice.series[:60]} are stored: this is {series[0]}.")
        choice = replace(choice, series=series[0])
    return choice, tuple(notes)
