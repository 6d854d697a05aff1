from dataclasses import dataclass
from typing import Generic, Self, TypeVar, final

from .faults import Fault

_S_co = TypeVar("_S_co", covariant=True)
_T = TypeVar("_T")

# What the compiled modules offer each other.
__pyx_capi__: dict[str, object]

KEEP: int
SHUT_WRITE: int
CLOSE: int

def shown(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return fields as `repr` may show them, with the values of secret fields redacted."""

@final
class StateMethods:
    """C functions by which the fast path calls the methods of one protocol's states, without a lookup."""

@final
@dataclass(frozen=True, slots=True, eq=False)
class RequestRef:
    """Identifies one request, ping or push of one connection. Refs are equal if both attributes are.

    `connection` is the identity of the connection (64 bits, random unless given) and `number` identifies the
    request within it. Callers should not interpret either.
    """
    connection: int
    number: int
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[type[RequestRef], tuple[int, int]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Informational:
    """An interim response (1xx except 101); any number may precede the final response. RFC 9110 15.2."""
    ref: RequestRef
    status: int
    headers: tuple[tuple[str, str], ...]
    def __reduce__(
        self,
    ) -> tuple[type[Informational], tuple[RequestRef, int, tuple[tuple[str, str], ...]]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Status:
    """The status of the final response: 101, or 200 to 999.

    A client treats a status above 599 as a 5xx status. RFC 9110 15.
    """
    ref: RequestRef
    status: int
    def __reduce__(self) -> tuple[type[Status], tuple[RequestRef, int]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class StatusReason:
    """The reason phrase of an HTTP/1 status line, possibly empty; only if `optional_responses` enables it."""
    ref: RequestRef
    reason: str
    def __reduce__(self) -> tuple[type[StatusReason], tuple[RequestRef, str]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Headers:
    """The header section of the final response: (name, value) pairs in order, names in lower case."""
    ref: RequestRef
    headers: tuple[tuple[str, str], ...]
    def __reduce__(
        self,
    ) -> tuple[type[Headers], tuple[RequestRef, tuple[tuple[str, str], ...]]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Data:
    """A piece of the content, or octets from a tunnel; never empty."""
    ref: RequestRef
    data: bytes
    def __reduce__(self) -> tuple[type[Data], tuple[RequestRef, bytes]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Trailers:
    """The trailer section, without the fields that are not allowed in trailers. RFC 9110 6.5."""
    ref: RequestRef
    headers: tuple[tuple[str, str], ...]
    def __reduce__(
        self,
    ) -> tuple[type[Trailers], tuple[RequestRef, tuple[tuple[str, str], ...]]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Done:
    """The response is complete; for a tunnel, the server has ended its direction."""
    ref: RequestRef
    def __reduce__(self) -> tuple[type[Done], tuple[RequestRef]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Failed:
    """This request failed; the connection classes make a `RequestFailed` of it."""
    ref: RequestRef
    fault: Fault
    def __reduce__(self) -> tuple[type[Failed], tuple[RequestRef, Fault]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Pong:
    """The reply to a ping, with the ref that `ping` returned. RFC 9113 6.7."""
    ref: RequestRef
    def __reduce__(self) -> tuple[type[Pong], tuple[RequestRef]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class PushPromise:
    """The server promises to push a response: its responses will have the ref `promised_ref`.

    `ref` is the request that the push belongs to. `headers` are the fields of the promised request, including
    `:method`, `:scheme`, `:authority` and `:path`. RFC 9113 8.4.
    """
    ref: RequestRef
    promised_ref: RequestRef
    headers: tuple[tuple[str, str], ...]
    def __reduce__(
        self,
    ) -> tuple[type[PushPromise], tuple[RequestRef, RequestRef, tuple[tuple[str, str], ...]]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Origins:
    """The server lists origins that this connection may be used for (the ORIGIN frame, RFC 8336).

    `origins` are the origins in one frame, in lower case, such as `"https://example.org"`; entries that are
    not origins are left out. The origin set is the connection's own origin and those of all frames so far.
    This response has no ref, and is returned only if `HTTP2Options.optional_responses` enables it.
    """
    origins: tuple[str, ...]
    def __reduce__(self) -> tuple[type[Origins], tuple[tuple[str, ...]]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class AltSvc:
    """The server advertises alternative services (the ALTSVC frame, RFC 7838 4).

    `value` has the syntax of the `alt-svc` field; `mint.alternatives` parses it. `origin` is the origin it
    applies to, in lower case. If `origin` is `None`, the frame came on the stream of `request` and applies to
    the origin of that request. This response has no ref, and is returned only if
    `HTTP2Options.optional_responses` enables it.
    """
    value: str
    origin: str | None = None
    request: RequestRef | None = None
    def __reduce__(self) -> tuple[type[AltSvc], tuple[str, str | None, RequestRef | None]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class GoAway:
    """The server accepts no more requests (the GOAWAY frame, RFC 9113 6.8).

    It has not acted on the requests whose `ref.number` is above `last_stream`; a `RequestFailed` follows for
    each of them. `code` is the error code, `error` is its name, and `debug` is the debug data of the server,
    which `repr` does not show. This response has no ref, and is returned once for each frame, only if
    `HTTP2Options.optional_responses` enables it.
    """
    last_stream: int
    code: int
    error: str
    debug: bytes
    def __reduce__(self) -> tuple[type[GoAway], tuple[int, int, str, bytes]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The server has sent its settings or changed them (the SETTINGS frame, RFC 9113 6.5).

    `settings` are the (name, value) pairs of one frame, in order. A name is one that
    `HTTP2.get_server_setting` accepts, or the number of a setting that mint does not know (`"0x1a1a"`). A
    value is the one the server sent; it is in effect already. This response has no ref, and is returned only
    if `HTTP2Options.optional_responses` enables it.
    """
    settings: tuple[tuple[str, int], ...]
    def __reduce__(self) -> tuple[type[ServerSettings], tuple[tuple[tuple[str, int], ...]]]: ...
    def __replace__(self, **changes: object) -> Self: ...

EVENTS: dict[str, int]

@final
@dataclass(frozen=True, slots=True)
class Note:
    """One line about a frame or a message head, for logs and transcripts; secrets are redacted."""
    outgoing: bool
    text: str
    def __reduce__(self) -> tuple[type[Note], tuple[bool, str]]: ...
    def __replace__(self, **changes: object) -> Self: ...

Plain = (
    Informational
    | Status
    | StatusReason
    | Headers
    | Data
    | Trailers
    | Done
    | Pong
    | PushPromise
    | Origins
    | AltSvc
    | GoAway
    | ServerSettings
)
Event = Plain | Failed

@final
class Step(Generic[_S_co]):
    """The result of one engine call: the successor, responses, octets to write, and what happens to the link.

    It holds only values and the list that the caller gets, so it cannot be part of a reference cycle, and the
    garbage collector does not track it.
    """
    def __init__(
        self,
        state: _S_co,
        responses: list[Event],
        output: tuple[bytes, ...],
        fault: Fault | None,
        ref: RequestRef | None,
        end: int,
        notes: tuple[Note, ...],
    ) -> None: ...
    @property
    def state(self) -> _S_co: ...
    @property
    def responses(self) -> list[Event]: ...
    @property
    def plain(self) -> list[Plain] | None:
        """The responses, if the step has nothing else and none of them is a failure; otherwise None."""
    @property
    def output(self) -> tuple[bytes, ...]: ...
    @property
    def fault(self) -> Fault | None: ...
    @property
    def cause(self) -> Fault | None: ...
    @property
    def timed(self) -> bool: ...
    @property
    def ref(self) -> RequestRef | None: ...
    @property
    def alone(self) -> bool: ...
    @property
    def end(self) -> int: ...
    @property
    def notes(self) -> tuple[Note, ...]: ...
    def leading_to(self, state: _T) -> Step[_T]:
        """Return the same step with another successor, a stand-in for the state."""
