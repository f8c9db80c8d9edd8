"""What a stranger would write to read a topic: confluent-kafka, the published JSON Schema, and nothing of Foretick's.

Prints each record as a line of JSON. Arguments: bootstrap servers, topic, file with the schema, how many records.
"""

import json
import sys
from pathlib import Path

import jsonschema_rs
from confluent_kafka import Consumer


def main(bootstrap: str, topic: str, schema_file: str, count: int) -> None:
    schema = json.loads(Path(schema_file).read_text())
    validator = jsonschema_rs.validator_for(schema)
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "stranger",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([topic])
    while count > 0:
        message = consumer.poll(30)
        if message is None or message.error():
            sys.exit(f"nothing came: {message and message.error()}")
        frame = json.loads(message.value())
        validator.validate(frame)
        for record in frame if isinstance(frame, list) else [frame]:
            print(json.dumps(record), flush=True)  # noqa: T201 - what the test reads
            count -= 1
    consumer.close()


if __name__ == "__main__":
    main(*sys.argv[1:4], int(sys.argv[4]))
