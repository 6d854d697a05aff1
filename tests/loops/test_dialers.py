"""The base of the drivers that connect, and of links over sockets: times, names, and sizes of reads."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket as sockets
import threading
from typing import TYPE_CHECKING

import pytest

import mint
from mint import errors
from mint._connect.race import Attempt, Decided, Dialled, Endpoint, Ready, Resolved
from mint._loops import dialer
from mint._loops.asyncio_connecting import Driver
from mint._loops.dialer import (
    Dialler,
    SocketAttempt,
    blocking_resolver,
    decide,
    given_socket,
    look_up,
    resolving,
    show,
    socket_of,
)
from mint._loops.sockets import LARGE_READ, SocketBase

from ..event_loops import Loop

if TYPE_CHECKING:
    from mint._loops.dialer import Found
    from mint.types import Resolver

# -- time


class Clock:
    """The time, in seconds."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(dialer, "monotonic", made)
    return made


def dialling(timeout: float | None = None, resolver: Resolver | None = None) -> Dialler:
    return Dialler(mint.TCPOptions(connect_timeout=timeout), resolver, None)


@pytest.mark.parametrize(
    ("timeout", "limit", "left"),
    [
        *((None, None, None), (None, 3.0, 3.0), (5.0, None, 5.0), (5.0, 3.0, 3.0), (5.0, 7.0, 5.0)),
        (5.0, 5.0, 5.0),
    ],
)
def test_the_earlier_limit_counts(
    clock: Clock, timeout: float | None, limit: float | None, left: float | None
) -> None:
    made = dialling(timeout)
    assert made.left("x") == timeout
    assert made.limit(limit) == Ready()
    assert made.left("x") == left
    if left is not None:
        clock.now += left - 0.5
        assert made.left("x") == 0.5
        for late in (0.5, 1.0):
            clock.now += late
            with pytest.raises(errors.TransportTimeout, match="phase"):
                made.left("phase")
    assert made.limit(None) == Ready()
    if timeout is None:
        assert made.left("x") is None
    elif left is not None and left < timeout - 1:
        assert made.left("x") == timeout - left - 1.0


@pytest.mark.parametrize(
    ("timeout", "seconds", "most", "is_last"),
    [
        *((None, None, None, False), (None, 2.0, 2.0, False), (5.0, None, 5.0, True)),
        *((5.0, 2.0, 2.0, False), (5.0, 5.0, 5.0, True), (5.0, 7.0, 5.0, True)),
    ],
)
def test_how_long_one_attempt_is_waited_for(
    clock: Clock, timeout: float | None, seconds: float | None, most: float | None, is_last: bool
) -> None:
    made = dialling(timeout)
    assert made.patience(seconds) == (most, is_last)
    if timeout is not None:
        clock.now += timeout
        with pytest.raises(errors.TransportTimeout, match="connecting"):
            made.patience(seconds)
        with pytest.raises(errors.TransportTimeout, match="connecting"):
            made.dial(Endpoint("inet4", ("127.0.0.1", 1)))
        assert not made.opened


# -- names


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.ConnectionRefused("x"), errors.ConnectionRefused),
        (UnicodeError("x"), errors.NameNotResolved),
        (UnicodeEncodeError("idna", "x", 0, 1, "x"), errors.NameNotResolved),
        (sockets.gaierror(sockets.EAI_NONAME, "x"), errors.NameNotResolved),
        (OSError(errno.ECONNREFUSED, "x"), errors.ConnectionRefused),
        (KeyError("x"), KeyError),
        (SystemExit(3), SystemExit),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (StopIteration(), RuntimeError),
        (StopAsyncIteration(), RuntimeError),
        (GeneratorExit(), RuntimeError),
    ],
)
def test_the_error_of_a_failure_to_resolve(error: BaseException, kind: type[BaseException]) -> None:
    with pytest.raises(kind) as caught:
        Dialler.resolved("a.example", error)
    if type(error) is kind:
        assert caught.value is error
    else:
        assert caught.value.__cause__ is error
    assert type(caught.value) is kind


def test_addresses_of_a_resolver_are_returned() -> None:
    found = (Endpoint("inet4", ("192.0.2.1", 80)),)
    assert Dialler.resolved("a.example", found) == Resolved(found)
    assert Dialler.resolved("a.example", ()) == Resolved(())
    assert resolving("a.example") == "resolving a.example"


