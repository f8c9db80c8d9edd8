"""The dashboard from Python: each serves all pages, with its own at ``/``, and works where a database, MLflow or the
stream is missing: the pages say so."""

import errno
import sys
from threading import Event, Thread

from tornado.ioloop import IOLoop

from dashboard.serve import HOST, build, quiet
from dashboard.site import CLASSIC_PORTS
from settings import Settings

START_S = 60.0


class ServedDashboard:
    """A dashboard that is served by a thread of this process, at `url`, until `stop`."""

    def __init__(self, page: str, port: int, settings: Settings | None = None) -> None:
        """Serve the page at a port (0: a free one). Raises OSError if it is taken."""
        self._settings, self._page, self._port = settings or Settings(), page, port
        self._ready, self._ended = Event(), Event()
        self._error: BaseException | None = None
        self._loop: IOLoop | None = None
        self.url = ""
        self._thread = Thread(target=self._serve, name=f"dashboard-{page}", daemon=True)
        self._thread.start()
        self._ready.wait(START_S)
        if self._error is not None:
            raise self._error

    def wait(self) -> None:
        """Wait until it ends; Ctrl-C ends it."""
        try:
            while not self._ended.wait(1.0):
                pass
        except KeyboardInterrupt:
            self.stop()

    def stop(self) -> None:
        """End it."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.add_callback(self._loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        try:
            quiet()
            self._loop = IOLoop(make_current=True)
            try:
                site = build(self._settings, self._port, home=self._page)
            except OSError as error:
                taken = f"port {self._port} is taken by another program; 0 takes a free one"
                self._error = OSError(errno.EADDRINUSE, taken) if error.errno == errno.EADDRINUSE else error
                return
            site.start()
            self.url = f"http://{HOST}:{site.port}/"
            self._ready.set()
            self._loop.start()
            site.stop()
            self._loop.close(all_fds=False)
        finally:
            self._ready.set()
            self._ended.set()


class MonitoringDashboard:
    """The monitor of trainings."""

    page = "training"

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings

    def run_dashboard(self, port: int | None = None, block: bool | None = None) -> ServedDashboard:
        """Serve it, and wait until Ctrl-C; with `block` False, return at once, as in an interactive session.

        `port` is by default the page's classic one. Raises OSError if it is taken.
        """
        served = ServedDashboard(self.page, CLASSIC_PORTS[self.page] if port is None else port, self.settings)
        print(f"{self.page} on {served.url}", flush=True)  # noqa: T201 - the one line that tells where it is
        if not _interactive() if block is None else block:
            served.wait()
        return served


class HyperparameterOptimizationDashboard(MonitoringDashboard):
    """The studies of hyperparameters."""

    page = "tuning"


class ModelInspectorDashboard(MonitoringDashboard):
    """The inside of models."""

    page = "inspector"


def create_monitoring_dashboard(
    port: int | None = None, settings: Settings | None = None, block: bool | None = None
) -> ServedDashboard:
    """Serve the monitor of trainings as `MonitoringDashboard.run_dashboard` does."""
    return MonitoringDashboard(settings).run_dashboard(port, block)


def _interactive() -> bool:
    """Return whether somebody types into this Python, who wants it back."""
    return "ps1" in vars(sys) or "ipykernel" in sys.modules
