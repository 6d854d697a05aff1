"""The behaviours of peers: how the origins of the scenario table handle a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .record import DONE, FAILED
from .scripts import Act, Head, Incoming, Pause, Piece, Script, content

if TYPE_CHECKING:
    from .scripts import Behaviour

SIZES = (5, 0, 1, 3_000, 20_000, 70_000)


def size_of(request: Incoming) -> int:
    """Return how large a response is."""
    return SIZES[request.record.kernel.choices.below(len(SIZES))]


def pieces(request: Incoming, octets: bytes) -> Script:
    """Send content in a few pieces, with pauses here and there."""
    choices = request.record.kernel.choices
    at = 0
    while at < len(octets):
        count = choices.amount(len(octets) - at)
        if len(octets) > 100 and count < 50:
            count = 50
        yield Piece(octets[at : at + count])
        at += count
        if choices.rarely(6):
            yield Pause(0.05)


def drained(request: Incoming, *, promised: bool = True) -> Script:
    """Read the content of the request; if `promised`, all of it must arrive."""
    if promised:
        request.record.readers.add(request.number)
    while (yield Act.READ):
        pass


def answers(request: Incoming) -> Script:
    """Read the request, answer it."""
    yield from drained(request)
    body = content(request.number, size_of(request))
    request.record.expect(request.number, 200, body)
    if request.record.kernel.choices.rarely(4):
        yield Pause(0.2)
    yield Head(200, None if request.record.kernel.choices.below(2) else len(body))
    yield from pieces(request, body)
    yield Act.END


def stalls(request: Incoming) -> Script:
    """Read the request with a long pause in between, answer half, pause, answer the rest."""
    choices = request.record.kernel.choices
    if (yield Act.READ) and choices.below(2):
        yield Pause(5.0)
    yield from drained(request)
    body = content(request.number, 50 + size_of(request))
    request.record.expect(request.number, 200, body)
    if choices.below(2):
        yield Pause(5.0)
    yield Head(200, len(body))
    yield Piece(body[:25])
    yield Pause(5.0)
    yield from pieces(request, body[25:])
    yield Act.END


def half_closes(request: Incoming) -> Script:
    """Answer with content that ends when the connection is closed."""
    yield from drained(request)
    body = content(request.number, size_of(request))
    request.record.expect(request.number, 200, body)
    yield Head(200, until_close=True)
    yield from pieces(request, body)
    yield Act.END


def resets(request: Incoming) -> Script:
    """Break the connection in the middle of the answer, or before it."""
    choices = request.record.kernel.choices
    if choices.below(2):
        yield from drained(request)
    body = content(request.number, 50 + size_of(request))
    request.record.expect(request.number, 200, body, FAILED)
    if choices.below(4):
        yield Head(200, len(body))
        yield from pieces(request, body[: choices.below(len(body))])
    if choices.below(2):
        yield Pause(0.1)
    yield Act.RESET


def floods(request: Incoming) -> Script:
    """Send interim responses, and the first octets of the content one by one."""
    yield from drained(request)
    body = content(request.number, 150_000)
    request.record.expect(request.number, 200, body)
    for _ in range(request.record.kernel.choices.below(20)):
        yield Head(103)
    yield Head(200)
    for at in range(60):
        yield Piece(body[at : at + 1])
    yield Piece(body[60:])
    yield Act.END


def answers_early(request: Incoming) -> Script:
    """Refuse the request before it is read; its content is drained, or the connection closed."""
    choices = request.record.kernel.choices
    body = content(request.number, 50 + size_of(request))
    if choices.below(2):
        yield Act.READ
    kind = choices.below(3)
    if kind == 0:
        request.record.expect(request.number, 413, body)
        yield Head(413, len(body))
        yield from pieces(request, body)
        yield from drained(request)
        yield Act.END
    elif kind == 1:
        # RFC 9112 9.6: half-close, continue to read for a while, then close.
        request.record.expect(request.number, 413, body, DONE, FAILED)
        yield Head(413, until_close=True)
        yield from pieces(request, body)
        yield Act.FINISH
        if choices.below(2):
            yield from drained(request, promised=False)  # the connection ends with the response
        yield Pause(1.0)
        yield Act.CLOSE
    else:
        request.record.expect(request.number, 413, body, DONE, FAILED)
        yield Head(413, until_close=True)
        yield from pieces(request, body)
        yield Act.CLOSE


def cuts(request: Incoming) -> Script:
    """End the connection in the middle of an answer, without close_notify."""
    yield from drained(request)
    body = content(request.number, 50 + size_of(request))
    request.record.expect(request.number, 200, body, FAILED)
    yield Head(200, len(body))
    yield from pieces(request, body[:-1])
    yield Act.CUT


def echoes(request: Incoming) -> Script:
    """Echo the content as it arrives."""
    body = request.record.exchanges[request.number].body
    request.record.expect(request.number, 200, body)
    yield Head(200)
    request.record.readers.add(request.number)
    while octets := (yield Act.READ):
        yield Piece(octets)
    yield Act.END


def echoes_late(request: Incoming) -> Script:
    """Echo the content, with pauses."""
    body = request.record.exchanges[request.number].body
    request.record.expect(request.number, 200, body)
    if request.record.kernel.choices.below(2):
        yield Pause(5.0)
    yield Head(200)
    left = 3
    request.record.readers.add(request.number)
    while octets := (yield Act.READ):
        yield Piece(octets)
        if left:
            left -= 1
            yield Pause(1.0)
    yield Act.END


def echoes_some(end: Act) -> Behaviour:
    """Return a behaviour that echoes a part of the content, and then ends the connection by this action."""

    def behave(request: Incoming) -> Script:
        choices = request.record.kernel.choices
        body = request.record.exchanges[request.number].body
        request.record.expect(request.number, 200, body, FAILED)
        yield Head(200, len(body) + 1)
        yield from some(request)
        yield end
        if choices.below(2):
            yield Pause(1.0)
        yield Act.CLOSE

    return behave


def some(request: Incoming) -> Script:
    """Echo a few pieces."""
    for _ in range(request.record.kernel.choices.below(4)):
        octets = yield Act.READ
        if not octets:
            break
        yield Piece(octets)


# Inside tunnels, the data has no end other than that of the tunnel.


def tunnels(request: Incoming) -> Script:
    """Open the tunnel, echo everything until the client ends, then end."""
    request.record.expect(request.number, opened(request), request.record.exchanges[request.number].body)
    yield Head(opened(request))
    request.record.readers.add(request.number)
    while octets := (yield Act.READ):
        yield Piece(octets)
    yield Act.FINISH


def tunnels_late(request: Incoming) -> Script:
    """Open the tunnel and echo everything, with pauses."""
    request.record.expect(request.number, opened(request), request.record.exchanges[request.number].body)
    if request.record.kernel.choices.below(2):
        yield Pause(5.0)
    yield Head(opened(request))
    left = 3
    request.record.readers.add(request.number)
    while octets := (yield Act.READ):
        yield Piece(octets)
        if left:
            left -= 1
            yield Pause(1.0)
    yield Act.FINISH


def tunnels_some(end: Act) -> Behaviour:
    """Return a behaviour that echoes some data, and ends the tunnel by this action before the client does."""

    def behave(request: Incoming) -> Script:
        choices = request.record.kernel.choices
        body = request.record.exchanges[request.number].body
        truncated = end is Act.RESET or (
            end is Act.CUT and ("TLS" in request.record.route or request.record.route == "HTTP/2")
        )
        request.record.expect(
            request.number, opened(request), body, *((FAILED,) if truncated else (DONE, FAILED)), whole=False
        )
        yield Head(opened(request))
        yield from some(request)
        yield end
        kind = choices.below(3)
        if kind == 0:
            if end is Act.FINISH and request.record.route != "TLS in TLS":
                # Nothing arrives afterwards that would cause a reset and destroy what was sent. Over TLS in
                # TLS, the outer close_notify may arrive after the inner one, which ends the content.
                request.record.expect(request.number, opened(request), body, DONE, whole=False)
            yield from drained(request)
        elif kind == 1:
            yield Pause(1.0)
        yield Act.CLOSE

    return behave


def tunnels_much(request: Incoming) -> Script:
    """Send a lot before reading anything."""
    body = content(request.number, 150_000)
    request.record.expect(request.number, opened(request), body)
    yield Head(opened(request))
    yield from pieces(request, body)
    yield from drained(request)
    yield Act.FINISH


def refuses(request: Incoming) -> Script:
    """Refuse the tunnel."""
    body = content(request.number, size_of(request))
    request.record.expect(request.number, 413, body)
    yield Head(413, len(body))
    yield from pieces(request, body)
    yield Act.END


def opened(request: Incoming) -> int:
    """Return the status that opens the tunnel."""
    return 200 if request.method == "CONNECT" else 101


BEHAVIOURS: dict[str, Behaviour] = {
    "answers": answers,
    "stalls": stalls,
    "half-closes": half_closes,
    "resets": resets,
    "floods": floods,
    "answers early": answers_early,
    "ends without close_notify": cuts,
}

ECHOES: dict[str, Behaviour] = {
    "answers": echoes,
    "stalls": echoes_late,
    "half-closes": echoes_some(Act.FINISH),
    "resets": echoes_some(Act.RESET),
    "answers early": answers_early,
    "ends without close_notify": echoes_some(Act.CUT),
}

TUNNELS: dict[str, Behaviour] = {
    "answers": tunnels,
    "stalls": tunnels_late,
    "half-closes": tunnels_some(Act.FINISH),
    "resets": tunnels_some(Act.RESET),
    "floods": tunnels_much,
    "answers early": refuses,
    "ends without close_notify": tunnels_some(Act.CUT),
}
