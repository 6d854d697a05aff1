"""A mistake in a script is raised where the script is written, not later in a server's thread."""

from __future__ import annotations

import asyncio
import math
import re
import ssl
import threading
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias

import pytest
import trio

from mint import testing
from mint.testing import build, hpack, http2, memory, strategies
from mint.testing.certificates import Authority
from mint.testing.clock import FakeClock
from mint.testing.frames import serialize
from mint.testing.steps import SHOWN, shown

from .clients import dial

if TYPE_CHECKING:
    from collections.abc import Callable


class Waits:
    """A step and a function that can only be awaited."""

    async def play(self, peer: testing.Peer) -> None:
        """Nobody would wait for it."""

    async def __call__(self, request: testing.Request) -> testing.Response:
        raise NotImplementedError


async def waits(request: testing.Request) -> testing.Response:
    raise NotImplementedError


def answered(_: testing.Request) -> testing.Response:
    return testing.Response()


AUTHORITY = Authority()
COROUTINES = (waits, partial(waits), Waits(), Waits().__call__, Waits().play)
TEXT, NOTHING, NUMBER = "text", None, 5
TEXT_PATTERN = re.compile("text")
Row: TypeAlias = "tuple[Callable[..., object], tuple[object, ...]]"


def named(make: Callable[..., object], *given: object, **wrong: object) -> Row:
    """Return a row for arguments with a name."""
    return partial(make, *given, **wrong), ()


FLAGS: tuple[tuple[Callable[..., object], tuple[object, ...], str], ...] = (
    (testing.ExpectEnd, (), ""),
    (testing.StartTLS, (AUTHORITY.server_context(),), ""),
    (testing.ScriptedServer, (), "strict"),
    (testing.RefusingServer, (), "silent"),
    (http2.SendHeaders, (1, ()), ""),
    (http2.ExpectData, (1, b""), ""),
    (http2.ExpectHeaders, (1,), "end"),
    (http2.ExpectHeaders, (1,), "exact"),
    (http2.ExpectHeaders, (1,), "any_order"),
    (http2.Frame, (0,), "reserved"),
    (http2.data, (1,), "end"),
    (http2.headers, (1, ()), "end"),
    (http2.headers, (1, ()), "end_headers"),
    (http2.push_promise, (1, 2, ()), "end_headers"),
    (http2.continuation, (1, ()), "end_headers"),
    (http2.priority, (1,), "exclusive"),
    (http2.settings, (), "ack"),
    (http2.ping, (), "ack"),
    (hpack.Encoder, (), "huffman_coded"),
)

