"""Features: of the definition in service, so that what is trained can take its place while the stream runs."""

from features.definition import FILE, Definition
from learning.code import commit
from learning.work import Work, out_of_memory_told
from models import provenance, training


def features(work: Work) -> None:
    """Compute the features of all bars; where no definition is in service, fit one to the bars."""
    settings, seed = work.settings, work.held.run.options.seed
    with work.held.step("features") as detail, out_of_memory_told():
        work.first = not (work.models / FILE).exists()
        if work.first:
            work.definition = training.define(work.bars, settings.timeframes, settings.features)
        else:
            work.definition = Definition.load(work.models)
        work.frames = training.features(work.bars, work.definition, settings.universe)
        fingerprint = work.definition.fingerprint
        work.origin = provenance.of(work.bars, fingerprint, seed, commit=commit() or None)
        detail.update({"fingerprint": fingerprint, "columns": len(work.definition.names), "first": work.first})
