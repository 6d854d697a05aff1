"""Repeat what honest servers do, many times: none of these behaviours may ever end a connection.

    python ci/honest.py [COUNT [NAME...]]       # COUNT of each: 20 000, or ten million for a release

Each behaviour is a generator of successive engine states, in memory. If its pace matters, the time is an
input. The budgets are in `ci/budgets.py`. `tests/advisories` tests what attackers do, and which limit stops
them.
"""

from __future__ import annotations

import struct
import sys
import time
from itertools import count
from typing import TYPE_CHECKING

from mint._core.http2 import Config, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mint._core.events import RequestRef, Step

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = range(5)
PING, GOAWAY, WINDOW_UPDATE = 6, 7, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1
OK, PROCESSING = b"\x88", b"\x08\x03102"
MOST = 2**31 - 1


class Ended(Exception):  # noqa: N818  # what must not happen
    """An honest behaviour ended the connection, or a request of it."""


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return one frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def credit(stream: int, octets: int) -> bytes:
    """Return a WINDOW_UPDATE."""
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", octets))


def setting(*pairs: tuple[int, int]) -> bytes:
    """Return SETTINGS."""
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def start(*pairs: tuple[int, int]) -> State:
    """Return a connection whose SETTINGS were exchanged."""
    config = Config("example.org", port=443, scheme="https", identity=7, user_agent="")
    state = State.open(config).state
    return state.feed(setting(*pairs) + frame(SETTINGS, ACK, 0)).state.left(0)


def good(step: Step[State]) -> State:
    """Return the successor of a step; raise `Ended` if it has a fault or closes."""
    if step.fault is not None or step.end:
        raise Ended(step.fault)
    return step.state


def send_request(state: State, method: str = "GET", *, streaming: bool = False) -> tuple[State, RequestRef]:
    """Send a request."""
    step = state.request(method, "/", (), None, streaming)
    if step.ref is None:
        raise Ended(step.fault)
    return step.state, step.ref


def repeated(octets: bytes, *, answered: bool = False, pace: int = 1_000) -> Iterator[State]:
    """Receive the same octets again and again while a response is open, once in so many milliseconds."""
    state, _ = send_request(start())
    state = good(state.feed(frame(HEADERS, END_HEADERS, 1, OK)))
    for now in count(0, pace):
        state = good(state.at(now).feed(octets))
        yield state
        if answered:
            state = state.left(0)


def events() -> Iterator[State]:
    """Send small events, each with a little credit that the client does not need, PINGs and priorities."""
    state, _ = send_request(start())
    state = good(state.feed(frame(HEADERS, END_HEADERS, 1, OK)))
    octets = frame(DATA, 0, 1, b"event") + credit(0, 1) + frame(DATA, 0, 1) + frame(PRIORITY, 0, 1, bytes(5))
    for now in count(0, 100):
        state = good(state.at(now).feed(octets))
        yield state


