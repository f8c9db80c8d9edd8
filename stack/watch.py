"""One component's life: start when its needs are met, check, restart with back-off, stop after those that need it."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stack import process, room
from stack.component import Component
from stack.state import Life, Status
from stream.condition import HEALTHY, Condition, looped

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
ATTEMPTS, ATTEMPTS_ONCE = 5, 3  # starts that came to nothing from the first on, then `failed`
POLL_S, CHECK_S, CHECK_TIMEOUT_S = 0.2, 2.0, 10.0
STEADY_S = 10.0  # well for so long: its next failure is the first again
UNHEALTHY_S = 60.0  # a process that runs but does not answer, or is stuck, for so long is restarted
RESTARTED_AT = "FORETICK_RESTARTED_AT"
HOPELESS = ("unknown", "stuck")


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
                self.set("stopped")
            self.stopped.set()
            self.changed()

    async def keep_running(self) -> None:
        """Start, wait for the end, start again; return when stopping, done or given up."""
        failures = 0
        while not self.stopping.is_set():
            well_at: float | None = None
            failure: Exception | None = None
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
                if self.component.once and self.process is not None and self.process.returncode == 0:
                    await self.end()
                    self.ready.set()
                    return self.set("done")
                error = self.how_it_ended()
            except Exception as raised:  # noqa: BLE001 - whatever a start meets is shown in `status`, and tried again
                error, failure = f"{type(raised).__name__}: {raised}", raised
            if lack := room.lacking(self.log.parent.parent, failure):
                error = f"{lack}; {error}"
            self.status.restarted(time.time())
            self.down(error)  # before anything that takes time: whoever asks now is not to be told of what is gone
            await self.end()
            steady = well_at is not None and time.monotonic() - well_at >= STEADY_S
            failures = 1 if steady else failures + 1
            # What worked once is tried for ever: it may only wait for a server to come back.
            if not self.ready.is_set() and failures >= (ATTEMPTS_ONCE if self.component.once else ATTEMPTS):
                self.status.restarts -= 1
                return self.set("failed")
            await self.first(timeout_s=back_off_s(failures))
        return None

    def down(self, error: str) -> None:
        """Say that the process has ended and is to be started again: once, or again and again."""
        self.status.last_error = error
        found = looped(Condition("unknown", f"between two starts; {error}"), self.status.restarted_at, time.time())
        if found.word == "looping":
            self.take(found)
        else:
            self.set("restarting")

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
            environment={**self.component.environment, RESTARTED_AT: json.dumps(self.status.restarted_at)},
            stop_signal=self.component.stop_signal,
        )
        identity = process.Identity.of(self.process.pid)
        self.status.pid, self.status.create_time = self.process.pid, identity.create_time if identity else None
        self.status.started_at = time.time()
        self.changed()

    async def until_it_works(self) -> None:
        """Ask often until it works; raises TimeoutError when it has not even answered in time.

        One that answers that it waits is let be, however long that takes.
        """
        deadline = time.monotonic() + self.component.start_wait_s
        while self.runs():
            found = await self.check()
            if self.runs() and (found.works or found.word not in HOPELESS):
                self.take(found)
            if found.works:
                return self.ready.set()
            if found.word not in HOPELESS:
                deadline = time.monotonic() + self.component.start_wait_s
            if time.monotonic() > deadline:
                raise TimeoutError(f"not well {self.component.start_wait_s:.0f} s after its start: {found.text()}")
            await self.first(self.exit(), timeout_s=POLL_S)
        return None

    async def while_it_runs(self) -> None:
        """Ask now and then until the process ends; raises TimeoutError when it is stuck or silent for long.

        A machine may have been paused between two questions: then nothing could have answered, and a process that has
        only begun to go on is let go on.
        """
        hopeless_s = 0.0
        while self.runs():
            begun = time.monotonic()
            await self.first(self.exit(), timeout_s=CHECK_S)
            if not self.runs():
                return
            found = await self.check()
            if not self.runs():
                return
            self.take(found)
            if found.works:
                self.ready.set()
            round_s = min(time.monotonic() - begun, CHECK_S + CHECK_TIMEOUT_S)
            hopeless_s = hopeless_s + round_s if found.word in HOPELESS else 0.0
            if hopeless_s > UNHEALTHY_S:
                raise TimeoutError(f"for {UNHEALTHY_S:.0f} s {found.text()}")

    async def watch_external(self) -> None:
        """Check a server that others run, and say how it is."""
        while not self.stopping.is_set():
            found = await self.check()
            self.status.last_error = None if found.works else found.why
            if found.works:
                self.take(found)
                self.ready.set()
            elif self.status.state != "failed":
                self.set("failed")
            await self.first(timeout_s=CHECK_S if found.works else 1.0)
        self.set("stopped")

    async def check(self) -> Condition:
        """Return how the component is, by its own answer; `unknown` where there is none."""
        if self.component.check is None:
            found: Condition | None = None
        else:
            try:
                async with asyncio.timeout(CHECK_TIMEOUT_S):
                    found = await self.component.check()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is why there is no good answer
                found = Condition("unknown", f"{type(error).__name__}: {error}")
        return looped(found or HEALTHY, self.status.restarted_at, time.time())

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

    def set(self, life: Life) -> None:
        """Change the state and tell the supervisor."""
        self.status.state, self.status.why, self.status.since, self.status.works = life, "", time.time(), False
        self.changed()

    def take(self, found: Condition) -> None:
        """Take the component's condition over, and tell the supervisor where it is new."""
        if self.status.take(found):
            self.changed()