WRONG: list[Row] = [
    *(
        (make, (wrong,))
        for make in (testing.Send, testing.SendRaw, testing.Flood)
        for wrong in (TEXT, NOTHING, 5)
    ),
    (testing.Flood, (b"",)),
    *(
        (testing.Expect, (wrong,))
        for wrong in (TEXT, NOTHING, TEXT_PATTERN, re.compile(b"x*"), re.compile(b""))
    ),
    *((testing.ExpectUntil, (wrong,)) for wrong in (TEXT, NOTHING, b"", TEXT_PATTERN)),
    *((testing.ExpectUntil, (b"\n", wrong)) for wrong in (TEXT, b"x", TEXT_PATTERN)),
    *((testing.ExpectCount, (wrong,)) for wrong in (-1, TEXT, NOTHING, 1.5, True)),
    *((testing.bytewise, (b"abc", wrong)) for wrong in (0, -1, TEXT, 1.5)),
    *((testing.trickle, (b"abc", 0.0, wrong)) for wrong in (0, -1, TEXT, 1.5)),
    *((testing.trickle, (b"abc", wrong)) for wrong in (-1.0, math.inf, math.nan, TEXT)),
    *((testing.Pause, (wrong,)) for wrong in (-1.0, math.inf, math.nan, TEXT, NOTHING)),
    *(
        (make, (wrong,))
        for make in (testing.Wait, testing.Set, testing.Do, testing.StartTLS)
        for wrong in (5, TEXT)
    ),
    *((make, (wrong,)) for make in (testing.MayEnd, http2.Interleaved) for wrong in (5, TEXT, NOTHING)),
    (testing.MayEnd, (testing.Close(), b"bytes")),
    *((make, (testing.Close,)) for make in (testing.MayEnd, http2.Interleaved)),
    *((make, (threading.Event,)) for make in (testing.Wait, testing.Set)),
    (testing.StartTLS, (ssl.SSLContext,)),
    (testing.ScriptedServer, ([testing.Close],)),
    *((make, ([testing.Close],)) for make in (testing.Script, testing.optional, testing.repeated)),
    *(
        (make, (wrong,))
        for make in (testing.Script, testing.optional, testing.repeated)
        for wrong in (5, b"x")
    ),
    *((http2.send, (wrong,)) for wrong in (b"bytes", TEXT, NOTHING)),
    *((http2.SendHeaders, (1, (), False, None, None, wrong)) for wrong in (0, -1, TEXT)),
    *((http2.ExpectFrame, (0, 1, None, wrong)) for wrong in (TEXT, 5, TEXT_PATTERN)),
    *((http2.ExpectData, (1, wrong)) for wrong in (TEXT, NOTHING)),
    *(
        (make, (stream, more))
        for make, more in ((http2.ExpectData, b""), (http2.ExpectHeaders, ()), (http2.SendHeaders, ()))
        for stream in ("1", -1, 1.0, True, NOTHING)
    ),
    *((http2.ExpectFrame, given) for given in (("DATA",), (0, "1"), (0, 1, "5"), (-1,), (1.0,))),
    *(
        (make, (1, wrong))
        for make in (http2.ExpectHeaders, http2.SendHeaders, http2.headers)
        for wrong in (
            TEXT,
            5,
            {"a": "b"},
            ["ab"],
            [("a",)],
            [("a", 5)],
            [(b"a", b"b")],
            [("a", "\N{SNOWMAN}")],
        )
    ),
    *((http2.SendHeaders, (1, (), False, wrong)) for wrong in (-1, 256, TEXT)),
    *(
        (http2.SendHeaders, (1, (), False, 0, wrong))
        for wrong in ((0, 0, False), (0, 257, True), (1 << 32, 1, False))
    ),
    (http2.SendHeaders, (1 << 32, ())),
    *((http2.Interleaved, (wrong,)) for wrong in (testing.Send(b"x"), testing.Drain())),
    *((testing.Origin, (wrong,)) for wrong in (5, TEXT, NOTHING)),
    *((make, (waits,)) for make in (testing.Do, testing.Origin, testing.MayEnd) for waits in COROUTINES),
    *((make, (event,)) for make in (testing.Wait, testing.Set) for event in (asyncio.Event(), trio.Event())),
    *((testing.ScriptedServer, ([step],)) for step in COROUTINES),
    *((partial(testing.Origin, answered, settings=wrong), ()) for wrong in ({1: -1}, {1 << 16: 1}, {"a": 1})),  # type: ignore[arg-type]  # wrong on purpose
    *((partial(testing.Origin, answered, tls=wrong), ()) for wrong in (5, TEXT, ssl.SSLContext)),  # type: ignore[arg-type]  # wrong on purpose
    *((partial(testing.Origin, answered, port=wrong), ()) for wrong in (-1, "80", 65_536)),  # type: ignore[arg-type]  # wrong on purpose
    *((partial(made, alpn="h2"), ()) for made in (AUTHORITY.server_context, AUTHORITY.client_context)),
    *(named(testing.Origin, answered, protocols=wrong) for wrong in ((), "http1", ("h2",), 5)),
    *(
        (make, (steps, *wrong))
        for make in (testing.Script, testing.repeated)
        for steps in ([testing.Close()],)
        for wrong in (
            (1.5,),
            (-1,),
            (True,),
            (TEXT,),
            (1, 1.5),
            (1, 0),
            (1, math.nan),
            (1, TEXT),
            (3, 2),
            (2, -1),
        )
    ),
    *(
        named(make, *given, **{name: wrong})
        for make, given in ((testing.ScriptedServer, ()), (testing.Origin, (answered,)))
        for name, values in {"timeout": (0, -1, math.nan, TEXT, True, NOTHING), "family": (5, TEXT)}.items()
        for wrong in values
    ),
    *((testing.Send, (b"abc", wrong)) for wrong in ((1.5,), (True,), "ab", (0,), (3,), (2, 1), 5)),
    *((testing.Pause, (wrong,)) for wrong in (True, False)),
    *((testing.trickle, (wrong, 0.0)) for wrong in (TEXT, 5)),
    *((testing.trickle, (b"", wrong)) for wrong in (-1.0, TEXT)),
    *((testing.request, (wrong,)) for wrong in (TEXT, 5, TEXT_PATTERN)),
    *((testing.replay, (wrong,)) for wrong in (5, NOTHING, b"bytes")),
    # Flags.
    *(
        (make, (*given, wrong)) if not name else named(make, *given, **{name: wrong})
        for make, given, name in FLAGS
        for wrong in (1, TEXT, 0)
    ),
    # Numbers that no frame can have, and octets that are none.
    *(
        (http2.ExpectFrame, given)
        for given in ((300,), (True,), (0, 1 << 31), (0, -1), (0, 1, 256), (0, 1, -1))
    ),
    *((make, (1 << 31, more)) for make, more in ((http2.ExpectData, b""), (http2.ExpectHeaders, ()))),
    *(
        (http2.Frame, given)
        for given in ((256,), (-1,), (0, 256), (0, 0, 1 << 32), (0, 0, 0, TEXT), (0, 0, 0, b"", -1))
    ),
    *(
        (make, (wrong,))
        for make in (http2.data, http2.rst_stream)
        for wrong in (-1, 1 << 32, TEXT, 1.0, True)
    ),
    *((http2.data, (1, wrong)) for wrong in (TEXT, 5, NOTHING)),
    *(
        named(make, 1, b"", padding=wrong)
        for make in (http2.data, http2.headers)
        for wrong in (-1, 256, TEXT)
    ),
    *(named(http2.push_promise, 1, 2, (), padding=wrong) for wrong in (-1, 256, TEXT)),
    *(
        (http2.push_promise, given)
        for given in (("1", 2, ()), (1, -1, ()), (1, 1 << 32, ()), (1, 2, TEXT), (1, 2, 5))
    ),
    *((http2.continuation, given) for given in ((-1, ()), (1, TEXT), (1, 5), (1, [("a", 5)]))),
    *((http2.priority, given) for given in ((-1,), (1, -1), (1, 1 << 32), (1, 0, 0), (1, 0, 257))),
    *(
        (make, (1, wrong))
        for make in (http2.rst_stream, http2.window_update)
        for wrong in (-1, 1 << 32, TEXT)
    ),
    *(
        (make, (wrong,))
        for make in (http2.settings, http2.handshake)
        for wrong in ((1 << 16, 1), (1, -1), (1,), TEXT, 5)
    ),
    *((http2.ping, (wrong,)) for wrong in (TEXT, 5)),
    *((http2.goaway, given) for given in ((-1,), (0, -1), (0, 0, TEXT))),
    *((http2.alt_svc, (wrong,)) for wrong in (5, NOTHING)),
    *((http2.origin_set, (wrong,)) for wrong in (5, NOTHING, b"x" * 65_536)),
    *((http2.priority_update, given) for given in ((-1,), (1, 5))),
    *((http2.expect_reset, given) for given in ((-1, 0), (1, -1), (TEXT, 0))),
    *((http2.expect_goaway, (wrong,)) for wrong in (-1, TEXT)),
    *((http2.block, (wrong,)) for wrong in (TEXT, 5, ("a",), ("a", 5))),
    *((make, (wrong,)) for make in (http2.SendFrames, serialize) for wrong in ([b"frame"], [NOTHING], 5)),
    *(
        (make, (wrong,))
        for make in (http2.content, http2.number_of, http2.settings_of)
        for wrong in (b"frame", NOTHING)
    ),
    *(named(hpack.Encoder, **wrong) for wrong in ({"size": -1}, {"size": TEXT}, {"indexing": TEXT})),
    *((hpack.literal, given) for given in ((5, 5), (NOTHING, "a"), ("a", "b", TEXT), ("\N{SNOWMAN}", ""))),
    *(
        (make, (wrong,))
        for make in (hpack.indexed, hpack.table_size, hpack.integer)
        for wrong in (-1, TEXT, NOTHING)
    ),
    *((make, (wrong,)) for make in (hpack.string, hpack.huffman, hpack.plain) for wrong in (5, NOTHING)),
    *((build.split, (wrong, [1])) for wrong in (TEXT, 5)),
    *((make, (5,)) for make in (build.chunk, build.chunked, build.octets)),
    *(
        (make, (wrong,))
        for make in (strategies.fields, strategies.trailers, strategies.bodies)
        for wrong in (-1, 1.5, TEXT)
    ),
    *(named(make, 1, min_size=2) for make in (strategies.fields, strategies.trailers)),
    *((strategies.splits, given) for given in ((-1,), (1.5,), (5, -1), (5, TEXT))),
    *((strategies.frames, (wrong,)) for wrong in (-1, 1.5)),
    *((strategies.pieces, (wrong,)) for wrong in (TEXT, 5)),
    *(
        (make, (wrong,))
        for make in (memory.MemoryServer().send, memory.MemoryServer().send_together)
        for wrong in (TEXT, 5)
    ),
    *((FakeClock, (wrong,)) for wrong in (math.inf, math.nan)),
    *((FakeClock().advance, (wrong,)) for wrong in (-1, math.inf, math.nan)),
]

