"""Why a broker cannot be reached by TLS: aiokafka says only that it cannot be reached."""

import asyncio
import contextlib
import ssl

from settings.broker import Address, at

WAIT_S = 5.0


async def tls_refusal(address: Address) -> str | None:
    """Return why TLS fails with the first broker of an address; None if it does not, or is not asked for."""
    broker = at(address)
    context = broker.context
    if context is None:
        return None
    host, _, port = broker.servers.split(",")[0].rpartition(":")
    try:
        async with asyncio.timeout(WAIT_S):
            _, writer = await asyncio.open_connection(host, int(port), ssl=context)
    except ssl.SSLCertVerificationError as error:
        return f"its certificate is not trusted: {error.verify_message}"
    except ssl.SSLError as error:
        return f"it does not speak TLS as we do: {error.reason}"
    except (OSError, TimeoutError):
        return None
    writer.close()
    with contextlib.suppress(OSError):  # whatever the goodbye is, TLS worked
        await writer.wait_closed()
    return None
