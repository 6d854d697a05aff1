"""Complete answers, and the collector that builds them from the responses of a connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, overload

from .. import _checks
from ..errors import ContentTooLarge, HTTPError, TransportError
from ..responses import Data, Done, Headers, Informational, RequestFailed, Status, StatusReason, Trailers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..responses import RequestRef, Response
    from ..types import HeaderFields

MAX_SIZE = 104_857_600
"""The default limit of the content of one answer, in bytes."""


class Fields:
    """An object with headers, which can be looked up by name."""

    __slots__ = ()

    headers: HeaderFields

    def headers_all(self, name: str) -> tuple[str, ...]:
        """Return the values of all header lines of this name, in order; names are case-insensitive."""
        wanted = name.lower()
        return tuple(value for each, value in self.headers if each == wanted)

    @overload
    def header(self, name: str) -> str | None: ...
    @overload
    def header(self, name: str, default: str) -> str: ...
    def header(self, name: str, default: str | None = None) -> str | None:
        """Return the value of a header, or the default; names are case-insensitive.

        Several lines are joined with `", "` (RFC 9110 5.3). Do not use this for `set-cookie`; use
        `headers_all`.
        """
        values = self.headers_all(name)
        return ", ".join(values) if values else default


@dataclass(frozen=True, repr=False)
class Answer(Fields):
    """A complete final response.

    Attributes:
        status: the status code, 100 to 999.
        reason: the reason phrase; empty unless it is enabled (`HTTP1Options.optional_responses`).
        headers: names in lower case, with order and duplicates kept.
        content: the content as it arrived; `mint.content` decodes its codings.
        trailers: the fields after the content.
        interim: the interim responses (1xx) that preceded it, in order.

    """

    status: int
    reason: str = ""
    headers: HeaderFields = ()
    content: bytes = b""
    trailers: HeaderFields = ()
    interim: tuple[Informational, ...] = ()

    def __repr__(self) -> str:
        """Show no header and no content: they may be secret."""
        return f"<Answer {self.status}, {len(self.headers)} headers, {len(self.content)} bytes>"


Outcome: TypeAlias = Answer | HTTPError | TransportError
"""How a request ended."""


@dataclass
class _Partial:
    status: int = 0
    reason: str = ""
    headers: HeaderFields = ()
    trailers: HeaderFields = ()
    interim: list[Informational] = field(default_factory=list[Informational])
    pieces: list[bytes] = field(default_factory=list[bytes])
    size: int = 0
    too_large: bool = False

    def finished(self) -> Answer:
        return Answer(
            self.status, self.reason, self.headers, b"".join(self.pieces), self.trailers, tuple(self.interim)
        )


class Collector:
    """Collects the responses of a connection, to any number of requests, into complete answers.

    Args:
        max_size: the maximum size of the content of one answer, in bytes; `None` for no limit.

    The ref of a pushed answer is the `promised_ref` of its `PushPromise`. Responses that are not part of an
    answer (`Pong`, `PushPromise`, responses that a later version of mint may add) are ignored.

    """

    def __init__(self, *, max_size: int | None = MAX_SIZE) -> None:
        self._max_size = _checks.size("max_size", max_size)
        self._partial: dict[RequestRef, _Partial] = {}

    def feed(self, responses: Iterable[Response]) -> dict[RequestRef, Outcome]:
        """Add the responses that `recv` or `stream` returned, or `error.responses`.

        Returns the requests that have ended, by ref: each with its answer or its error.

        A request whose answer is too large ends with `ContentTooLarge` as soon as this is known, and the rest
        of the answer is ignored. Then cancel the request, or close the connection.
        """
        outcomes: dict[RequestRef, Outcome] = {}
        for response in responses:
            match response:
                case Data(ref=ref, data=data):
                    error = self._add(self._of(ref), data)
                    if error is not None:
                        outcomes[ref] = error
                case Done(ref=ref):
                    partial = self._partial.pop(ref, _Partial())
                    if not partial.too_large:
                        outcomes[ref] = partial.finished()
                case RequestFailed(ref=ref, error=failure):
                    partial = self._partial.pop(ref, _Partial())
                    if not partial.too_large:
                        outcomes[ref] = failure
                case _:
                    self._note(response)
        return outcomes

    def _note(self, response: Response) -> None:
        match response:
            case Status(ref=ref, status=status):
                self._of(ref).status = status
            case StatusReason(ref=ref, reason=reason):
                self._of(ref).reason = reason
            case Headers(ref=ref, headers=headers):
                self._of(ref).headers = headers
            case Informational(ref=ref):
                self._of(ref).interim.append(response)
            case Trailers(ref=ref, headers=headers):
                self._of(ref).trailers = headers
            case _:
                pass

    def status(self, ref: RequestRef) -> int:
        """Return the status of an answer that has begun and not ended; 0 if there is none yet."""
        partial = self._partial.get(ref)
        return 0 if partial is None else partial.status

    def forget(self, ref: RequestRef) -> None:
        """Discard an incomplete answer. Call this for a request that was cancelled."""
        self._partial.pop(ref, None)

    def _of(self, ref: RequestRef) -> _Partial:
        partial = self._partial.get(ref)
        if partial is None:
            partial = self._partial[ref] = _Partial()
        return partial

    def _add(self, partial: _Partial, data: bytes) -> ContentTooLarge | None:
        if partial.too_large:
            return None
        partial.size += len(data)
        if self._max_size is None or partial.size <= self._max_size:
            partial.pieces.append(data)
            return None
        partial.too_large = True
        partial.pieces.clear()
        return ContentTooLarge(self._max_size)
