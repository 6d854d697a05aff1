"""Scripts for any number of connections, and addresses that refuse connections."""

from __future__ import annotations

import asyncio
import math
import socket
import threading
from typing import Any  # wrong arguments are passed, which the types forbid

import pytest

from mint.testing import (
    Expect,
    MayEnd,
    RefusingServer,
    Script,
    ScriptedServer,
    ScriptError,
    Send,
    Set,
    Step,
    Wait,
    bytewise,
    optional,
    repeated,
    trickle,
)

from .clients import GET, NO_CONTENT, dial, read_all

ONE, TWO, THREE = [Send(b"1")], [Send(b"2")], [Send(b"3")]


def connect(count: int, *scripts: list[Step] | Script) -> bytes:
    came = b""
    with ScriptedServer(*scripts) as server:
        for _ in range(count):
            with dial(server) as sock:
                came += read_all(sock)
    return came


@pytest.mark.parametrize(
    ("scripts", "count", "came"),
    [
        ((optional(ONE),), 0, b""),
        ((optional(ONE),), 1, b"1"),
        ((repeated(ONE),), 1, b"1"),
        ((repeated(ONE),), 5, b"11111"),
        ((repeated(ONE, 0),), 0, b""),
        ((repeated(ONE, 2, 3), TWO), 4, b"1112"),
        ((ONE, optional(TWO)), 1, b"1"),
        ((ONE, optional(TWO)), 2, b"12"),
        ((ONE, repeated(TWO, 0)), 3, b"122"),
        ((repeated(ONE, 3, 3), TWO, optional(THREE)), 5, b"11123"),
    ],
)
def test_repeated_and_optional_connections(
    scripts: tuple[list[Step] | Script, ...], count: int, came: bytes
) -> None:
    assert connect(count, *scripts) == came


@pytest.mark.parametrize(
    ("scripts", "count", "message"),
    [
        ((repeated(ONE),), 0, "1 of 1 scripts got no connection"),
        ((repeated(ONE, 3),), 2, "1 of 3 scripts got no connection"),
        ((ONE, TWO, optional(THREE)), 1, "1 of 2 scripts got no connection"),
        ((optional(ONE),), 2, "connection 2 was opened, but there are 1 scripts"),
        ((repeated(ONE, 1, 2),), 3, "connection 3 was opened, but there are 1 scripts"),
    ],
)
def test_connections_too_few_and_too_many(
    scripts: tuple[list[Step] | Script, ...], count: int, message: str
) -> None:
    with pytest.raises(ScriptError, match=message):
        connect(count, *scripts)


def test_a_failure_names_the_connection_of_a_repeated_script() -> None:
    with (
        pytest.raises(
            ScriptError, match=r"(?s)connection 2, step 1 of 1, Expect.*expected: b'GET.*received: +b'POS"
        ),
        ScriptedServer(repeated([Expect(GET)])) as server,
    ):
        for send in (GET, b"POST", GET):
            with dial(server) as sock:
                sock.sendall(send)
                sock.shutdown(socket.SHUT_WR)
                read_all(sock)


@pytest.mark.parametrize(("minimum", "maximum"), [(-1, 1), (2, 1), (0, 0), (1, math.nan)])
def test_numbers_of_connections_are_checked(minimum: int, maximum: float) -> None:
    with pytest.raises((TypeError, ValueError), match=r"minimum must|maximum must"):
        Script((), minimum, maximum)


def test_only_the_last_script_takes_every_connection() -> None:
    with pytest.raises(ValueError, match="script 1 accepts every connection"):
        ScriptedServer(repeated(ONE), TWO)


def test_a_trickle_is_sent_in_pieces() -> None:
    assert [step for step in trickle(b"abcde", 0.5, 2) if isinstance(step, Send)] == [
        Send(b"ab"),
        Send(b"cd"),
        Send(b"e"),
    ]
    assert connect(1, [*trickle(b"abc", 0.0)]) == b"abc"
    assert trickle(b"", 1.0) == ()
    assert bytewise(b"") == Send(b"")


FAMILIES = [socket.AF_INET, socket.AF_INET6, socket.AF_UNIX]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_refusing_server_refuses(family: socket.AddressFamily) -> None:
    with RefusingServer(family=family) as server:
        for _ in range(3):
            with pytest.raises(ConnectionRefusedError):
                dial(server)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_silent_server_never_answers(family: socket.AddressFamily) -> None:
    with RefusingServer(silent=True, family=family) as server:
        for _ in range(2):
            with pytest.raises((TimeoutError, BlockingIOError)):
                dial(server, timeout=0.05)


def test_a_refusing_server_in_a_loop_and_outside_its_block() -> None:
    async def main() -> None:
        async with RefusingServer() as server:
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(server.address, server.port)
        with pytest.raises(RuntimeError, match="not running"):
            _ = server.port

    asyncio.run(main())
    with pytest.raises(ValueError, match="AF_INET"):
        RefusingServer(family=socket.AF_PACKET)


def test_no_content_is_what_the_small_clients_call_it() -> None:
    assert connect(1, [Send(NO_CONTENT)]) == NO_CONTENT


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (Send(b"x"), r"script 1 must be an iterable of steps, got Send.*: put steps into a list"),
        (b"GET", "script 1 must be an iterable of steps"),
        ([Send(b"x"), b"GET"], r"step 2 of script 1 must have a method play, and b'GET' has none"),
        (None, "script 1 must be an iterable"),
    ],
)
def test_invalid_scripts_are_refused(script: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        ScriptedServer(script)


def test_a_reset_in_a_step_shows_expected_and_received() -> None:
    arrived = threading.Event()
    with (
        pytest.raises(
            ScriptError,
            match=r"(?s)step 3 of 3, Expect.*broke before the expected bytes arrived.*reset"
            r".*expected: b'GET.*received: +b'GE'",
        ),
        ScriptedServer([Send(b"unread"), Set(arrived), Expect(GET)]) as server,
        dial(server) as sock,
    ):
        sock.sendall(b"GE")
        assert arrived.wait(10)
        sock.recv(1)


def test_a_client_may_end_in_the_middle() -> None:
    left = threading.Event()
    steps = [Send(b"x"), Wait(left), Send(b"y" * 10_000_000), Expect(b"never")]
    with ScriptedServer([MayEnd(*steps)], [Wait(left), MayEnd(Expect(b"x"), Send(b"y"))]) as server:
        with dial(server) as sock:
            assert sock.recv(1) == b"x"
        left.set()
        with dial(server) as sock:
            sock.sendall(b"x")
            assert read_all(sock) == b"y"
    with (
        pytest.raises(ScriptError, match=r"step 1 of 1, MayEnd.*other bytes were received"),
        ScriptedServer([MayEnd(Expect(b"x"))]) as server,
        dial(server) as sock,
    ):
        sock.sendall(b"y")
        read_all(sock)
