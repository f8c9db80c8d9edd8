"""Checks before an upgrade: whether this version can go on with what the home and its database have."""

from features.definition import Definition
from models.registry import model_registry
from settings import Settings
from stack.check import Check
from stack.doctor import lock
from stack.schema_check import tables

TRAIN = "`up` trains on the sample in their place; then ./foretick train FILE on your own history"


def examine(settings: Settings) -> list[Check]:
    """Return all checks. Nothing is changed."""
    return [lock(), tables(settings.database_url.get_secret_value()), models(settings)]


def models(settings: Settings) -> Check:
    """Check that the models in service can be loaded and fit the features that this version computes."""
    folder = settings.home / "models"
    if not folder.is_dir():
        return Check("models", "ok", "there are none yet: `up` trains them on the sample")
    try:
        listed = model_registry.serving(folder)
        fingerprint = Definition.load(folder).fingerprint
    except ValueError as error:
        return Check("models", "warn", str(error), TRAIN)
    faults = []
    for name, version in listed.items():
        try:
            model_registry.load(folder, name, version, fingerprint)
        except ValueError as error:
            faults.append(str(error))
    if faults:
        return Check("models", "warn", f"{len(faults)} of {len(listed)} in service do not fit: {faults[0]}", TRAIN)
    return Check("models", "ok", f"the {len(listed)} in service fit: {', '.join(listed)}")
