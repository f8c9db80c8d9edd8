"""Kafka's jars: those listed in kafka.jars with their SHA-256, fetched once by jgo from Maven Central for all clones.

`python -m stack.jars` regenerates the list after a change of ENDPOINT.
"""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from stack.errors import MachineError

ENDPOINT = "org.apache.kafka:kafka_2.13:4.1.0+org.slf4j:slf4j-simple:1.7.36"
LIST = Path(__file__).with_name("kafka.jars")


def paths() -> list[Path]:
    """Return the jars' paths in the local Maven repository, after fetching those that are missing or broken.

    Raises MachineError if one cannot be fetched. No Maven metadata is read, so only the list decides what runs.
    """
    from jgo.maven import MavenContext  # noqa: PLC0415 - half a second that only a start of Kafka needs to wait

    context = MavenContext()

    def fetch(line: str) -> Path:
        coordinate, wanted = line.split()
        group, name, version = coordinate.split(":")
        artifact = context.project(group, name).at_version(version).artifact()
        path = get(artifact)
        if sha256(path) != wanted:  # an interrupted download
            path.unlink()
            path = get(artifact)
        if sha256(path) != wanted:
            raise MachineError(f"{path} does not have the SHA-256 in {LIST.name}; is a proxy in between?")
        return path

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(fetch, LIST.read_text().splitlines()))


def get(artifact: Any) -> Path:
    """Return the local path of a jar, fetched if it is not there."""
    try:
        return Path(artifact.resolve())
    except Exception as error:
        raise MachineError(f"{artifact} cannot be fetched from Maven Central: {error}; is the network up?") from error


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_list() -> None:
    """Resolve ENDPOINT and its dependencies, and write the list."""
    import jgo  # noqa: PLC0415 - as above

    artifacts = sorted(jgo.resolve(ENDPOINT), key=str)
    lines = [f"{a.groupId}:{a.artifactId}:{a.version} {sha256(get(a))}" for a in artifacts if a.packaging == "jar"]
    LIST.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    write_list()
