"""An httpx transport that connects to the addresses that were checked, and to no other."""

import httpx

from alerts.delivery.address_guard import Lookup, checked, lookup

CONNECT_S, ANSWER_S = 5.0, 15.0


class PinnedTransport(httpx.AsyncBaseTransport):
    """Resolves the host at each request, checks the address, and connects to it: a second lookup, which could differ
    (DNS rebinding), never happens. TLS still verifies the host's certificate.
    """

    def __init__(self, allow_private: bool, look_up: Lookup = lookup) -> None:
        self._inner = httpx.AsyncHTTPTransport(verify=httpx.create_ssl_context(), trust_env=False)
        self._allow_private, self._look_up = allow_private, look_up

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send to the first address that accepts the connection. Raises RefusedError, or httpx's errors."""
        host, port = request.url.host, request.url.port or (443 if request.url.scheme == "https" else 80)
        addresses = await checked(host, port, self._allow_private, self._look_up)
        for address in addresses[:-1]:
            try:
                return await self._inner.handle_async_request(_at(request, address, host))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._inner.handle_async_request(_at(request, addresses[-1], host))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


def _at(request: httpx.Request, address: str, host: str) -> httpx.Request:
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,  # its Host header names the host already
        stream=request.stream,
        extensions=request.extensions | {"sni_hostname": host},
    )


def client(allow_private: bool, look_up: Lookup = lookup) -> httpx.AsyncClient:
    """Return a client that follows no redirect and uses no proxy."""
    return httpx.AsyncClient(
        transport=PinnedTransport(allow_private, look_up),
        follow_redirects=False,
        trust_env=False,
        timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
    )
