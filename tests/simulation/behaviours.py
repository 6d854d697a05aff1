"""The behaviours of peers: how the origins of the scenario table handle a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .record import DONE, FAILED
from .scripts import Act, Asked, Head, Pause, Piece, Script, content

if TYPE_CHECKING:
    from .scripts import Behaviour

SIZES = (5, 0, 1, 3_000, 20_000, 70_000)


def size_of(asked: Asked) -> int:
    """Return how large a response is."""
    return SIZES[asked.record.kernel.choices.below(len(SIZES))]


def pieces(asked: Asked, octets: bytes) -> Script:
    """Send content in a few pieces, with pauses here and there."""
    choices = asked.record.kernel.choices
    at = 0
    while at < len(octets):
        count = choices.amount(len(octets) - at)
        if len(octets) > 100 and count < 50:
            count = 50
        yield Piece(octets[at : at + count])
        at += count
        if choices.rarely(6):
            yield Pause(0.05)


def drained(asked: Asked) -> Script:
    """Read the content of the request."""
    while (yield Act.READ):
        pass
    asked.record.whole.add(asked.number)


def answers(asked: Asked) -> Script:
    """Read the request, answer it."""
    yield from drained(asked)
    body = content(asked.number, size_of(asked))
    asked.record.expect(asked.number, 200, body)
    if asked.record.kernel.choices.rarely(4):
        yield Pause(0.2)
    yield Head(200, None if asked.record.kernel.choices.below(2) else len(body))
    yield from pieces(asked, body)
    yield Act.END


def stalls(asked: Asked) -> Script:
    """Read the request with a long pause in between, answer half, pause, answer the rest."""
    choices = asked.record.kernel.choices
    if (yield Act.READ) and choices.below(2):
        yield Pause(5.0)
    yield from drained(asked)
    body = content(asked.number, 50 + size_of(asked))
    asked.record.expect(asked.number, 200, body)
    if choices.below(2):
        yield Pause(5.0)
    yield Head(200, len(body))
    yield Piece(body[:25])
    yield Pause(5.0)
    yield from pieces(asked, body[25:])
    yield Act.END


def half_closes(asked: Asked) -> Script:
    """Answer with content that ends where the connection does."""
    yield from drained(asked)
    body = content(asked.number, size_of(asked))
    asked.record.expect(asked.number, 200, body)
    yield Head(200, until_close=True)
    yield from pieces(asked, body)
    yield Act.END


def resets(asked: Asked) -> Script:
    """Break the connection in the middle of the answer, or before it."""
    choices = asked.record.kernel.choices
    if choices.below(2):
        yield from drained(asked)
    body = content(asked.number, 50 + size_of(asked))
    asked.record.expect(asked.number, 200, body, FAILED)
    if choices.below(4):
        yield Head(200, len(body))
        yield from pieces(asked, body[: choices.below(len(body))])
    if choices.below(2):
        yield Pause(0.1)
    yield Act.RESET


def floods(asked: Asked) -> Script:
    """Send interim responses, and the first octets of the content one by one."""
    yield from drained(asked)
    body = content(asked.number, 150_000)
    asked.record.expect(asked.number, 200, body)
    for _ in range(asked.record.kernel.choices.below(20)):
        yield Head(103)
    yield Head(200)
    for at in range(60):
        yield Piece(body[at : at + 1])
    yield Piece(body[60:])
    yield Act.END


def answers_early(asked: Asked) -> Script:
    """Refuse the request before it is read; its content is drained, or the connection closed."""
    choices = asked.record.kernel.choices
    body = content(asked.number, 50 + size_of(asked))
    if choices.below(2):
        yield Act.READ
    kind = choices.below(3)
    if kind == 0:
        asked.record.expect(asked.number, 413, body)
        yield Head(413, len(body))
        yield from pieces(asked, body)
        yield from drained(asked)
        yield Act.END
    elif kind == 1:
        # RFC 9112 9.6: half-close, continue to read for a while, then close.
        asked.record.expect(asked.number, 413, body, DONE, FAILED)
        yield Head(413, until_close=True)
        yield from pieces(asked, body)
        yield Act.FINISH
        if choices.below(2):
            yield from drained(asked)
        yield Pause(1.0)
        yield Act.CLOSE
    else:
        asked.record.expect(asked.number, 413, body, DONE, FAILED)
        yield Head(413, until_close=True)
        yield from pieces(asked, body)
        yield Act.CLOSE


def cuts(asked: Asked) -> Script:
    """End the connection in the middle of an answer, without close_notify."""
    yield from drained(asked)
    body = content(asked.number, 50 + size_of(asked))
    asked.record.expect(asked.number, 200, body, FAILED)
    yield Head(200, len(body))
    yield from pieces(asked, body[:-1])
    yield Act.CUT


def echoes(asked: Asked) -> Script:
    """Echo the content as it arrives."""
    body = asked.record.exchanges[asked.number].body
    asked.record.expect(asked.number, 200, body)
    yield Head(200)
    while octets := (yield Act.READ):
        yield Piece(octets)
    asked.record.whole.add(asked.number)
    yield Act.END


def echoes_late(asked: Asked) -> Script:
    """The same, with pauses."""
    body = asked.record.exchanges[asked.number].body
    asked.record.expect(asked.number, 200, body)
    if asked.record.kernel.choices.below(2):
        yield Pause(5.0)
    yield Head(200)
    left = 3
    while octets := (yield Act.READ):
        yield Piece(octets)
        if left:
            left -= 1
            yield Pause(1.0)
    yield Act.END


def echoes_some(end: Act) -> Behaviour:
    """Return a behaviour that echoes a part of the content, and then ends the connection by this action."""

    def behave(asked: Asked) -> Script:
        choices = asked.record.kernel.choices
        body = asked.record.exchanges[asked.number].body
        asked.record.expect(asked.number, 200, body, FAILED)
        yield Head(200, len(body) + 1)
        yield from some(asked)
        yield end
        if choices.below(2):
            yield Pause(1.0)
        yield Act.CLOSE

    return behave


def some(asked: Asked) -> Script:
    """Echo a few pieces."""
    for _ in range(asked.record.kernel.choices.below(4)):
        octets = yield Act.READ
        if not octets:
            break
        yield Piece(octets)


# Inside tunnels, the data has no end other than that of the tunnel.


def tunnels(asked: Asked) -> Script:
    """Open the tunnel, echo everything until the client ends, then end."""
    asked.record.expect(asked.number, opened(asked), asked.record.exchanges[asked.number].body)
    yield Head(opened(asked))
    while octets := (yield Act.READ):
        yield Piece(octets)
    asked.record.whole.add(asked.number)
    yield Act.FINISH


def tunnels_late(asked: Asked) -> Script:
    """The same, with pauses."""
    asked.record.expect(asked.number, opened(asked), asked.record.exchanges[asked.number].body)
    if asked.record.kernel.choices.below(2):
        yield Pause(5.0)
    yield Head(opened(asked))
    left = 3
    while octets := (yield Act.READ):
        yield Piece(octets)
        if left:
            left -= 1
            yield Pause(1.0)
    yield Act.FINISH


def tunnels_some(end: Act) -> Behaviour:
    """Return a behaviour that echoes some data, and ends the tunnel by this action before the client does."""

    def behave(asked: Asked) -> Script:
        choices = asked.record.kernel.choices
        body = asked.record.exchanges[asked.number].body
        truncated = end is Act.RESET or (
            end is Act.CUT and ("TLS" in asked.record.route or asked.record.route == "HTTP/2")
        )
        asked.record.expect(
            asked.number, opened(asked), body, *((FAILED,) if truncated else (DONE, FAILED)), whole=False
        )
        yield Head(opened(asked))
        yield from some(asked)
        yield end
        kind = choices.below(3)
        if kind == 0:
            if end is Act.FINISH:
                # Nothing arrives afterwards that would cause a reset and destroy what was sent.
                asked.record.expect(asked.number, opened(asked), body, DONE, whole=False)
            yield from drained(asked)
        elif kind == 1:
            yield Pause(1.0)
        yield Act.CLOSE

    return behave


def tunnels_much(asked: Asked) -> Script:
    """Send a lot before reading anything."""
    body = content(asked.number, 150_000)
    asked.record.expect(asked.number, opened(asked), body)
    yield Head(opened(asked))
    yield from pieces(asked, body)
    yield from drained(asked)
    yield Act.FINISH


def refuses(asked: Asked) -> Script:
    """Refuse the tunnel."""
    body = content(asked.number, size_of(asked))
    asked.record.expect(asked.number, 413, body)
    yield Head(413, len(body))
    yield from pieces(asked, body)
    yield Act.END


def opened(asked: Asked) -> int:
    """Return the status that opens the tunnel."""
    return 200 if asked.method == "CONNECT" else 101


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
