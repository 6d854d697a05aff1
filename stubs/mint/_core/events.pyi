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

def shown(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]: ...

@final
@dataclass(frozen=True, slots=True, eq=False)
class RequestRef:
    connection: int
    number: int
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[type[RequestRef], tuple[int, int]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Informational:
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
    ref: RequestRef
    status: int
    def __reduce__(self) -> tuple[type[Status], tuple[RequestRef, int]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class StatusReason:
    ref: RequestRef
    reason: str
    def __reduce__(self) -> tuple[type[StatusReason], tuple[RequestRef, str]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Headers:
    ref: RequestRef
    headers: tuple[tuple[str, str], ...]
    def __reduce__(
        self,
    ) -> tuple[type[Headers], tuple[RequestRef, tuple[tuple[str, str], ...]]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Data:
    ref: RequestRef
    data: bytes
    def __reduce__(self) -> tuple[type[Data], tuple[RequestRef, bytes]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Trailers:
    ref: RequestRef
    headers: tuple[tuple[str, str], ...]
    def __reduce__(
        self,
    ) -> tuple[type[Trailers], tuple[RequestRef, tuple[tuple[str, str], ...]]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Done:
    ref: RequestRef
    def __reduce__(self) -> tuple[type[Done], tuple[RequestRef]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Failed:
    ref: RequestRef
    fault: Fault
    def __reduce__(self) -> tuple[type[Failed], tuple[RequestRef, Fault]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Pong:
    ref: RequestRef
    def __reduce__(self) -> tuple[type[Pong], tuple[RequestRef]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class PushPromise:
    ref: RequestRef
    promised_ref: RequestRef
    headers: tuple[tuple[str, str], ...]
    def __reduce__(
        self,
    ) -> tuple[type[PushPromise], tuple[RequestRef, RequestRef, tuple[tuple[str, str], ...]]]: ...
    def __replace__(self, **changes: object) -> Self: ...

@final
@dataclass(frozen=True, slots=True)
class Note:
    outgoing: bool
    text: str
    def __reduce__(self) -> tuple[type[Note], tuple[bool, str]]: ...
    def __replace__(self, **changes: object) -> Self: ...

Plain = Informational | Status | StatusReason | Headers | Data | Trailers | Done | Pong | PushPromise
Event = Informational | Status | StatusReason | Headers | Data | Trailers | Done | Failed | Pong | PushPromise

@final
class Step(Generic[_S_co]):
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
    def plain(self) -> list[Plain] | None: ...
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
    def leading_to(self, state: _T) -> Step[_T]: ...
