"""What `foretick train` put into service becomes a decision in the log: `python -m learning.announce`, a step of `up`.

So the log tells of every version that ever served, and a decision that a crash kept from the workers reaches them.
"""

import logging

from learning.ledger import Ledger
from models import listing
from settings import Settings
from stream import logs

log = logging.getLogger("foretick")


def announce(settings: Settings) -> None:
    """Let the log say of each version in serving.json that it serves, where it never said so; tell the workers all.

    What was decided since a training goes on: that a version served before makes it no champion again.
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
