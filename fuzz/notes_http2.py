"""The notes of a conversation: streams from the server's point of view, limits, events, replies."""

from __future__ import annotations

from dataclasses import dataclass, field

from extensions_http2 import seen_of
from frames_http2 import ACK, GOAWAY, PING, RST_STREAM, SETTINGS, Frame
from mint._core.events import (
    AltSvc,
    Data,
    Done,
    Event,
    Failed,
    GoAway,
    Headers,
    Informational,
    Origins,
    Pong,
    PushPromise,
    ServerSettings,
    Status,
    Trailers,
)
from support import Choices, check, documented

Fields = list[tuple[str, str]]
Seen = tuple[str, int, object]


@dataclass
class Stream:
    """A stream from the server's point of view."""

    id: int
    method: str = "GET"
    client_open: bool = False
    was_streaming: bool = False
    spoke: bool = False  # the client has sent content, or its end after the head
    server_open: bool = True
    head: bool = False
    live: bool = True  # neither ended on both sides nor reset
    finished: bool = False  # ended on both sides, and not reset
    outcome_seen: bool = False  # the caller got Done or Failed, or cancelled it
    left: int | None = None  # octets of content that the response still owes
    interims: int = 0
    interim_size: int = 0
    tunnel: bool = False
    held: bool = False
    promised: bool = False
    up: int = 0  # octets that the client may send
    extra: int = 0  # octets by which its receive window is larger than the initial one
    received: int = 0
    credited: int = 0
    marks: set[int] = field(default_factory=set)  # sums of octets received at the ends of frames
    declared: int | None = None  # octets of content that the request still owes


@dataclass(frozen=True)
class Options:
    """The limits of the connection."""

    push: bool
    window: int
    threshold: int
    connection_window: int
    max_fields: int
    max_list: int
    max_block: int
    max_continuations: int
    max_informational: int
    max_informational_size: int
    max_trailer_fields: int
    max_trailer_size: int
    max_settings: int
    first_stream: int = 1
    events: int = 0
    max_reserved: int = 100
    max_pushes: int = 100
    max_remembered: int = 1_024


def options(choices: Choices) -> Options:
    """Return options; most limits are small, so that a short conversation reaches them."""
    small = choices.chance(75)
    return Options(
        push=choices.chance(35),
        window=choices.pick((0, 60, 100, 1_000, 65_535, 4_194_304)) if small else 65_535,
        threshold=choices.pick((1, 10, 50, 160_000)) if small else 160_000,
        connection_window=choices.pick((65_535, 66_000, 70_000)),
        max_fields=choices.between(3, 9) if small else 512,
        max_list=choices.between(200, 500) if small else 262_144,
        max_block=choices.between(60, 400) if small else 262_144,
        max_continuations=choices.between(1, 3) if small else 16,
        max_informational=choices.between(1, 3) if small else 32,
        max_informational_size=choices.between(60, 300) if small else 262_144,
        max_trailer_fields=choices.between(1, 4) if small else 64,
        max_trailer_size=choices.between(40, 200) if small else 16_384,
        max_settings=choices.pick((10, 12, 32)),
        first_stream=choices.pick((1, 1, 1, 1, 3, 2**31 - 5)),
        events=choices.pick((0, 15, choices.below(16))),
        max_reserved=choices.between(1, 3) if small else 100,
        max_pushes=choices.pick((0, 1, 2, 3, 100)),
        max_remembered=choices.pick((0, 1, 2, 1_024, 1_024, 1_024)),
    )


def size_of(fields: Fields) -> int:
    """Return the size of a field section as RFC 9113 6.5.2 counts it."""
    return sum(len(name.encode("latin-1")) + len(value.encode("latin-1")) + 32 for name, value in fields)


def shown(events: list[Event]) -> list[Seen]:
    """Return events in the form in which the server notes them."""
    made: list[Seen] = []
    for event in events:
        if isinstance(event, Origins | AltSvc | GoAway | ServerSettings):
            made.append(seen_of(event))
            continue
        at = event.ref.number
        match event:
            case Status(status=status):
                made.append(("status", at, status))
            case Informational(status=status, headers=headers):
                made.append(("interim", at, (status, headers)))
            case Headers(headers=headers):
                made.append(("headers", at, headers))
            case Trailers(headers=headers):
                made.append(("trailers", at, headers))
            case Data(data=octets):
                made.append(("data", at, octets))
            case Done():
                made.append(("done", at, None))
            case Failed(fault=fault):
                documented(fault)
                made.append(("failed", at, (fault.reason, fault.processed)))
            case Pong():
                made.append(("pong", at, None))
            case PushPromise(promised_ref=promised, headers=headers):
                made.append(("promise", at, (promised.number, headers)))
            case _:
                check(False, "an event that HTTP/2 does not have", event)
    return made


def reply(one: Frame) -> tuple[str, int, object]:
    """Return a frame of the client in the form in which the server notes it."""
    if one.kind == SETTINGS and one.flags & ACK:
        return ("settings-ack", one.stream, one.payload)
    if one.kind == PING and one.flags & ACK:
        return ("ping-ack", one.stream, one.payload)
    if one.kind == RST_STREAM:
        return ("rst", one.stream, one.number)
    if one.kind == GOAWAY:
        check(one.stream == 0 and len(one.payload) >= 8, "a wrong GOAWAY", one)
        return ("goaway", one.number, int.from_bytes(one.payload[4:8], "big"))
    return (str(one.kind), one.stream, one.payload)
