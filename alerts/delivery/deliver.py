"""Delivers to one subscriber, in the order of the alerts: due deliveries, within the rate limit."""

import random
import time
from collections.abc import Callable, Sequence

from alerts import metrics
from alerts.channel import Channel, DeliveryResult, Message, summary_id
from alerts.delivery.queue import MOST_IN_A_SUMMARY, Due, Queue
from alerts.delivery.rate_limit import Bucket, back_off, turn
from alerts.subscriber import Subscriber
from observability.tracer import OFF, Tracer

LONGEST_PAUSE_S = 60.0
"""The longest back-off: a subscriber that was away is retried within a minute."""
LONGEST_WAIT_S = 900.0
"""A refused message is retried every quarter of an hour, and does not delay others meanwhile."""
PATIENCE = 20
"""How often the first message in the queue is retried while the others wait: about 15 minutes. Then it counts as
refused."""
AHEAD = 50
"""The number of deliveries read at once; they are attempted and recorded one by one."""
LOOK_S = 1.0


class Delivery:
    """One subscriber's deliveries. `page` is the dashboard's address; `drawn` gives the jitter's numbers, 0 to 1."""

    def __init__(
        self,
        subscriber: Subscriber,
        channel: Channel,
        queue: Queue,
        page: str,
        drawn: Callable[[], float] = random.random,
        tracer: Tracer = OFF,
    ) -> None:
        self._subscriber, self._channel, self._queue, self._page = subscriber, channel, queue, page
        self._drawn, self._tracer = drawn, tracer
        self._bucket: Bucket | None = None
        self._failures, self._paused_until = 0, 0.0
        self._ahead = max(AHEAD, channel.at_once)

    async def once(self) -> float:
        """Send due messages; return for how many seconds there is nothing to do, 0 if there may be more."""
        now = time.time()
        if now < self._paused_until:
            return self._paused_until - now
        waiting = await self._queue.waiting()
        if not waiting:
            return LOOK_S
        self._bucket = (self._bucket or await self._queue.bucket(now)).filled(now)
        singly, as_summary = turn(self._bucket, waiting, self._subscriber.summarise)
        if not singly and not as_summary:
            return min(self._bucket.wait(), LOOK_S)
        due = await self._queue.due(MOST_IN_A_SUMMARY if as_summary else min(singly, self._ahead))
        if not due:
            return 0.0  # they were muted since they were counted
        whole = as_summary or due[0].summary is not None
        await self._queue.save(self._bucket.less(1 if whole else len(due)))
        step = len(due) if whole else self._channel.at_once
        for start in range(0, len(due), step):
            batch = due[start : start + step]
            self._bucket = self._bucket.less(1 if whole else len(batch))
            if not await self._send(batch, whole):
                break
        return 0.0

    async def _send(self, due: Sequence[Due], whole: bool) -> bool:
        """Send one message; return whether the channel works."""
        ids = [one.alert_id for one in due]
        summary = (due[0].summary or summary_id(ids)) if whole else None
        if not await self._queue.trying(ids, summary):
            return True  # they were muted since they were read
        message = Message(summary or ids[0], tuple(one.alert for one in due), self._page)
        with self._tracer.follow(f"deliver {self._subscriber.channel}", (one.traceparent for one in due)) as span:
            answer = await self._channel.send(message)
            if answer.error is not None:
                span.fail(answer.error)
        metrics.sent(self._subscriber.channel, answer)
        await self._settle(ids, due[0].attempt, answer)
        return answer.error is None or answer.refused

    async def _settle(self, ids: Sequence[str], attempt: int, answer: DeliveryResult) -> None:
        if answer.error is None:
            self._failures = 0
            metrics.delivered(self._subscriber.channel, await self._queue.delivered(ids))
            return
        wait = back_off(attempt, LONGEST_WAIT_S, self._drawn())
        if not answer.refused:
            self._failures += 1
            pause = max(answer.after, back_off(self._failures, LONGEST_PAUSE_S, self._drawn()))
            self._paused_until = time.time() + pause
            # The channel was at fault, not this message: it stays the first.
            wait = 0.0 if attempt < PATIENCE else wait
        await self._queue.not_yet(ids, answer.error, wait)

    async def close(self) -> None:
        """Close the channel's connections."""
        await self._channel.close()
