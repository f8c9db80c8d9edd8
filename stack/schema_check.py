"""Checks whether this version can go on with a database's tables."""

from stack.check import Check
from storage.errors import StorageError
from storage.schema import SchemaState, schema_state

OLD = "start it with the version that made it, or set FORETICK_HOME or FORETICK_DATABASE_URL to what is to be upgraded"
BACK_UP = "./foretick backup FOLDER first: there is no way back but its restore"
NEWER = "install that version, or restore a backup of this version into an empty home"


def tables(url: str) -> Check:
    """Check which migrations the next start will make, and that no newer version made one."""
    try:
        state = schema_state(url)
    except StorageError as error:
        return Check("tables", "fail", str(error), OLD)
    return described(state)


def described(state: SchemaState) -> Check:
    """Return the check of a schema in that state."""
    if state.unknown:
        newest = state.unknown[-1]
        return Check("tables", "fail", f"a newer version has migrated them ({newest}, unknown to this one)", NEWER)
    if not state.applied:
        return Check("tables", "ok", "there are none yet: `up` makes them")
    if not state.pending:
        return Check("tables", "ok", f"those of this version, {len(state.applied)} migrations")
    first, last = state.pending[0], state.pending[-1]
    which = first if len(state.pending) == 1 else f"{len(state.pending)} of them, {first} to {last}"
    return Check("tables", "warn", f"`up` migrates them: {which}", BACK_UP)
