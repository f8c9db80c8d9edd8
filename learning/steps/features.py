"""Features: with the definition in service, so that the new versions can be deployed while the stream runs."""

from features.definition import FILE, Definition
from learning.runs.work import Work, out_of_memory_told
from learning.tracking.code_version import commit
from models import training
from models.registry import provenance


def features(work: Work) -> None:
    """Compute the features of all bars; if no definition is in service, fit one to the bars."""
    settings, seed = work.settings, work.lease.run.options.seed
    with work.lease.step("features") as detail, out_of_memory_told():
        work.first = not (work.models / FILE).exists()
        if work.first:
            work.definition = training.define(work.bars, settings.timeframes, settings.features)
        else:
            work.definition = Definition.load(work.models)
        work.frames = training.features(work.bars, work.definition, settings.universe)
        fingerprint = work.definition.fingerprint
        work.origin = provenance.of(work.bars, fingerprint, seed, commit=commit())
        detail.update({"fingerprint": fingerprint, "columns": len(work.definition.names), "first": work.first})