def upload(step: int) -> Iterator[State]:
    """Send an upload; the server credits every few octets, for the stream and for the connection."""
    state, ref = send_request(start(), "POST", streaming=True)
    piece = bytes(step)
    octets = credit(0, step) + credit(1, step)
    for now in count():
        state = good(state.stream_body(ref, piece))
        state = good(state.at(now // 100).feed(octets))
        yield state


def busy_upload() -> Iterator[State]:
    """Send an upload that always has octets queued; the server sends a PING for each megabyte."""
    state, ref = send_request(start((4, MOST)), "POST", streaming=True)
    state = good(state.feed(credit(0, MOST - 65_535)))
    size = 16_384
    piece = bytes(size)
    ping = frame(PING, 0, 0, bytes(8)) + credit(0, 64 * size) + credit(1, 64 * size)
    for now in count():
        for _ in range(64):
            state = good(state.stream_body(ref, piece))
        # The last two megabytes have not been written yet, but the answers before them have.
        state = good(state.at(now).feed(ping)).left(128 * size)
        yield state


def early_answers() -> Iterator[State]:
    """Send uploads that are answered before they end; the server adds RST_STREAM, NO_ERROR (RFC 9113 8.1)."""
    state = start()
    for now in count():
        state, ref = send_request(state.at(now), "POST", streaming=True)
        answer = frame(HEADERS, END_HEADERS | END_STREAM, ref.number, OK)
        state = good(state.feed(answer + frame(RST_STREAM, 0, ref.number, bytes(4))))
        yield state


def small_answers() -> Iterator[State]:
    """Receive small responses, each followed by RST_STREAM, NO_ERROR."""
    state = start()
    for now in count():
        state, ref = send_request(state.at(now))
        answer = frame(HEADERS, END_HEADERS | END_STREAM, ref.number, OK)
        state = good(state.feed(answer + frame(RST_STREAM, 0, ref.number, bytes(4))))
        yield state


def cancelled() -> Iterator[State]:
    """Send requests that the caller cancels while their responses are under way."""
    state = start()
    late: list[bytes] = []
    for now in count():
        state, ref = send_request(state.at(now // 100))
        state = good(state.cancel(ref))
        number = ref.number
        late.append(
            frame(HEADERS, END_HEADERS, number, OK)
            + frame(DATA, 0, number, b"x" * 50)
            + credit(number, 1)
            + frame(DATA, 0, number)
            + frame(DATA, END_STREAM, number, b"late")
        )
        if len(late) == 2_000:  # more than are remembered
            state = good(state.feed(b"".join(late))).left(0)
            late = []
        yield state


def progress() -> Iterator[State]:
    """Send one request and receive a 102 every ten seconds (RFC 2518 10.1)."""
    state, _ = send_request(start())
    octets = frame(HEADERS, END_HEADERS, 1, PROCESSING)
    for now in count(0, 10_000):
        step = state.at(now).feed(octets)
        if not step.responses or type(step.responses[0]).__name__ != "Informational":
            raise Ended(step.responses)
        state = good(step)
        yield state


def overloaded(code: int) -> Iterator[State]:
    """Send requests that the server resets; no time passes between them."""
    state = start()
    while True:
        state, ref = send_request(state)
        state = good(state.feed(frame(RST_STREAM, 0, ref.number, struct.pack(">I", code))))
        yield state


PINGED = frame(PING, 0, 0, b"keepaliv")
BEHAVIOURS: dict[str, Callable[[], Iterator[State]]] = {
    "a PING in each read": lambda: repeated(PINGED, answered=True),
    "two PINGs in each read": lambda: repeated(2 * PINGED, answered=True),
    "five PINGs in each read": lambda: repeated(5 * PINGED, answered=True),
    "empty DATA as a heartbeat": lambda: repeated(frame(DATA, 0, 1), pace=100),
    "padded empty DATA": lambda: repeated(frame(DATA, 8, 1, b"\0"), pace=100),
    "frames of unknown types": lambda: repeated(frame(0x2A, 0, 0, b"grease!"), pace=100),
    "PRIORITY": lambda: repeated(frame(PRIORITY, 0, 3, bytes(5)), pace=100),
    "events with credit beside them": events,
    "SETTINGS every minute": lambda: repeated(setting((3, 100), (4, 65_535)), answered=True, pace=60_000),
    "credit for each 512 octets": lambda: upload(512),
    "credit for each octet of a small window": lambda: upload(1),
    "a PING for each megabyte of a busy upload": busy_upload,
    "early answers with RST_STREAM": early_answers,
    "small answers with RST_STREAM": small_answers,
    "cancelled with frames in flight": cancelled,
    "102 every ten seconds": progress,
    "REFUSED_STREAM for every request": lambda: overloaded(7),
    "INTERNAL_ERROR for every request": lambda: overloaded(2),
}


def run(name: str, most: int) -> None:
    """Run a behaviour for so many events; raise `Ended` if it ends a connection."""
    for done, _ in enumerate(BEHAVIOURS[name](), 1):
        if done >= most:
            return


def main(arguments: list[str]) -> int:
    """Run all, or those named."""
    most = int(arguments[0].replace("_", "")) if arguments else 20_000
    failed = 0
    for name in arguments[1:] or BEHAVIOURS:
        begun = time.perf_counter()
        # A busy upload moves a megabyte for each event.
        times = max(1, most // 64) if name.endswith("busy upload") else most
        try:
            run(name, times)
            print(f"{name}: {times} and open ({time.perf_counter() - begun:.1f} s)", flush=True)
        except Ended as error:
            failed = 1
            print(f"{name}: ENDED: {error}", flush=True)
    return failed


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
