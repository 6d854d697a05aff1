from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar, final

from typing_extensions import disjoint_base

from .events import RequestRef, Step
from .faults import Fault
from .messages import Source
from .values import Slots

_T = TypeVar("_T")
_R = TypeVar("_R")
_I = TypeVar("_I")
_L = TypeVar("_L")
_M = TypeVar("_M")

@final
class Mutex:
    def acquire(self, blocking: bool = True) -> bool: ...
    def release(self) -> None: ...

@disjoint_base
class Turns(Generic[_I, _L, _M]):
    generation: int
    @property
    def _guard(self) -> Mutex: ...
    @property
    def _wire(self) -> Mutex: ...
    home: int
    source: Source
    inbox: _I | None
    armed: bool
    wanted: bool
    _closed: bool
    plain: bool
    still: bool
    reads: bool
    windowed: bool
    @property
    def written(self) -> bool: ...
    _layers: tuple[_L, ...]
    _outbox: deque[bytes | memoryview[int]]
    _queued: int
    _arrived: deque[bytes]
    _held: int
    _ended: bool
    _failure: Exception | None
    shared: bool
    pushed: bool
    _paused: bool
    likely: bool
    _sequence: int
    _accepted: int
    _shutting: bool
    _write_failed: bool
    def begin_turn(self, generation: int) -> bool: ...
    def end_turn(self, moved: bool) -> int: ...
    def arrive(self, octets: bytes) -> None: ...
    @property
    def has_next(self) -> bool: ...
    def arm(self) -> None: ...
    def numbered(self) -> int: ...
    def take_message(self, inbox: _I) -> _M | None: ...

@final
class Quick(Generic[_R]):
    def __init__(self, slots: Slots, link: str, flushes: bool) -> None: ...
    def request(
        self,
        value: _T,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        body: tuple[bytes, ...] | None,
        streaming: bool,
        flush: bool,
    ) -> tuple[_T, RequestRef] | Fault | None: ...
    def commit(self, value: _T, made: Step[object]) -> _T | None: ...
    def remind(self, value: object) -> None: ...
    def recv(self, value: _T, until: float | None) -> tuple[_T, list[_R]] | None: ...
    def stream(self, value: _T, message: object) -> tuple[_T, list[_R]] | None: ...
    def take(self, value: _T, data: bytes, responses: list[_R]) -> _T | None: ...
