"""Where Kafka is, and as whom to go there."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

Security = Literal["PLAINTEXT", "SASL_PLAINTEXT", "SSL", "SASL_SSL"]
Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]
NOTHING = SecretStr("")


@dataclass(frozen=True)
class Broker:
    """The brokers to ask first, host:port[,host:port], and the user; as a text only where they are, never a secret."""

    servers: str
    user: str = ""
    password: SecretStr = NOTHING
    security: Security = "PLAINTEXT"
    mechanism: Mechanism = "SCRAM-SHA-512"
    ca: Path | None = None

    def __str__(self) -> str:
        return self.servers

    @property
    def context(self) -> ssl.SSLContext | None:
        """The way to check the servers' certificates; None without TLS. Raises OSError for a file that is none."""
        return ssl.create_default_context(cafile=self.ca) if self.security.endswith("SSL") else None

    def client(self) -> dict[str, Any]:
        """Return what each client of aiokafka is told."""
        told: dict[str, Any] = {"bootstrap_servers": self.servers, "security_protocol": self.security}
        if self.security.endswith("SSL"):
            told["ssl_context"] = self.context
        if self.security.startswith("SASL"):
            told["sasl_mechanism"] = self.mechanism
            told["sasl_plain_username"] = self.user
            told["sasl_plain_password"] = self.password.get_secret_value()
        return told


Address = Broker | str
"""A broker, or the address alone of one that asks for no user."""


def at(address: Address) -> Broker:
    """Return a broker of either."""
    return Broker(address) if isinstance(address, str) else address
