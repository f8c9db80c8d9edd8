"""What the buttons of the training page do."""

from dashboard.actions.action import Action, ActionError, ActionRequest
from dashboard.actions.audit import WHO
from learning.runs.queue import Runs
from settings import Settings
from storage.errors import StorageError


class StopRun(ActionRequest):
    """Which run of the pipeline is to stop."""

    run_id: str


def stop_run(settings: Settings, request: StopRun) -> str:
    """Ask for the run to stop at its next checkpoint; the reason is kept with it."""
    try:
        Runs(settings.database_url.get_secret_value()).stop(request.run_id, request.reason.strip(), WHO)
    except (ValueError, StorageError) as error:
        raise ActionError(str(error)) from None
    return f"run {request.run_id} stops at its next checkpoint"


STOP_RUN = Action("stop-run", StopRun, stop_run)
