"""Whole HTTP/2 conversations with an honest server that keeps its own counts, and one violation at the end.

Each input is a conversation: requests, bodies, cancellations, SETTINGS and windows of the caller; responses
of every kind, pushes and control frames of the server; split anywhere, with forks and old values. The server
knows the correct result of each frame, and `violations_http2` that of each broken rule.
"""

from calls_http2 import CALLS, request
from farewells_http2 import begin_badly, leave
from support import Choices, fuzz
from talk_http2 import Talk
from violations_streams_http2 import violate


def act(talk: Talk) -> None:
    """Let the server send something."""
    choices = talk.choices
    live = talk.live()
    if live and choices.chance(75):
        stream = choices.pick(live)
        if not stream.head:
            if choices.chance(25) and not (talk.plain and stream.promised):
                talk.interim(stream)
            elif choices.chance(8):
                talk.reset(stream)
            elif talk.options.push and not stream.promised and choices.chance(25):
                talk.promise(stream)
            else:
                talk.head(stream)
            return
        match choices.below(12):
            case 0:
                talk.trailers(stream)
            case 1:
                if talk.options.push and not stream.promised:
                    talk.promise(stream)
            case 2:
                if choices.chance(30):
                    talk.reset(stream)
            case _:
                talk.content(stream)
        return
    match choices.below(8):
        case 0 | 1:
            talk.update()
        case 2:
            talk.flush()
            talk.settle()
        case 3:
            talk.ping()
        case 4:
            talk.pong()
        case 5:
            talk.strange()
        case 6:
            talk.acknowledge()
        case _:
            if talk.cancelled:
                talk.send_late_frame(choices.pick(talk.cancelled))


def converse(talk: Talk) -> None:
    """Let both sides act, again and again."""
    choices = talk.choices
    talk.flush()
    # Now and then many streams, so that they are in several chunks of the stream table.
    for _ in range(choices.between(9, 40) if choices.chance(6) else choices.between(1, 3)):
        request(talk)
    for _ in range(choices.between(5, 40)):
        if choices.chance(35):
            choices.pick(CALLS)(talk)
        else:
            act(talk)
        if choices.chance(30):
            talk.flush()
    talk.flush()


def one(data: bytes) -> None:
    """Try one input."""
    choices = Choices(data)
    if choices.chance(3):
        begin_badly(choices)
        return
    talk = Talk(choices)
    converse(talk)
    talk.replay()
    if talk.choices.chance(70):
        violate(talk)
    else:
        leave(talk)
    talk.replay()


if __name__ == "__main__":
    fuzz(one)
