"""One component's life: start when its needs are met, check, restart with back-off, stop after those that need it."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from observability.condition import HEALTHY, Condition, looped
from stack import disk_space, process
from stack.component import Component
from stack.state import Life, Status

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
ATTEMPTS, ATTEMPTS_ONCE = 5, 3  # consecutive failed first starts, then `failed`
POLL_S, CHECK_S, CHECK_TIMEOUT_S = 0.2, 2.0, 10.0
STEADY_S = 10.0  # after being healthy for this long, its next failure counts as the first
UNHEALTHY_S = 60.0  # a process that runs but does not answer, or is stuck, for this long is restarted
RESTARTED_AT = "FORETICK_RESTARTED_AT"
HOPELESS = ("unknown", "stuck")


def back_off_s(failures: int) -> float:
    """Return the seconds to wait before the next start after this many failures in a row (at least one)."""
    return float(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (failures - 1)))


@dataclass(kw_only=True)
class ProcessMonitor:
    """Keeps one component running until `stopping` is set."""

    component: Component
    log: Path
    status: Status
    changed: Callable[[], None]
    stopping: asyncio.Event
    needs: "list[ProcessMonitor]" = field(default_factory=list)
    dependents: "list[ProcessMonitor]" = field(default_factory=list)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)  # to restart
    process: asyncio.subprocess.Process | None = None

    async def run(self) -> None:
        """Run until stopped."""
        try:
            for need in self.needs:
                while not need.ready.is_set() and not self.stopping.is_set():
                    self.asked.clear()  # it has not started
                    await self.first(need.ready.wait())
            if self.component.launch is None:
                await self.watch_external()
            while self.component.launch is not None and not self.stopping.is_set():
                await self.keep_running()
                await self.first()  # done, or given up, until a restart is requested
            await self.stopping.wait()
            for dependent in self.dependents:
                await dependent.stopped.wait()
        finally:
            await self.end()
            if self.status.state not in ("done", "failed"):
                self.set("stopped")
            self.stopped.set()
            self.changed()

    async def keep_running(self) -> None:
        """Start, wait for the end, restart; return when stopping, done or given up."""
        failures = 0
        while not self.stopping.is_set():
            well_at: float | None = None
            failure: Exception | None = None
            if self.asked.is_set():
                self.asked.clear()
                self.status.restarted_at = []  # whoever requests it has fixed the cause of the loop
                self.set("starting")
            try:
                await self.start()
                if self.component.once:
                    self.set("running")
                else:
                    await self.until_it_works()
                    well_at = time.monotonic() if self.status.works else None
                    await self.while_it_runs()
                await self.first(self.exit())
                if self.stopping.is_set():
                    return None
                if self.asked.is_set():  # no failure: it is not counted and has no delay
                    self.set("starting")
                    await self.end()
                    failures = 0
                    continue
                if self.component.once and self.process is not None and self.process.returncode == 0:
                    await self.end()
                    self.ready.set()
                    return self.set("done")
                error = self.how_it_ended()
            except Exception as raised:  # noqa: BLE001 - whatever a start meets is shown in `status`, and tried again
                error, failure = f"{type(raised).__name__}: {raised}", raised
            if lack := disk_space.full_folder(self.log.parent.parent, failure):
                error = f"{lack}; {error}"
            self.status.restarted(time.time())
            self.down(error)  # before anything slow, so that queries meanwhile do not see the old state
            await self.end()
            steady = well_at is not None and time.monotonic() - well_at >= STEADY_S
            failures = 1 if steady else failures + 1
            # A component that has worked once is retried for ever: it may only wait for a server to return.
            if not self.ready.is_set() and failures >= (ATTEMPTS_ONCE if self.component.once else ATTEMPTS):
                self.status.restarts -= 1
                return self.set("failed")
            await self.first(timeout_s=back_off_s(failures))
        return None

    def down(self, error: str) -> None:
        """Record that the process has ended and will be restarted: once, or in a loop."""
        self.status.last_error = error
        condition = looped(
            Condition(word="unknown", why=f"between two starts; {error}"), self.status.restarted_at, time.time()
        )
        if condition.word == "looping":
            self.take(condition)
        else:
            self.set("restarting")

    async def start(self) -> None:
        """Prepare and start the process."""
        launch = self.component.launch
        assert launch is not None  # noqa: S101 - for mypy: an external component never comes here
        command = await asyncio.to_thread(launch)
        if self.stopping.is_set():
            return
        self.process = await process.spawn(
            command,
            self.log,
            user=self.component.user,
            environment={**self.component.environment, RESTARTED_AT: json.dumps(self.status.restarted_at)},
            stop_signal=self.component.stop_signal,
        )
        identity = process.Identity.of(self.process.pid)
        self.status.pid, self.status.create_time = self.process.pid, identity.create_time if identity else None
        self.status.started_at = time.time()
        self.changed()

    async def until_it_works(self) -> None:
        """Check often until it works; raises TimeoutError if it has not answered in time.

        One that answers that it waits is not interrupted, however long it takes.
        """
        deadline = time.monotonic() + self.component.start_wait_s
        while self.runs():
            condition = await self.check()
            if self.runs() and (condition.works or condition.word not in HOPELESS):
                self.take(condition)
            if condition.works:
                return self.ready.set()
            if condition.word not in HOPELESS:
                deadline = time.monotonic() + self.component.start_wait_s
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"not healthy {self.component.start_wait_s:.0f} s after its start: {condition.text()}"
                )
            await self.first(self.exit(), timeout_s=POLL_S)
        return None

    async def while_it_runs(self) -> None:
        """Check periodically until the process ends; raises TimeoutError if it is stuck or does not answer for long.

        The machine may have been paused between two checks: then nothing could have answered, and a process that has
        just resumed is given time.
        """
        hopeless_s = 0.0
        while self.runs():
            begun = time.monotonic()
            await self.first(self.exit(), timeout_s=CHECK_S)
            if not self.runs():
                return
            condition = await self.check()
            if not self.runs():
                return
            self.take(condition)
            if condition.works:
                self.ready.set()
            round_s = min(time.monotonic() - begun, CHECK_S + CHECK_TIMEOUT_S)
            hopeless_s = hopeless_s + round_s if condition.word in HOPELESS else 0.0
            if hopeless_s > UNHEALTHY_S:
                raise TimeoutError(f"for {UNHEALTHY_S:.0f} s {condition.text()}")

    async def watch_external(self) -> None:
        """Check an external server, and record its condition."""
        while not self.stopping.is_set():
            condition = await self.check()
            self.status.last_error = None if condition.works else condition.why
            if condition.works:
                self.take(condition)
                self.ready.set()
            elif self.status.state != "failed":
                self.set("failed")
            await self.first(timeout_s=CHECK_S if condition.works else 1.0)
        self.set("stopped")

    async def check(self) -> Condition:
        """Return the component's condition, by its own answer; `unknown` without one."""
        if self.component.check is None:
            condition: Condition | None = None
        else:
            try:
                async with asyncio.timeout(CHECK_TIMEOUT_S):
                    condition = await self.component.check()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is why there is no good answer
                condition = Condition(word="unknown", why=f"{type(error).__name__}: {error}")
        return looped(condition or HEALTHY, self.status.restarted_at, time.time())

    def runs(self) -> bool:
        """Return whether the process runs and should run."""
        meant = not self.stopping.is_set() and not self.asked.is_set()
        return self.process is not None and self.process.returncode is None and meant

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
        """Wait for the first of: one of the tasks, the timeout, the request to stop or to restart."""
        tasks = [asyncio.ensure_future(work) for work in (self.stopping.wait(), self.asked.wait(), *works)]
        try:
            await asyncio.wait(tasks, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def how_it_ended(self) -> str:
        """Return in one line how the process ended, with the last line of its log."""
        code = self.process.returncode if self.process else None
        how = f"killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
        return f"{how}; the last line of {self.log}: {process.last_line(self.log)}"

    def set(self, life: Life) -> None:
        """Change the state and notify the supervisor."""
        self.status.state, self.status.why, self.status.since, self.status.works = life, "", time.time(), False
        self.changed()

    def take(self, condition: Condition) -> None:
        """Set the component's condition, and notify the supervisor if it changed."""
        if self.status.take(condition):
            self.changed()
