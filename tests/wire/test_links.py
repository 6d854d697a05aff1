"""What a new link is like, and which links the compiled fast path may use."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import pytest

import mint
from mint import errors
from mint._loops.asyncio_link import AsyncioLink
from mint._loops.shared import TunnelLink
from mint._loops.trio_link import TrioLink
from mint._wire.pipe import Reading, Writing
from mint._wire.tls import TLSLayer
from mint.transport import Memory, SocketLink

from ..inboxes import Box

if TYPE_CHECKING:
    from mint.messages import Message

# The compiled code does what these methods do, without calling them.
IN_THE_FAST_PATH = ("claim", "release", "permit", "unsent", "written", "send", "receive", "accept", "poison")


def overriding(base: type[Memory], *names: str) -> type[Memory]:
    """Return a subclass with its own version of these attributes."""
    return type("Overriding", (base,), {name: property(lambda _: None) for name in names})


def test_a_link_that_overrides_nothing_of_the_fast_path_may_use_it() -> None:
    assert Memory().plain
    assert overriding(Memory)().plain
    assert overriding(Memory, "look", "socket", "flush", "close")._plain
    assert overriding(overriding(Memory, "look"), "close")._plain


@pytest.mark.parametrize("name", IN_THE_FAST_PATH)
def test_a_link_that_overrides_a_method_of_the_fast_path_does_not_use_it(name: str) -> None:
    changed = overriding(Memory, name)
    assert not changed._plain
    assert not overriding(changed, "look")._plain, "the method is inherited"
    assert not overriding(overriding(Memory, "look"), name)._plain


def test_a_class_may_state_that_its_methods_differ_in_nothing_that_counts() -> None:
    class Stated(Memory):
        _plain = True

        def poison(self) -> None:
            super().poison()

    assert Stated().plain
    assert not overriding(Stated)._plain, "a subclass must state it again"


@pytest.mark.parametrize("secure", [None, True, False])
def test_tls_of_a_link_is_that_of_the_connection_unless_it_ends_at_a_proxy(secure: bool | None) -> None:
    layer = TLSLayer(ssl.create_default_context(), "a.example")
    near, far = socket.socketpair()
    with far:
        link = SocketLink(near, mint.TCPOptions(), (layer,))
        assert link.ssl_object is layer.ssl_object
        if secure is None:
            link.begin()
        else:
            link.begin(secure=secure)
        assert link.ssl_object is (None if secure is False else layer.ssl_object)
        link.close()


def test_a_new_link_belongs_to_the_first_value() -> None:
    link = Memory()
    assert (link.generation, link.inbox, link.note) == (0, None, None)
    conn = mint.http1.initiate(link, scheme="http", hostname="a")
    later, _ = conn.request("GET", "/")
    assert link.generation == 1
    with pytest.raises(mint.errors.StaleConnectionError):
        conn.request("GET", "/")
    later.close()


@pytest.mark.parametrize("arrives", [False, True])
@pytest.mark.parametrize("armed", [False, True])
def test_a_look_tells_the_mailbox_what_it_has_taken_from_the_socket(arrives: bool, armed: bool) -> None:
    box = Box()
    near, far = socket.socketpair()
    with far:
        link = SocketLink(near, mint.TCPOptions())
        mint.http1.initiate(link, scheme="http", hostname="a", mailbox=box)
        link.armed = armed
        box.calls.clear()
        if arrives:
            far.sendall(b"HTTP")
        for _ in range(2):  # the second look finds nothing new
            assert (link.look() is not None) is arrives
            assert box.calls == (["watch"] if arrives and armed else [])
        link.close()


def test_a_link_is_congested_above_its_limit_if_something_must_be_received() -> None:
    link = Memory()
    link.high_water = 5
    for size, congested in ((5, False), (1, True)):
        link.queue_pieces((bytes(size),))
        assert not link.congested
        link.put(b"x")
        assert link.congested is congested
        link.receive(None)


@pytest.mark.parametrize(
    ("made", "fed", "number", "received", "broken"),
    [
        *((1, 0, 1, True, True), (2, 0, 1, True, True), (2, 1, 2, True, True)),
        *((2, 0, 2, False, True), (3, 0, 2, False, False), (3, 0, 3, False, True)),
        *((1, 1, 1, False, False), (2, 2, 1, False, False), (2, 2, 2, False, False)),
        *((2, 1, 1, False, False), (1, 0, 2, False, False)),
    ],
)
def test_which_messages_are_taken(made: int, fed: int, number: int, received: bool, broken: bool) -> None:
    """Each once and in order, but the last one in any case if it says that the connection is broken."""
    for taken, breaks in ((received, False), (broken, True)):
        link = Memory()
        for _ in range(made):
            link.next_number()
        link._accepted = fed
        message: Message = mint.Received(link.source, number, b"x")
        if breaks:
            message = mint.Broken(link.source, number, errors.TransportReset())
        try:
            link.accept(message)
        except errors.TransportReset:
            assert taken
        except errors.StaleConnectionError:
            assert not taken
        assert link._accepted == (number if taken else fed)


@pytest.mark.parametrize("reading", range(Reading.CLOSED + 1))
@pytest.mark.parametrize("writing", range(Writing.CLOSED + 1))
def test_a_message_out_of_order_for_a_link_that_was_closed(reading: int, writing: int) -> None:
    link = Memory()
    link._reading, link._writing = reading, writing
    closed = reading == Reading.CLOSED or (reading == Reading.FAILED and writing == Writing.CLOSED)
    with pytest.raises(errors.TransportClosed if closed else errors.StaleConnectionError):
        link.accept(mint.Received(link.source, 2, b"x"))


@pytest.mark.parametrize("reading", range(Reading.CLOSED + 1))
@pytest.mark.parametrize("arrived", [False, True])
@pytest.mark.parametrize("handed_out", [False, True])
@pytest.mark.parametrize("known", [False, True])
def test_what_a_look_returns(reading: int, arrived: bool, handed_out: bool, known: bool) -> None:
    link = Memory()
    if arrived:
        link.put(b"x")
    if handed_out:
        link.next_number()
    failure = errors.TransportReset() if known else None
    link._reading, link._failure = reading, failure
    found = link.look()
    if not (arrived or handed_out) and reading in {Reading.OPEN, Reading.CLOSED}:
        assert found is None
        return
    assert found is not None
    assert found.octets == ((b"x",) if arrived else ())
    assert found.ended is (reading in {Reading.ENDED, Reading.CUT})
    assert found.handed_out is handed_out
    if reading not in {Reading.FAILED, Reading.REPORTED}:
        assert found.failure is None
    elif known:
        assert found.failure is failure
    else:
        assert isinstance(found.failure, errors.TransportClosed)


@pytest.mark.parametrize("reading", range(Reading.CLOSED + 1))
@pytest.mark.parametrize("armed", [False, True])
@pytest.mark.parametrize("handed_out", [False, True])
@pytest.mark.parametrize("active", [False, True])
def test_who_reports_that_a_mailbox_could_not_write(
    reading: int, armed: bool, handed_out: bool, active: bool
) -> None:
    """Reading does, if it has not ended; after the peer's end, one more message does."""

    class Failing(Memory):
        def _write(self, *, wait: bool = True) -> None:
            raise failure

    failure = errors.TransportReset()
    link, box = Failing(), Box()
    if handed_out:
        link.next_number()
    link.inbox = box if active else None
    link._reading, link.armed = reading, armed
    link.write_now()
    over = reading in {Reading.ENDED, Reading.CUT} and not armed
    reports = over or reading == Reading.REPORTED
    assert link._reading == (Reading.FAILED if reports else reading)
    assert link._failure is (failure if reports else None)
    asks = over and active and not handed_out
    assert link.armed is (armed or asks)
    assert box.calls == (["watch"] if asks else [])


