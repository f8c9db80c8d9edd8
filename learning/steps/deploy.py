"""Deploy: each version that passes the gate challenges its champion; a model that does not serve yet goes into service.

The step is idempotent: a version keeps the role that it already has.
"""

from learning.deployment.gate import refused
from learning.deployment.ledger import Ledger, LedgerError
from learning.runs.step_results import Deployed, WalkForwardSkill
from learning.runs.work import Work
from models.serving.deployment import MOST_CHALLENGERS, Action, roles
from storage.errors import StorageError
from topics.records import Deployment

BY = "pipeline"


def deploy(work: Work) -> None:
    """Make the decisions. Raises ValueError if other features are in service now than those trained on, and
    StorageError if Kafka or the database is away: before any decision, so that the run can be resumed.
    """
    ledger = Ledger(work.settings)
    try:
        ledger.publish_latest()  # also publishes decisions after a crash
    except LedgerError as error:
        raise StorageError(f"nothing can be deployed now: {error}") from error
    if work.first:
        work.definition.save(work.models)
    elif ledger.fingerprint != work.definition.fingerprint:
        raise ValueError(
            f"features {ledger.fingerprint} are in service now, not {work.definition.fingerprint}, on which the "
            "models were trained: run the pipeline again"
        )
    work.each("deploy", work.registered, lambda name: _one(work, ledger, name))


def _one(work: Work, ledger: Ledger, name: str) -> None:
    version = work.fitted[name].version
    run_id = work.lease.run.run_id
    work.deployed[name] = work.once("deploy", name, (run_id, version), Deployed, lambda: _decided(work, ledger, name))


def _decided(work: Work, ledger: Ledger, name: str) -> Deployed:
    version, skill, run = work.fitted[name].version, work.skills.get(name), work.lease.run
    now = ledger.latest().get(name)
    champion = None if now is None or now.fingerprint != ledger.fingerprint else now.champion
    if now is None or champion is None:
        why = refused(skill, None)
        if why is None:
            return _made(ledger, name, "serve", version, f"the first of this model, run {run.run_id}", skill)
        return Deployed(version, "refused", why)
    role = roles(now).get(version)
    if role == "challenger":
        return Deployed(version, "challenger", "it is a challenger already", now.number)
    if role is not None:
        return Deployed(version, "unchanged", f"the training gave the same version as the {role}", now.number)
    why = refused(skill, WalkForwardSkill.load(work.models / name / champion))
    if why is not None:
        return Deployed(version, "refused", why)
    if len(now.challengers) >= MOST_CHALLENGERS:
        ledger.decide(
            name, "withdraw", now.challengers[0], decided_by=BY, why=f"replaced by a newer version: {version}"
        )
    return _made(ledger, name, "challenge", version, f"{run.why} (run {run.run_id})", skill)


def _made(
    ledger: Ledger, name: str, action: Action, version: str, why: str, skill: WalkForwardSkill | None
) -> Deployed:
    made: Deployment = ledger.decide(name, action, version, decided_by=BY, why=why, evidence=evidence_of(skill))
    return Deployed(version, roles(made)[version], why, made.number)


def evidence_of(skill: WalkForwardSkill | None) -> dict[str, float] | None:
    """Return the numbers on which a decision is based."""
    if skill is None or skill.mean is None or skill.error is None:
        return None
    return {"skill": skill.mean, "skill_error": skill.error, "days": skill.days}