# Public names that no script makes, or that take no arguments.
MADE_ELSEWHERE = {
    "Body", "Peer", "Request", "Unexpected", "ScriptError", "Lost", "Step", "Conversation",  # by servers
    "Push", "Response",  # checked when they are sent, because handlers of other threads make them
    "Close", "Drain", "Forever", "Reset", "ShutWrite", "Truncate", "ExpectPreface",  # no arguments
    "showcase", "read_frame",  # called by servers
    "ErrorCode", "FrameType", "Setting", "Fields", "Headers", "Handler", "Indexing",  # enumerations and types
}  # fmt: skip


def test_every_public_name_has_a_mistake_in_the_table() -> None:
    def name_of(make: object) -> str:
        while isinstance(make, partial):
            make = make.func
        return str(getattr(make, "__name__", ""))

    tested = {name_of(make) for make, _ in WRONG}
    named = {
        name
        for module in (testing, http2, hpack)
        for name in module.__all__
        if callable(getattr(module, name)) and not isinstance(getattr(module, name), ModuleType)
    }
    assert named - tested - MADE_ELSEWHERE == set()


@pytest.mark.parametrize(("make", "given"), WRONG, ids=[str(number) for number in range(len(WRONG))])
def test_a_mistake_is_raised_at_once(make: Callable[..., object], given: tuple[object, ...]) -> None:
    with pytest.raises((TypeError, ValueError)):
        make(*given)


