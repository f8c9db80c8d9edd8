"""A repair of Faust 0.15.3: after a restart with a changelog, seek the source partitions first, then resume them.

Faust resumes the partitions while its fetcher runs already, and seeks to the committed offsets only afterwards; what
was fetched in between is dropped, or stalls the commits for good. Measured: docs/why.md; tests/stream fails without it.
"""

import asyncio
from typing import Any

from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery


class SeekFirstRecovery(Recovery):
    """Recovery that never lets a source partition flow from a position that is not the committed one."""

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Finish a recovery: tables first, then the seek, then the flow."""
        app: Any = self.app  # Faust's own interface does not name all that its own code calls here
        consumer = app.consumer
        await app.on_rebalance_complete.send()
        self._set_recovery_ended()
        await asyncio.gather(
            *(
                table.on_recovery_completed(self.actives_for_table[table], self.standbys_for_table[table])
                for table in self.tables.values()
            )
        )
        if app.consumer_generation_id != generation_id:
            return  # another rebalance began meanwhile; its own recovery follows
        assignment = consumer.assignment()
        if assignment:
            await self._wait(consumer.perform_seek(), timeout=app.conf.broker_request_timeout)
        consumer.resume_partitions({tp for tp in assignment if not self._is_changelog_tp(tp)})
        self.completed.set()
        app.flow_control.resume()
        consumer.resume_flow()
        await app._fetcher.maybe_start()
        self.tables.on_actives_ready()
        if not app.assignor.assigned_standbys():
            self.tables.on_standbys_ready()
        app.on_rebalance_end()
        self.log.info("Worker ready")


class SeekFirstTableManager(TableManager):
    """The table manager whose recovery seeks first."""

    @property
    def recovery(self) -> Recovery:
        """The recovery service."""
        if self._recovery is None:
            self._recovery = SeekFirstRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