def test_addresses_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def getaddrinfo(*given: object, **named: object) -> list[tuple[object, ...]]:
        asked.append((given, named))
        return [
            (sockets.AF_INET6, 1, 6, "", ("fe80::1", 80, 0, 7)),
            (sockets.AF_INET, 1, 6, "", ("192.0.2.1", 80)),
            (sockets.AF_INET6, 1, 6, "", ("2001:db8::1", 80, 3, 0)),
            (sockets.AF_INET6, 1, 6, "", ("2001:db8::2", 80)),
            (sockets.AF_INET, 1, 6, "", ("192.0.2.1", 80)),
            (-1, 1, 6, "", ("other", 80)),
        ]

    monkeypatch.setattr(sockets, "getaddrinfo", getaddrinfo)
    assert look_up("a.example", 81) == (
        Endpoint("inet6", ("fe80::1", 81, 0, 7)),
        Endpoint("inet4", ("192.0.2.1", 81)),
        Endpoint("inet6", ("2001:db8::1", 81, 0, 0)),
        Endpoint("inet6", ("2001:db8::2", 81, 0, 0)),
    )
    assert asked == [(("a.example", 81), {"type": sockets.SOCK_STREAM})]


@pytest.mark.parametrize("has_resolver", [False, True])
@pytest.mark.parametrize("host", ["localhost", "a.localhost", "LOCALHOST.", "a.example"])
def test_which_names_need_no_lookup(has_resolver: bool, host: str) -> None:
    made = dialling(None, (lambda _, __: []) if has_resolver else None)
    if has_resolver or host == "a.example":
        assert made.local(host, 80) is None
    else:
        four, six = Endpoint("inet4", ("127.0.0.1", 80)), Endpoint("inet6", ("::1", 80, 0, 0))
        assert made.local(host, 80) == Resolved((four, six), in_order=True)


@pytest.mark.parametrize("has_resolver", [False, True])
@pytest.mark.parametrize("host", ["a.example", "fe80::1%eth0"])
@pytest.mark.parametrize("fails", [False, True])
def test_which_resolver_is_called(
    has_resolver: bool, host: str, fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = OSError(errno.EIO, "x")
    system, mine = (Endpoint("inet4", (f"192.0.2.{at}", 80)) for at in (1, 2))

    def from_system(asked: str, port: int) -> tuple[Endpoint, ...]:
        assert (asked, port) == (host, 80)
        if fails:
            raise broken
        return (system,)

    def from_caller(asked: str, port: int) -> list[str]:
        assert (asked, port) == (host, 80)
        if fails:
            raise broken
        return ["192.0.2.2"]

    monkeypatch.setattr(dialer, "look_up", from_system)
    found: list[Found] = []
    done = threading.Event()

    def answer(given: Found) -> None:
        found.append(given)
        done.set()

    dialling(None, from_caller if has_resolver else None).ask(host, 80, answer)
    assert done.wait(30)
    assert found == [broken if fails else (mine if has_resolver and "%" not in host else system,)]


def test_a_resolver_is_a_function() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return []

    assert blocking_resolver(None) is None
    given: Resolver = lambda _, __: []  # noqa: E731  # compared by identity
    assert blocking_resolver(given) is given
    with pytest.raises(TypeError, match="coroutine functions are for"):
        blocking_resolver(resolve)
    with pytest.raises(TypeError, match=r"resolver must be a function .* not str"):
        dialling(None, "192.0.2.1")  # type: ignore[arg-type]  # wrong on purpose


# -- attempts


@pytest.mark.parametrize(
    ("endpoint", "text"),
    [
        (Endpoint("inet4", ("192.0.2.1", 80)), "192.0.2.1:80"),
        (Endpoint("inet6", ("2001:db8::1", 443, 0, 0)), "[2001:db8::1]:443"),
        (Endpoint("unix", "/run/server"), "/run/server"),
    ],
)
def test_how_messages_show_an_address(endpoint: Endpoint, text: str) -> None:
    assert show(endpoint) == text


class Reported:
    """A socket for which the system reports this error when it connects."""

    def __init__(self, code: int) -> None:
        self.code = code
        self.closed = 0

    def getsockopt(self, level: int, name: int) -> int:
        assert (level, name) == (sockets.SOL_SOCKET, sockets.SO_ERROR)
        return self.code

    def connect_ex(self, address: object) -> int:
        return self.code

    def close(self) -> None:
        self.closed += 1


TO = Endpoint("inet4", ("192.0.2.1", 80))


@pytest.mark.parametrize(
    "code", [0, errno.ECONNREFUSED, errno.ETIMEDOUT, errno.ENETUNREACH, 99_999, 2**31 - 1]
)
def test_the_error_of_the_system_for_an_attempt(code: int) -> None:
    attempt = SocketAttempt(Reported(code), TO)  # type: ignore[arg-type]  # a fake
    decided = decide(attempt)
    if code:
        assert decided.attempt is attempt
        assert isinstance(decided.error, errors.TransportError)
        assert isinstance(decided.error, errors.ConnectionRefused) is (code == errno.ECONNREFUSED)
    else:
        assert decided == Decided(attempt)
    with pytest.raises(TypeError, match="another event loop"):
        socket_of(Attempt())


@pytest.mark.parametrize("family", ["inet4", "inet6", "unix"])
@pytest.mark.parametrize(
    "code", [0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.ECONNREFUSED, errno.ENETUNREACH]
)
def test_when_an_attempt_has_failed_at_once(family: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Reported(code)
    monkeypatch.setattr(dialer, "open_socket", lambda *_: fake)
    made = dialling()
    address = {"inet4": ("192.0.2.1", 80), "inet6": ("::1", 80, 0, 0), "unix": "/run/server"}[family]
    dialled = made.dial(Endpoint(family, address))  # type: ignore[arg-type]  # of one family each
    waits = code in {0, errno.EINPROGRESS} or (code == errno.EWOULDBLOCK and family != "unix")
    assert (dialled.error is None) is waits
    assert made.opened == {dialled.attempt}
    assert fake.closed == 0
    made.abandon(dialled.attempt)
    assert made.opened == set()
    assert fake.closed == 1


def test_a_socket_that_cannot_be_made_is_a_failed_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(dialer, "open_socket", refuse)
    made = dialling()
    dialled = made.dial(TO)
    assert isinstance(dialled, Dialled)
    assert isinstance(dialled.error, errors.TransportError)
    assert made.opened == set()


def test_only_the_returned_socket_stays_open() -> None:
    made = dialling()
    fakes = [Reported(0) for _ in range(3)]
    attempts = [SocketAttempt(fake, TO) for fake in fakes]  # type: ignore[arg-type]  # fakes
    made.opened.update(attempts)
    made.clear(keep=attempts[1])
    assert [fake.closed for fake in fakes] == [1, 0, 1]
    assert made.opened == {attempts[1]}
    made.clear(keep=None)
    assert [fake.closed for fake in fakes] == [1, 1, 1]


def test_a_socket_of_the_caller_keeps_its_address() -> None:
    tcp = mint.TCPOptions()
    assert given_socket(None, tcp) is None
    with (
        sockets.create_server(("127.0.0.1", 0)) as server,
        sockets.create_connection(server.getsockname()) as near,
    ):
        given = given_socket(near, tcp)
        assert given is not None
        assert (given.socket, given.endpoint) == (near, Endpoint("inet4", server.getsockname()))
        assert not near.getblocking()
        assert near.getsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY)
        with pytest.raises(ValueError, match="local_address"):
            given_socket(near, mint.TCPOptions(local_address=("127.0.0.1", 0)))


def test_asyncio_decides_once_if_several_attempts_are_connected_together() -> None:
    """Both are reported in the same iteration of the loop."""
    told: list[object] = []

    async def main(*near: sockets.socket) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context))
        driver = Driver(mint.TCPOptions(), None, None)
        attempts = [SocketAttempt(each, TO) for each in near]
        for _ in range(3):
            assert await driver._first(tuple(attempts), 10) in attempts
        for each in near:
            assert not loop.remove_writer(each.fileno())

    with contextlib.ExitStack() as stack:
        pairs = [sockets.socketpair() for _ in range(3)]
        for pair in pairs:
            for each in pair:
                stack.enter_context(each)
                each.setblocking(False)
        Loop(asyncio.SelectorEventLoop)(main(*(near for near, _ in pairs)))
    assert not told


