"""Convert requests of httpx to arguments of a pool, and errors of mint to names of exceptions of httpx."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from .. import errors
from .._hosts import DEFAULT_PORTS
from ..exchange import URL
from ..pool import Timeouts

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Generator, Iterable, Iterator, Mapping

    from ..types import Scheme

# Fields about the connection and the framing of the body: the pool decides about both (RFC 9110 7.6.1).
_OWN = frozenset({"connection", "keep-alive", "proxy-connection", "transfer-encoding"})
_SCHEMES: dict[str, Scheme] = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


def scheme_of(text: str) -> Scheme | None:
    """Return the scheme of a request that mint can send; `None` for any other."""
    return _SCHEMES.get(text)


def url_of(scheme: Scheme, host: str, port: int | None, target: bytes) -> URL:
    """Return where a request goes."""
    return URL(scheme, host, DEFAULT_PORTS[scheme] if port is None else port, target.decode("ascii"))


def is_upgrade(raw: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request asks for another protocol on its connection (RFC 9110 7.8)."""
    return any(len(name) == len(b"upgrade") and name.lower() == b"upgrade" for name, _ in raw)


def fields_of(method: str, raw: Iterable[tuple[bytes, bytes]], *, upgrade: bool) -> list[tuple[str, str]]:
    """Return the fields of a request without those that the pool sets itself."""
    own = _OWN - {"connection"} if upgrade else _OWN
    if method == "CONNECT":
        own |= {"host"}  # httpx sets it to the host of the URL, but CONNECT needs the target (RFC 9110 9.3.6)
    pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw]
    return [(name, value) for name, value in pairs if name not in own]


def raw_fields(fields: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Return the fields of a response as httpx expects them."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]


def timeouts_of(extension: Mapping[str, float | None] | None) -> Timeouts:
    """Return the limits of time of a request: seconds, or `None` for no limit."""
    found = extension or {}
    return Timeouts(
        pool=found.get("pool"),
        connect=found.get("connect"),
        read=found.get("read"),
        write=found.get("write"),
    )


# The first row that matches is used.
_NAMES: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((errors.TunnelTimeout,), "ConnectTimeout"),
    ((errors.ProxyError,), "ProxyError"),
    (
        (
            *(errors.ConnectionRefused, errors.NameNotResolved, errors.Unreachable, errors.TLSFailed),
            *(errors.ProtocolNotNegotiated, errors.BadALPNProtocol, errors.InadequateSecurity),
        ),
        "ConnectError",
    ),
    ((errors.TransportReset,), "ReadError"),
    # The server disconnected without a response.
    ((errors.TransportError,), "RemoteProtocolError"),
)


def error_name(error: BaseException) -> str | None:
    """Return the name of the exception of httpx that corresponds to an error; `None` if there is none."""
    if isinstance(error, errors.TransportTimeout):
        return _timeout_name(error.phase)
    for kinds, name in _NAMES:
        if isinstance(error, kinds):
            return name
    if isinstance(error, errors.MintError) and not error.local:
        return "RemoteProtocolError"
    return "LocalProtocolError" if isinstance(error, (errors.MintError, ValueError, TypeError)) else None


def _timeout_name(phase: str) -> str:
    if phase.startswith("waiting for a connection"):
        return "PoolTimeout"
    if phase.startswith("sending"):
        return "WriteTimeout"
    if phase.startswith(("receiving", "waiting for the")):
        return "ReadTimeout"
    return "ConnectTimeout"


class Caller:
    """Records exceptions of the caller's own code (body and trace), which are raised unchanged."""

    def __init__(self) -> None:
        self._raised: list[BaseException] = []

    @contextlib.contextmanager
    def running(self) -> Generator[None]:
        """Record an exception that code of the caller raises in this block."""
        try:
            yield
        except Exception as error:
            self._raised.append(error)
            raise

    def raised(self, error: BaseException) -> bool:
        """Whether code of the caller raised this exception."""
        return any(each is error for each in self._raised)

    def pieces(self, body: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the pieces of a body."""
        with self.running():
            yield from body

    async def awaited(self, body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """Yield the pieces of an asynchronous body."""
        with self.running():
            async for piece in body:
                yield piece
