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
    """Return fields as `repr` may show them: what is secret is left out (R35)."""

@final
class Course:
    """How the compiled transactions call the verbs of one protocol's states, without looking them up."""

@final
@dataclass(frozen=True, slots=True, eq=False)
class RequestRef:
    """Names one request (or ping, or push) of one connection; equal only to itself.

    `connection` is the identity of the connection (64 bits, random unless given), `number` the
    request within it. Neither carries meaning for the caller.
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
    """An interim response (1xx but 101): zero or more come before the final one. RFC 9110 15.2."""
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
    """The status of the final response: 101, or 200 to 999; a client takes what is above 599 for a 5xx.

    RFC 9110 15.
    """
    ref: RequestRef
    status: int
    def __reduce__(self) -> tuple[type[Status], tuple[RequestRef, int]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class StatusReason:
    """The reason phrase of an HTTP/1 status line, maybe empty; comes on request (`optional_responses`)."""
    ref: RequestRef
    reason: str
    def __reduce__(self) -> tuple[type[StatusReason], tuple[RequestRef, str]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Headers:
    """The header section of the final response: pairs in order, names in lower case."""
    ref: RequestRef
    headers: tuple[tuple[str, str], ...]
    def __reduce__(
        self,
    ) -> tuple[type[Headers], tuple[RequestRef, tuple[tuple[str, str], ...]]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Data:
    """A piece of the content, or of what a tunnel carries; never empty."""
    ref: RequestRef
    data: bytes
    def __reduce__(self) -> tuple[type[Data], tuple[RequestRef, bytes]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Trailers:
    """The trailer section, without the fields that may not stand there. RFC 9110 6.5."""
    ref: RequestRef
    headers: tuple[tuple[str, str], ...]
    def __reduce__(
        self,
    ) -> tuple[type[Trailers], tuple[RequestRef, tuple[tuple[str, str], ...]]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Done:
    """The response is complete; for a tunnel, its incoming direction is."""
    ref: RequestRef
    def __reduce__(self) -> tuple[type[Done], tuple[RequestRef]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Failed:
    """This request failed; the facade turns it into `RequestFailed`."""
    ref: RequestRef
    fault: Fault
    def __reduce__(self) -> tuple[type[Failed], tuple[RequestRef, Fault]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a ping, under the ref that `ping` returned. RFC 9113 6.7."""
    ref: RequestRef
    def __reduce__(self) -> tuple[type[Pong], tuple[RequestRef]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class PushPromise:
    """The server will answer a request that was not sent: its responses come under `promised_ref`.

    `ref` is the request that made it do so, `headers` are those of the promised request, with `:method`,
    `:scheme`, `:authority` and `:path` among them. RFC 9113 8.4.
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
    """The server says for which origins this connection may be used (the ORIGIN frame, RFC 8336).

    `origins` are those of one frame, in lower case, such as `"https://example.org"`: the origin set is the
    connection's own origin and what all frames so far named. What is no origin was left out. It has no ref
    and comes on request (`HTTP2Options.optional_responses`).
    """
    origins: tuple[str, ...]
    def __reduce__(self) -> tuple[type[Origins], tuple[tuple[str, ...]]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class AltSvc:
    """The server names alternative services (the ALTSVC frame, RFC 7838 4).

    `value` is what the `alt-svc` field would hold; `mint.alternatives` parses it. `origin` is the origin that
    it is about, in lower case; where it is `None`, that is the origin of `request`, on whose stream the frame
    came. It has no ref and comes on request (`HTTP2Options.optional_responses`).
    """
    value: str
    origin: str | None = None
    request: RequestRef | None = None
    def __reduce__(self) -> tuple[type[AltSvc], tuple[str, str | None, RequestRef | None]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class GoAway:
    """The server takes no more requests (the GOAWAY frame, RFC 9113 6.8).

    It has acted on no request whose `ref.number` is above `last_stream`; their `RequestFailed` follow. `code`
    is the error code, `error` its name, and `debug` what the server adds, which `repr` does not show. It has
    no ref and comes on request (`HTTP2Options.optional_responses`), once for each frame.
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
    """The server's settings have changed, or arrived (the SETTINGS frame, RFC 9113 6.5).

    `settings` are the pairs of one frame in their order: the name as in `HTTP2.get_server_setting`, or the
    number of a setting that mint does not know (`"0x1a1a"`), and the value as it was sent. They are in force.
    It has no ref and comes on request (`HTTP2Options.optional_responses`).
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
    """What one engine call gives: the successor, responses, octets to write, and how to go on.

    It holds values, and the list that the caller gets: it is in no cycle, so the collector need not track it.
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
        """The responses, where the step has nothing else and none of them failed; None otherwise."""
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
        """Return the same step with another successor: a state that stands for it."""