# -- the size of reads


class Source:
    """A socket that returns at most `gives` octets for each read, and records the sizes of reads."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.gives = 0

    def recv(self, size: int, flags: int) -> bytes:
        self.sizes.append(size)
        return bytes(min(size, self.gives))


class Plain(SocketBase):
    """A link of which only `_read` is called."""

    def _pull(self, until: float | None, *, wait: bool) -> bytes | None:
        raise AssertionError

    def flush(self, timeout: float | None) -> None:
        raise AssertionError


def test_reads_grow_while_they_are_full_and_shrink_again() -> None:
    source = Source()
    link = Plain(source, mint.TCPOptions(receive_size=20_000))  # type: ignore[arg-type]  # a fake
    sizes = [20_000, 40_000, 80_000, LARGE_READ, LARGE_READ]
    assert LARGE_READ == 126_976
    for size in sizes:
        source.gives = size
        assert len(link._read(0)) == size
        assert link.likely
    for gives, likely in ((LARGE_READ - 1, False), (20_000, False), (19_999, False)):
        source.gives = gives
        assert len(link._read(0)) == gives
        assert link.likely is likely
    assert source.sizes == [*sizes, LARGE_READ, LARGE_READ, LARGE_READ]
    source.gives = 20_000
    link._read(0)
    assert source.sizes[-1] == 20_000
    assert link.likely


@pytest.mark.parametrize("first", [1, LARGE_READ - 1, LARGE_READ, LARGE_READ + 1, 1_000_000])
def test_reads_never_become_smaller_than_the_first(first: int) -> None:
    source = Source()
    link = Plain(source, mint.TCPOptions(receive_size=first))  # type: ignore[arg-type]  # a fake
    source.gives = first
    link._read(0)
    link._read(0)
    assert source.sizes == [first, min(2 * first, LARGE_READ) if first < LARGE_READ else first]
