"""Records versions put into service by `foretick train` as decisions in the log: a step of `up`.

`python -m learning.deployment.announce` runs it. So the log has every version that ever served, and decisions whose
publication a crash prevented reach the workers.
"""

import logging

from learning.deployment.ledger import Ledger
from models.registry import listing
from observability import logs
from settings import Settings

log = logging.getLogger("foretick")


def announce(settings: Settings) -> None:
    """Log each version in serving.json that was never logged as serving; publish the newest decisions.

    Later decisions stay in force: a version that served before does not become champion again.
    """
    ledger = Ledger(settings)
    latest, fingerprint = ledger.latest(), ledger.fingerprint
    served = {(one.model, one.champion) for one in ledger.history() if one.fingerprint == fingerprint}
    for model, version in listing.serving(settings.home / "models").items():
        known = latest.get(model)
        if known is None or known.fingerprint != fingerprint or (model, version) not in served:
            made = ledger.decide(
                model, "serve", version, decided_by="foretick train", why="trained and put into service"
            )
            log.info("deployment %d of %s: version %s serves", made.number, model, version)
    ledger.publish_latest()


if __name__ == "__main__":
    configured = Settings()
    logs.configure("deploy", configured)
    announce(configured)
