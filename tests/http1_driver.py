"""Drives the HTTP/1 engine in tests: makes requests, feeds octets in any pieces, and merges the results."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mint._core.events import (
    Data,
    Done,
    Event,
    Failed,
    Headers,
    Informational,
    RequestRef,
    Status,
    Trailers,
)
from mint._core.http1 import Config, State
from mint.tolerance import bits_of
from tests.fault_shapes import check_faults

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mint._core.faults import Fault

HOST = "example.org"
AGENT = "mint/test"
HEAD = b"HTTP/1.1 200 OK\r\n"


def config(  # one parameter for each option that tests change
    *,
    hostname: str = HOST,
    port: int = 443,
    scheme: str = "https",
    identity: int = 7,
    user_agent: str = AGENT,
    case_sensitive_headers: bool = False,
    skip_target_validation: bool = False,
    lenient: bool = False,
    tolerance: int = 0,
    status_reason: bool = False,
    max_header_list_size: int = 262144,
    max_fields: int = 512,
    max_status_line: int = 8192,
    max_informational: int = 32,
    max_informational_size: int = 262144,
    max_trailer_size: int = 16384,
    max_trailer_fields: int = 64,
    max_chunk_line: int = 4096,
    max_pipelined: int = 100,
    forward_proxy: bool = False,
    proxy_headers: tuple[tuple[str, str], ...] = (),
    sensitive: frozenset[str] = frozenset(),
) -> Config:
    """Return a configuration with the defaults the tests use."""
    return Config(
        hostname=hostname,
        port=port,
        scheme=scheme,
        identity=identity,
        user_agent=user_agent,
        case_sensitive_headers=case_sensitive_headers,
        skip_target_validation=skip_target_validation,
        tolerance=bits_of(True) if lenient else tolerance,
        status_reason=status_reason,
        max_header_list_size=max_header_list_size,
        max_fields=max_fields,
        max_status_line=max_status_line,
        max_informational=max_informational,
        max_informational_size=max_informational_size,
        max_trailer_size=max_trailer_size,
        max_trailer_fields=max_trailer_fields,
        max_chunk_line=max_chunk_line,
        max_pipelined=max_pipelined,
        forward_proxy=forward_proxy,
        proxy_headers=proxy_headers,
        sensitive=sensitive,
    )


LENIENT = config(lenient=True)


@dataclass
class Outcome:
    """The result of a run: the responses with adjacent Data merged, the fault, the last state and its end."""

    state: State
    responses: list[Event] = field(default_factory=list)
    fault: Fault | None = None
    end: int = 0

    @property
    def reason(self) -> str | None:
        """The reason of the fault, if there was one."""
        return self.fault.reason if self.fault else None

    @property
    def kinds(self) -> list[str]:
        """The names of the responses' types."""
        return [type(response).__name__ for response in self.responses]

    @property
    def body(self) -> bytes:
        """All content."""
        return b"".join(r.data for r in self.responses if isinstance(r, Data))

    @property
    def status(self) -> int:
        """The status of the last final response."""
        return [r.status for r in self.responses if isinstance(r, Status)][-1]

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The header section of the last final response."""
        return [r.headers for r in self.responses if isinstance(r, Headers)][-1]

    @property
    def trailers(self) -> tuple[tuple[str, str], ...]:
        """The trailer section of the last response that has one."""
        return [r.headers for r in self.responses if isinstance(r, Trailers)][-1]

    @property
    def interim(self) -> list[int]:
        """The statuses of the interim responses."""
        return [r.status for r in self.responses if isinstance(r, Informational)]

    @property
    def done(self) -> list[int]:
        """The numbers of the requests that are complete."""
        return [r.ref.number for r in self.responses if isinstance(r, Done)]

    @property
    def failed(self) -> list[tuple[int, str, int]]:
        """Number, reason and processed of the requests that failed."""
        return [
            (r.ref.number, r.fault.reason, r.fault.processed) for r in self.responses if isinstance(r, Failed)
        ]


def merged(responses: Iterable[Event]) -> list[Event]:
    """Join adjacent pieces of content."""
    made: list[Event] = []
    for response in responses:
        last = made[-1] if made else None
        if isinstance(response, Data) and isinstance(last, Data) and last.ref == response.ref:
            made[-1] = Data(last.ref, last.data + response.data)
        else:
            made.append(response)
    return made


def play(state: State, pieces: Iterable[bytes], *, eof: bool | None = None) -> Outcome:
    """Feed the pieces, then the end of input if `eof` is given; stop at a fault."""
    outcome = Outcome(state)
    responses: list[Event] = []
    for piece in pieces:
        step = outcome.state.feed(piece)
        check_faults(step.fault, step.responses, {})
        responses += step.responses
        outcome.state, outcome.fault, outcome.end = step.state, step.fault, step.end
        if step.fault is not None:
            break
    if eof is not None and outcome.fault is None:
        step = outcome.state.feed_eof(eof)
        check_faults(step.fault, step.responses, {})
        responses += step.responses
        outcome.state, outcome.fault, outcome.end = step.state, step.fault, step.end
    outcome.responses = merged(responses)
    return outcome


def octets(data: bytes) -> list[bytes]:
    """Split into single octets."""
    return [data[i : i + 1] for i in range(len(data))]


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """Split octets at these offsets."""
    edges = [0, *sorted(places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def with_requests(
    *methods: str,
    options: Config | None = None,
    headers: Sequence[tuple[str, str]] = (),
    streaming: bool = False,
) -> State:
    """Return a state with one request open per method."""
    state = State(options or config())
    for method in methods or ("GET",):
        target = {"CONNECT": "far.example:443", "OPTIONS": "*"}.get(method, "/")
        step = state.request(method, target, headers, None, streaming)
        assert step.fault is None, step.fault
        state = step.state
    return state


def answer(  # all arguments of `asked` and `play`
    data: bytes,
    *methods: str,
    options: Config | None = None,
    headers: Sequence[tuple[str, str]] = (),
    eof: bool | None = None,
) -> Outcome:
    """Feed an answer to requests, both whole and octet by octet; the results must be the same."""
    state = with_requests(*methods, options=options, headers=headers)
    whole = play(state, [data], eof=eof)
    single = play(state, octets(data), eof=eof)
    assert single.responses == whole.responses
    assert same_fault(single.fault, whole.fault)
    assert single.state == whole.state
    return whole


def same_fault(one: Fault | None, two: Fault | None) -> bool:
    """Return whether two faults are equal; that for unexpected data may depend on how input is split."""
    if one is not None and two is not None and one.reason == two.reason == "unexpected_data":
        return True
    return one == two


def sent(
    method: str,
    target: str = "/",
    headers: Sequence[tuple[str, str]] = (),
    body: bytes | None = None,
    *,
    options: Config | None = None,
    streaming: bool = False,
) -> bytes:
    """Return the octets of a request."""
    parts = None if body is None else (body,)
    step = State(options or config()).request(method, target, headers, parts, streaming)
    assert step.fault is None, step.fault
    return b"".join(step.output)


def refused(
    method: str,
    target: str = "/",
    headers: Sequence[tuple[str, str]] = (),
    body: bytes | None = None,
    *,
    options: Config | None = None,
    streaming: bool = False,
) -> Fault:
    """Return the fault of a refused request; nothing is sent and the state is the same object."""
    state = State(options or config())
    parts = None if body is None else (body,)
    step = state.request(method, target, headers, parts, streaming)
    assert step.fault is not None
    assert step.fault.local
    assert step.output == ()
    assert step.ref is None
    assert step.state is state
    return step.fault


def given(ref: RequestRef | None) -> RequestRef:
    """Return the ref of a step that must have one."""
    assert ref is not None
    return ref
