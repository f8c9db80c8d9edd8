"""The versions that predict in this worker: those of a deployment are loaded and warmed up, or refused."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from weakref import WeakValueDictionary

from features.definition import Definition
from features.step import FeatureStep
from models.drift.reference import Reference
from models.registry import model_registry
from models.serving.deployment import roles
from models.serving.predictor import Predictor
from models.serving.served_model import ServedModel
from models.serving.warm_up import warm_up
from storage.errors import reason
from topics.catalog import DAY_MS
from topics.records import Deployment, ModelEvent, Role

log = logging.getLogger("foretick")


@dataclass(frozen=True)
class PreparedDeployment:
    """A deployment's loaded versions: those that can be served, and the reason for each other, by version."""

    deployment: Deployment
    served: list[ServedModel] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


class ModelServer:
    """The versions in service, and the predictor of them all. `folder` is <home>/models, where the artifacts are.

    A version is fresh for `expiry_days` after its training data. `numbers` are those of each model's newest known
    deployment; `started` has the events of the start.
    """

    def __init__(self, folder: Path, interval: str, expiry_days: float) -> None:
        self.features = FeatureStep(Definition.load(folder))
        self.fingerprint = self.features.fingerprint
        self.predictor = Predictor((), self.features.names)
        self.numbers: dict[str, int] = {}
        self.started: list[ModelEvent] = []
        self._folder, self._interval, self._expiry_days = folder, interval, expiry_days
        self._served: dict[str, list[ServedModel]] = {}
        self._references: WeakValueDictionary[str, Reference] = WeakValueDictionary()

    def start(self, logs: Mapping[str, Sequence[Deployment]]) -> None:
        """Put the newest deployment of each model's log into service, and the versions in serving.json for other
        models.

        If a champion cannot be loaded, the standby serves, else the version in serving.json, else the latest earlier
        champion that can. All are warmed up: compiling while bars wait would delay the worker's heartbeats. Raises
        ValueError with one line if a model that was never deployed cannot be loaded.
        """
        self.numbers = {model: made[-1].number for model, made in logs.items()}
        ours = {model: made for model, made in logs.items() if made[-1].fingerprint == self.fingerprint}
        trained = (
            {}
            if ours and not (self._folder / model_registry.SERVING).exists()
            else model_registry.serving(self._folder)
        )
        if set(trained) - set(ours):
            for model in model_registry.classes(trained):
                if model in trained and model not in ours:
                    self._served[model] = [self._load(model, trained[model])]
                    self.started.append(self._event("loaded", model, trained[model], 0, role="champion"))
        for model, (*before, newest) in ours.items():
            served = [one.champion for one in reversed(before) if one.fingerprint == self.fingerprint]
            stand_ins = [version for version in (newest.standby, trained.get(model), *served) if version is not None]
            self.started += self._begin(self.prepare(newest, warm_up_later=True), stand_ins)
        self.predictor = self._predictor(self._served)
        warm_up(self.features, self.predictor, self._interval)

    def _begin(self, prepared: PreparedDeployment, stand_ins: Iterable[str]) -> list[ModelEvent]:
        """Put a deployment into service at the start; if its champion cannot serve, the first replacement that can."""
        deployment, served = prepared.deployment, prepared.served
        if deployment.champion in prepared.refused:
            champion = next(filter(None, (self._stand_in(prepared, version) for version in stand_ins)), None)
            serves = "nobody" if champion is None else champion.version
            log.error("model %s: version %s cannot serve; %s does", deployment.model, deployment.champion, serves)
            others = [version for version in served if champion and version.version != champion.version]
            served = [] if champion is None else [champion, *others]
        self._served[deployment.model] = served
        return [*self._refusals(prepared), *self._loaded(deployment, served)]

    def _stand_in(self, prepared: PreparedDeployment, version: str) -> ServedModel | None:
        """Return a version as the champion, None if it is refused."""
        deployment = prepared.deployment
        if version in prepared.refused:
            return None
        try:
            known = {one.version: one for one in prepared.served}
            served_model = known.get(version) or self._load(deployment.model, version)
        except Exception as error:  # noqa: BLE001 - as in `prepare`
            prepared.refused[version] = reason(error)
            return None
        return replace(served_model, role="champion", number=deployment.number)

    def ready(self, deployment: Deployment) -> bool:
        """Return whether all versions of a deployment are served already, in any role."""
        known = {version.version for version in self._served.get(deployment.model, ())}
        return known >= set(roles(deployment))

    def prepare(self, deployment: Deployment, *, warm_up_later: bool = False) -> PreparedDeployment:
        """Load the versions that are not served yet and warm them up, unless `warm_up_later`; does not change what is
        served.

        Takes seconds, and may run in a thread beside the stream.
        """
        prepared = PreparedDeployment(deployment)
        known = {version.version: version for version in self._served.get(deployment.model, ())}
        for version, role in roles(deployment).items():
            try:
                served_model = known.get(version) or self._load(deployment.model, version)
                if version not in known and not warm_up_later:
                    self._warm_up(served_model)
            except Exception as error:  # noqa: BLE001 - whatever a broken artifact raises, the old version serves on
                prepared.refused[version] = reason(error)
            else:
                prepared.served.append(replace(served_model, role=role, number=deployment.number))
        return prepared

    def apply(self, prepared: PreparedDeployment) -> list[ModelEvent]:
        """Put a prepared deployment into service, unless its champion was refused: then nothing changes. Return the
        events."""
        deployment = prepared.deployment
        if deployment.champion in prepared.refused:
            return self._refusals(prepared)
        served = {**self._served, deployment.model: prepared.served}
        try:
            self.predictor = self._predictor(served)
        except ValueError as error:
            return self.refuse(deployment, str(error))
        self._served = served
        return [*self._refusals(prepared), *self._loaded(deployment, prepared.served)]

    def refuse(self, deployment: Deployment, why: str) -> list[ModelEvent]:
        """Return the events of a deployment that is refused as a whole."""
        version = deployment.champion or self._champion(deployment.model)
        return self._refusals(PreparedDeployment(deployment, refused={version: why}))

    def _champion(self, model: str) -> str:
        return next((one.version for one in self._served.get(model, ()) if one.role == "champion"), "")

    def _load(self, model: str, version: str) -> ServedModel:
        result = model_registry.load(self._folder, model, version, self.fingerprint)
        origin = model_registry.provenance(self._folder, model, version)
        if origin is None:
            return ServedModel(model=result, version=version)
        reference = None if origin.reference is None else self._reference(origin.reference)
        return ServedModel(
            model=result, version=version, fresh_until=origin.last + self._expiry_days * DAY_MS, reference=reference
        )

    def _reference(self, name: str) -> Reference | None:
        """Return a reference, shared by all versions that name it; None if it cannot be loaded, since forecasts work
        without one."""
        reference = self._references.get(name)
        if reference is not None:
            return reference
        try:
            reference = Reference.load(self._folder, name)
            if reference.fingerprint != self.fingerprint:
                raise ValueError(f"reference {name} is of features {reference.fingerprint}, not {self.fingerprint}")
        except ValueError as error:
            log.warning("%s; the dissimilarity of bars to the training data stays unknown", error)
            return None
        self._references[name] = reference
        return reference

    def _warm_up(self, version: ServedModel) -> None:
        """Run a version over synthetic bars, so that nothing is compiled or fails while real ones wait."""
        beside: Iterable[ServedModel] = ()
        if version.combines:
            beside = (one for one in self.predictor.served if not one.combines)
        warm_up(self.features, Predictor.of([*beside, version], self.features.names), self._interval)

    def _predictor(self, served: Mapping[str, list[ServedModel]]) -> Predictor:
        order = model_registry.classes(served)
        return Predictor.of([one for model in order for one in served.get(model, ())], self.features.names)

    def _refusals(self, prepared: PreparedDeployment) -> list[ModelEvent]:
        asked, deployment = roles(prepared.deployment), prepared.deployment
        for version, why in prepared.refused.items():
            log.error("deployment %d of %s: %s is refused: %s", deployment.number, deployment.model, version, why)
        return [
            self._event("refused", deployment.model, version, deployment.number, asked.get(version), why)
            for version, why in prepared.refused.items()
        ]

    def _loaded(self, deployment: Deployment, served: Iterable[ServedModel]) -> list[ModelEvent]:
        return [self._event("loaded", deployment.model, one.version, deployment.number, one.role) for one in served]

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
        return ModelEvent(
            model=model,
            version=version,
            event=event,
            fingerprint=self.fingerprint,
            time=now,
            number=number,
            role=role,
            reason=why,
        )
