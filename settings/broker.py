"""Kafka's address and the credentials for it."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

Security = Literal["PLAINTEXT", "SASL_PLAINTEXT", "SSL", "SASL_SSL"]
Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]
NOTHING = SecretStr("")


@dataclass(frozen=True, kw_only=True)
class Broker:
    """The bootstrap brokers, host:port[,host:port], and the user; its text has only the addresses, never a secret."""

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
        """The TLS context; None without TLS. Raises OSError if the CA file is invalid."""
        return ssl.create_default_context(cafile=self.ca) if self.security.endswith("SSL") else None

    def client(self) -> dict[str, Any]:
        """Return the arguments of each client of aiokafka."""
        fields: dict[str, Any] = {"bootstrap_servers": self.servers, "security_protocol": self.security}
        if self.security.endswith("SSL"):
            fields["ssl_context"] = self.context
        if self.security.startswith("SASL"):
            fields["sasl_mechanism"] = self.mechanism
            fields["sasl_plain_username"] = self.user
            fields["sasl_plain_password"] = self.password.get_secret_value()
        return fields


Address = Broker | str
"""A broker, or only the address of one that requires no user."""


def at(address: Address) -> Broker:
    """Return a broker of either."""
    return Broker(servers=address) if isinstance(address, str) else address