def test_a_forgotten_pair_of_parentheses_is_named() -> None:
    with pytest.raises(TypeError, match=r"step 2 of script 1 must be an object.*: write Close\(...\)"):
        testing.ScriptedServer([testing.request(), testing.Close])  # type: ignore[list-item]  # the mistake


def test_a_class_may_be_a_step_by_itself() -> None:
    class Play:
        @classmethod
        def play(cls, peer: testing.Peer) -> None:
            """Do nothing."""

    testing.ScriptedServer([Play])
    testing.MayEnd(Play)


def test_valid_steps_are_accepted() -> None:
    for step in (
        testing.Send(b""),
        testing.Send(bytearray(b"abc"), (1,)),  # type: ignore[arg-type]  # can be sent, too
        testing.Expect(b""),
        testing.Expect(re.compile(rb"x+")),
        testing.ExpectCount(0),
        testing.Pause(0),
        testing.bytewise(b""),
        http2.ExpectFrame(payload=re.compile(b".*")),
        http2.ExpectData(1, b""),
    ):
        assert step == step.__class__(*(getattr(step, name) for name in step.__match_args__))


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_octets_of_any_type_are_bytes_in_steps(kind: Callable[[bytearray], bytes]) -> None:
    """A copy is kept, so that a later change of a bytearray does not change the script."""
    given = bytearray(b"abc")
    steps = (
        *(make(kind(given)) for make in (testing.Send, testing.SendRaw, testing.Flood, testing.Expect)),
        *(
            testing.ExpectUntil(kind(given)),
            http2.ExpectData(1, kind(given)),
            testing.bytewise(kind(given), 2),
        ),
    )
    same = (
        *(make(b"abc") for make in (testing.Send, testing.SendRaw, testing.Flood, testing.Expect)),
        *(testing.ExpectUntil(b"abc"), http2.ExpectData(1, b"abc"), testing.bytewise(b"abc", 2)),
    )
    given[:] = b"xyz"
    assert steps == same
    with testing.ScriptedServer([testing.Expect(kind(bytearray(b"abc")))]) as server, dial(server) as sock:
        sock.sendall(b"abc")


def test_steps_and_frames_may_come_from_an_iterator() -> None:
    frames = http2.SendFrames(iter([http2.ping()]))  # type: ignore[arg-type]  # it is made a tuple
    assert frames == http2.send(http2.ping())
    script = testing.Script(iter([frames]))  # type: ignore[arg-type]  # as above
    assert script == testing.Script((frames,))
    assert testing.Send(b"abc", iter([1])) == testing.Send(b"abc", (1,))  # type: ignore[arg-type]  # as above


def test_a_function_that_returns_a_coroutine_is_a_mistake() -> None:
    with (
        pytest.raises(TypeError, match="returned a coroutine") as caught,
        testing.ScriptedServer([testing.Do(lambda _: waits(None))]) as server,  # type: ignore[arg-type]  # never runs
    ):
        dial(server).close()
    assert "raised in connection 1, step 1 of 1" in caught.value.__notes__[0]


def test_a_refusing_server_has_one_address_at_a_time() -> None:
    server = testing.RefusingServer()
    with server:
        with pytest.raises(RuntimeError, match="running already"), server:
            pass
        assert server.port
    with server:
        assert server.port


@pytest.mark.parametrize("more", [-1, 0, 1, 100])
def test_how_much_of_what_came_is_shown(more: int) -> None:
    data = b"x" * (SHOWN + more)
    cut = f"{data[:SHOWN]!r}... ({SHOWN + more} bytes)"
    assert shown(data) == (cut if more > 0 else repr(data))
