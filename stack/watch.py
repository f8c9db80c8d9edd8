"""One component's life: start when its needs are met, check, restart with back-off, stop after those that need it."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stack import process, room
from stack.component import Component
from stack.state import State, Status

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
ATTEMPTS, ATTEMPTS_ONCE = 5, 3  # starts that came to nothing from the first on, then `failed`
POLL_S, CHECK_S, CHECK_TIMEOUT_S = 0.2, 5.0, 10.0
STEADY_S = 10.0  # healthy for so long: its next failure is the first again
UNHEALTHY_S = 60.0  # a process that runs but does not answer for so long is restarted


def back_off_s(failures: int) -> float:
    """Return how long to wait before the next start after so many failures in a row (at least one), in seconds."""
    return float(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (failures - 1)))


@dataclass
class Watch:
    """Keeps one component running until `stopping` is set."""

    component: Component
    log: Path
    status: Status
    changed: Callable[[], None]
    stopping: asyncio.Event
    needs: "list[Watch]" = field(default_factory=list)
    dependents: "list[Watch]" = field(default_factory=list)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    process: asyncio.subprocess.Process | None = None

    async def run(self) -> None:
        """Live the whole life."""
        try:
            for need in self.needs:
                await self.first(need.ready.wait())
            if self.component.launch is None:
                await self.watch_external()
            else:
                await self.keep_running()
            await self.stopping.wait()
            for dependent in self.dependents:
                await dependent.stopped.wait()
        finally:
            await self.end()
            if self.status.state not in ("done", "failed"):
                self.status.state = "stopped"
            self.stopped.set()
            self.changed()

    async def keep_running(self) -> None:
        """Start, wait for the end, start again; return when stopping, done or given up."""
        failures = 0
        while not self.stopping.is_set():
            healthy_at: float | None = None
            failure: Exception | None = None
            try:
                await self.start()
                if self.component.once:
                    self.set("running")
                else:
                    await self.until_healthy()
                    healthy_at = time.monotonic() if self.status.state == "healthy" else None
                    await self.while_healthy()
                await self.first(self.exit())
                if self.stopping.is_set():
                    return None
                if self.component.once and self.process is not None and self.process.returncode == 0:
                    await self.end()
                    self.ready.set()
                    return self.set("done")
                error = self.how_it_ended()
            except Exception as raised:  # noqa: BLE001 - whatever a start meets is shown in `status`, and tried again
                error, failure = f"{type(raised).__name__}: {raised}", raised
            await self.end()
            if lack := room.lacking(self.log.parent.parent, failure):
                error = f"{lack}; {error}"
            steady = healthy_at is not None and time.monotonic() - healthy_at >= STEADY_S
            failures = 1 if steady else failures + 1
            self.status.last_error = error
            # What was healthy once is tried for ever: it may only wait for a server to come back.
            if not self.ready.is_set() and failures >= (ATTEMPTS_ONCE if self.component.once else ATTEMPTS):
                return self.set("failed")
            self.status.restarts += 1
            self.set("restarting")
            await self.first(timeout_s=back_off_s(failures))
        return None

    async def start(self) -> None:
        """Make ready and start the process."""
        launch = self.component.launch
        assert launch is not None  # noqa: S101 - for mypy: an external component never comes here
        command = await asyncio.to_thread(launch)
        if self.stopping.is_set():
            return
        self.process = await process.spawn(
            command,
            self.log,
            user=self.component.user,
            environment=self.component.environment,
            stop_signal=self.component.stop_signal,
        )
        identity = process.Identity.of(self.process.pid)
        self.status.pid, self.status.create_time = self.process.pid, identity.create_time if identity else None
        self.status.started_at = time.time()
        self.changed()

    async def until_healthy(self) -> None:
        """Check often until the first good answer; raises TimeoutError when none comes in time."""
        deadline = time.monotonic() + self.component.start_wait_s
        while self.runs():
            error = await self.check()
            if error is None:
                self.ready.set()
                return self.set("healthy")
            if time.monotonic() > deadline:
                raise TimeoutError(f"not healthy {self.component.start_wait_s:.0f} s after its start: {error}")
            await self.first(self.exit(), timeout_s=POLL_S)
        return None

    async def while_healthy(self) -> None:
        """Check now and then until the process ends; raises TimeoutError when it has not answered for long."""
        last_good = time.monotonic()
        while self.runs():
            await self.first(self.exit(), timeout_s=CHECK_S)
            error = await self.check() if self.runs() else None
            if error is None:
                last_good = time.monotonic()
            elif time.monotonic() - last_good > UNHEALTHY_S:
                raise TimeoutError(f"no answer for {UNHEALTHY_S:.0f} s: {error}")

    async def watch_external(self) -> None:
        """Check a server that others run, and say how it is."""
        while not self.stopping.is_set():
            self.status.last_error = await self.check()
            good = self.status.last_error is None
            if self.status.state != ("healthy" if good else "failed"):
                self.set("healthy" if good else "failed")
            if good:
                self.ready.set()
            await self.first(timeout_s=CHECK_S if good else 1.0)
        self.status.state = "stopped"

    async def check(self) -> str | None:
        """Return None when the component answers as it should, else why not."""
        if self.component.check is None:
            return None
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                await self.component.check()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is why there is no good answer
            return f"{type(error).__name__}: {error}"
        return None

    def runs(self) -> bool:
        """Tell whether the process runs and is meant to."""
        return self.process is not None and self.process.returncode is None and not self.stopping.is_set()

    async def exit(self) -> None:
        """Wait for the end of the process."""
        if self.process is not None:
            await self.process.wait()

    async def end(self) -> None:
        """Stop the process if there is one."""
        if self.process is not None:
            await process.stop(self.process, self.component.stop_signal, self.component.stop_wait_s)
        self.process = None
        self.status.pid = self.status.create_time = self.status.started_at = None

    async def first(self, *works: Coroutine[Any, Any, object], timeout_s: float | None = None) -> None:
        """Wait for the first of: one of the works, the time, the order to stop."""
        tasks = [asyncio.ensure_future(work) for work in (self.stopping.wait(), *works)]
        try:
            await asyncio.wait(tasks, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def how_it_ended(self) -> str:
        """Return in one line how the process ended and what it said last."""
        code = self.process.returncode if self.process else None
        how = f"killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
        return f"{how}; the last line of {self.log}: {process.last_line(self.log)}"

    def set(self, state: State) -> None:
        """Change the state and tell the supervisor."""
        self.status.state = state
        self.changed()