@pytest.mark.parametrize("arrived", [False, True])
@pytest.mark.parametrize("reading", [Reading.OPEN, Reading.ENDED, Reading.CLOSED])
def test_when_a_mailbox_may_have_to_read_the_rest(arrived: bool, reading: int) -> None:
    class Noting(Memory):
        def _leave_rest(self) -> None:
            calls.append("rest")

    calls: list[str] = []
    link = Noting()
    if arrived:
        link.put(b"x")
    link._reading = reading
    assert link.receive_now() == (b"x" if arrived else b"" if reading == Reading.ENDED else None)
    assert calls == (["rest"] if not arrived and reading == Reading.OPEN else [])


@pytest.mark.parametrize("queued", [False, True])
@pytest.mark.parametrize("closes", [False, True])
@pytest.mark.parametrize("writing", range(Writing.CLOSED + 1))
def test_a_link_that_closes_at_its_end_is_closed_once_everything_was_written(
    writing: int, closes: bool, queued: bool
) -> None:
    link = Memory()
    mint.http1.initiate(link, scheme="http", hostname="a").request("GET", "/")
    assert link.unsent
    if not queued:
        link.take()
    link._writing, link._closes_at_end = writing, closes
    link._finish_wire()
    written = not queued and writing in {Writing.SEALED, Writing.FINISHED}
    assert link._closed_at_end is (written and closes)
    if written:
        writing = Writing.CLOSED if closes else Writing.FINISHED
    assert link._writing == writing


@pytest.mark.parametrize("unsealed", [0, 1])
def test_close_notify_is_sent_from_the_inside_out(unsealed: int) -> None:
    """That of an inner layer passes through the layers around it, which must not have ended before.

    If octets are lost, there is none: the peer has to notice that.
    """
    told: list[str] = []

    class Outer(TLSLayer):
        def close_notify(self) -> None:
            told.append(self.name)

        name = "outer"

    class Inner(Outer):
        name = "inner"

    class Told(Memory):
        def _carry_out(self) -> None:
            told.append("carried out")

    context = ssl.create_default_context()
    link = Told()
    link._layers = (Outer(context, "a.example"), Inner(context, "a.example"))
    link._unsealed = unsealed
    link._say_goodbye()
    assert told == ([] if unsealed else ["inner", "carried out", "outer", "carried out"])


@pytest.mark.parametrize("reading", range(Reading.CLOSED + 1))
@pytest.mark.parametrize("writing", range(Writing.CLOSED + 1))
@pytest.mark.parametrize("known", [False, True])
def test_a_failure_of_writing_is_reported_after_the_end_if_nothing_has_reported_it(
    reading: int, writing: int, known: bool
) -> None:
    """Otherwise a mailbox would wait for a message about it, or the caller would be told twice."""
    link = Memory()
    link._reading, link._writing = reading, writing
    link._failure = errors.TransportReset() if known else None
    late = known and reading in {Reading.ENDED, Reading.CUT}
    reports = writing == Writing.FAILED and (late or reading == Reading.FAILED)
    assert link.reports_late_failure() is reports
    assert link._reading == (Reading.FAILED if reports else reading)


def test_the_links_of_all_event_loops_may_use_the_fast_path() -> None:
    assert all(each._plain for each in (Memory, SocketLink, AsyncioLink, TrioLink, TunnelLink))


def test_a_link_may_have_another_base_that_is_told_of_subclasses() -> None:
    told: list[str] = []

    class Noting:
        def __init_subclass__(cls) -> None:
            told.append(cls.__name__)

    class Both(Memory, Noting):
        pass

    assert told == ["Both"]
    assert Both._plain
