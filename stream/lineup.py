"""Which versions predict in this worker: what a deployment asks for is loaded and rehearsed, or refused."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from weakref import WeakValueDictionary

from features.definition import Definition
from features.step import FeatureStep
from models import registry
from models.combiner import Combination
from models.deployment import roles
from models.playing import Playing
from models.predictor import Predictor
from models.reference import Reference
from models.rehearsal import rehearse
from storage.errors import reason
from topics.catalog import DAY_MS
from topics.records import Deployment, ModelEvent, Role

log = logging.getLogger("foretick")


@dataclass(frozen=True)
class Prepared:
    """What became of a deployment's versions: those that can play, and why the others cannot, by version."""

    deployment: Deployment
    playing: list[Playing] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


class Lineup:
    """The versions in service, and the predictor of them all. `folder` is <home>/models, where the artifacts are.

    A version is fresh for `expiry_days` after its training data. `numbers` are those of the last deployment of each
    model that was heard of; `started` is what there is to tell of the start.
    """

    def __init__(self, folder: Path, interval: str, expiry_days: float) -> None:
        self.features = FeatureStep(Definition.load(folder))
        self.fingerprint = self.features.fingerprint
        self.predictor = Predictor((), self.features.names)
        self.numbers: dict[str, int] = {}
        self.started: list[ModelEvent] = []
        self._folder, self._interval, self._expiry_days = folder, interval, expiry_days
        self._playing: dict[str, list[Playing]] = {}
        self._references: WeakValueDictionary[str, Reference] = WeakValueDictionary()

    def start(self, logs: Mapping[str, Sequence[Deployment]]) -> None:
        """Put the newest deployment of each model's log into service, and what serving.json lists of other models.

        Where a champion cannot be loaded, the shadow serves, else the version in serving.json, else the last champion
        before that can. All are rehearsed: code that is compiled while bars wait would hold up the worker's heartbeats.
        Raises ValueError with one line where a model that was never deployed cannot be loaded.
        """
        self.numbers = {model: made[-1].number for model, made in logs.items()}
        ours = {model: made for model, made in logs.items() if made[-1].fingerprint == self.fingerprint}
        trained = {} if ours and not (self._folder / registry.SERVING).exists() else registry.serving(self._folder)
        if set(trained) - set(ours):
            for model in registry.classes(trained):
                if model in trained and model not in ours:
                    self._playing[model] = [self._load(model, trained[model])]
                    self.started.append(self._event("loaded", model, trained[model], 0, role="champion"))
        for model, (*before, newest) in ours.items():
            served = [one.champion for one in reversed(before) if one.fingerprint == self.fingerprint]
            stand_ins = [version for version in (newest.shadow, trained.get(model), *served) if version is not None]
            self.started += self._begin(self.prepare(newest, rehearsed=True), stand_ins)
        self.predictor = self._predictor(self._playing)
        rehearse(self.features, self.predictor, self._interval)

    def _begin(self, prepared: Prepared, stand_ins: Iterable[str]) -> list[ModelEvent]:
        """Put a deployment into service at the start; where its champion cannot serve, the first stand-in that can."""
        deployment, playing = prepared.deployment, prepared.playing
        if deployment.champion in prepared.refused:
            champion = next(filter(None, (self._stand_in(prepared, version) for version in stand_ins)), None)
            serves = "nobody" if champion is None else champion.version
            log.error("model %s: version %s cannot serve; %s does", deployment.model, deployment.champion, serves)
            others = [version for version in playing if champion and version.version != champion.version]
            playing = [] if champion is None else [champion, *others]
        self._playing[deployment.model] = playing
        return [*self._refusals(prepared), *self._loaded(deployment, playing)]

    def _stand_in(self, prepared: Prepared, version: str) -> Playing | None:
        """Return a version as the champion, None where it is refused."""
        deployment = prepared.deployment
        if version in prepared.refused:
            return None
        try:
            known = {one.version: one for one in prepared.playing}
            found = known.get(version) or self._load(deployment.model, version)
        except Exception as error:  # noqa: BLE001 - as in `prepare`
            prepared.refused[version] = reason(error)
            return None
        return replace(found, role="champion", number=deployment.number)

    def ready(self, deployment: Deployment) -> bool:
        """Tell whether all that a deployment asks for plays already, in whatever role."""
        known = {version.version for version in self._playing.get(deployment.model, ())}
        return known >= set(roles(deployment))

    def prepare(self, deployment: Deployment, *, rehearsed: bool = False) -> Prepared:
        """Load and, but where all will be `rehearsed` together, rehearse what does not play yet; change nothing.

        Takes seconds, and may run in a thread beside the stream.
        """
        prepared = Prepared(deployment)
        known = {version.version: version for version in self._playing.get(deployment.model, ())}
        for version, role in roles(deployment).items():
            try:
                found = known.get(version) or self._load(deployment.model, version)
                if version not in known and not rehearsed:
                    self._rehearse(found)
            except Exception as error:  # noqa: BLE001 - whatever a broken artifact raises, the old version serves on
                prepared.refused[version] = reason(error)
            else:
                prepared.playing.append(replace(found, role=role, number=deployment.number))
        return prepared

    def apply(self, prepared: Prepared) -> list[ModelEvent]:
        """Put what was prepared into service, unless its champion was refused: then all stays. Return what to tell."""
        deployment = prepared.deployment
        if deployment.champion in prepared.refused:
            return self._refusals(prepared)
        playing = {**self._playing, deployment.model: prepared.playing}
        try:
            self.predictor = self._predictor(playing)
        except ValueError as error:
            return self.refuse(deployment, str(error))
        self._playing = playing
        return [*self._refusals(prepared), *self._loaded(deployment, prepared.playing)]

    def refuse(self, deployment: Deployment, why: str) -> list[ModelEvent]:
        """Return what tells that a whole deployment is refused."""
        version = deployment.champion or self._champion(deployment.model)
        return self._refusals(Prepared(deployment, refused={version: why}))

    def _champion(self, model: str) -> str:
        return next((one.version for one in self._playing.get(model, ()) if one.role == "champion"), "")

    def _load(self, model: str, version: str) -> Playing:
        found = registry.load(self._folder, model, version, self.fingerprint)
        origin = registry.provenance(self._folder, model, version)
        if origin is None:
            return Playing(found, version)
        reference = None if origin.reference is None else self._reference(origin.reference)
        return Playing(found, version, fresh_until=origin.last + self._expiry_days * DAY_MS, reference=reference)

    def _reference(self, name: str) -> Reference | None:
        """Return a reference, the same one to all that name it; a forecast is worth having without one too."""
        found = self._references.get(name)
        if found is not None:
            return found
        try:
            found = Reference.load(self._folder, name)
            if found.fingerprint != self.fingerprint:
                raise ValueError(f"reference {name} is of features {found.fingerprint}, not {self.fingerprint}")
        except ValueError as error:
            log.warning("%s; how unlike the training data a bar is stays unknown", error)
            return None
        self._references[name] = found
        return found

    def _rehearse(self, version: Playing) -> None:
        """Run a version over made-up bars, so that nothing is compiled or found broken while real ones wait."""
        beside: Iterable[Playing] = ()
        if isinstance(version.model, Combination):
            beside = (one for one in self.predictor.served if not isinstance(one.model, Combination))
        rehearse(self.features, Predictor.of([*beside, version], self.features.names), self._interval)

    def _predictor(self, playing: Mapping[str, list[Playing]]) -> Predictor:
        order = registry.classes(playing)
        return Predictor.of([one for model in order for one in playing.get(model, ())], self.features.names)

    def _refusals(self, prepared: Prepared) -> list[ModelEvent]:
        asked, deployment = roles(prepared.deployment), prepared.deployment
        for version, why in prepared.refused.items():
            log.error("deployment %d of %s: %s is refused: %s", deployment.number, deployment.model, version, why)
        return [
            self._event("refused", deployment.model, version, deployment.number, asked.get(version), why)
            for version, why in prepared.refused.items()
        ]

    def _loaded(self, deployment: Deployment, playing: Iterable[Playing]) -> list[ModelEvent]:
        return [self._event("loaded", deployment.model, one.version, deployment.number, one.role) for one in playing]

    def _event(
        self,
        event: Literal["loaded", "refused"],
        model: str,
        version: str,
        number: int,
        role: Role | None,
        why: str | None = None,
    ) -> ModelEvent:
        now = int(time.time() * 1000)
        return ModelEvent(model, version, event, self.fingerprint, now, number, role, reason=why)
