"""The programs of the scenario table, each written once for all event loops."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import mint

from .handles import Late
from .pools import pool
from .record import DONE
from .scripts import content

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from .callers import Caller
    from .handles import Handle
    from .record import Exchange

Program: TypeAlias = "Callable[[Caller], Coroutine[object, object, None]]"

BODIES = (30, 0, 1, 3_000, 40_000, 150_000)


async def finish(caller: Caller, *handles: Handle) -> None:
    """Receive until no request is open; 30 seconds without data count as a lost wake-up."""
    while True:
        waiting = [each for each in handles if not each.closed and each.conn.open_request_count]
        if not waiting:
            return
        try:
            await caller.receive(waiting[0])
        except Late:
            caller.kernel.blame("waited in vain for what the server sent")
            for each in waiting:
                each.close()
            return


async def get(caller: Caller) -> None:
    """Send a request, or several if the connection allows."""
    handle = await caller.connect()
    for _ in range(1 + caller.kernel.choices.below(3)):
        if handle.closed or not handle.conn.is_open():
            break
        handle.request(caller.record.exchange(), "GET")
        await finish(caller, handle)
    handle.close()


async def send_all(caller: Caller, handle: Handle, exchange: Exchange, ref: mint.RequestRef) -> None:
    """Send content with the loop from the documentation, and end it."""
    most = (100_000, 5_000, 300)[caller.kernel.choices.below(3)]
    most = max(most, len(exchange.body) // 30)
    rest = exchange.body
    while rest:
        window = handle.body_open(ref)
        if window < 0 or handle.closed:
            return
        if window:
            piece = rest[: min(window, most)]
            if not handle.send(ref, piece):
                return
            rest = rest[len(piece) :]
            if rest and caller.kernel.choices.rarely(8):
                # Meanwhile the server may answer and close; blocking code does not notice that.
                await caller.sleep(1.5)
            if not caller.waits_to_send:
                await caller.flush(handle)
        else:
            await caller.receive(handle)
    if handle.body_open(ref) >= 0 and not handle.closed:
        handle.send(ref, mint.Eof())


async def upload(caller: Caller) -> None:
    """Send content: fixed, or streamed with or without a length."""
    choices = caller.kernel.choices
    handle = await caller.connect()
    kind = choices.below(3)
    body = content(77, BODIES[choices.below(len(BODIES))])
    if kind == 0 and choices.rarely(12):
        body = content(77, 1_500_000)
    exchange = caller.record.exchange(body)
    direct2 = caller.route in {"HTTP/2", "HTTP/2 over TLS"}
    try:
        # A fixed body larger than the window of HTTP/2 is refused.
        if kind == 0 and not (direct2 and len(body) > 1_000):
            handle.request(exchange, "POST", (), body)
        else:
            fields = [("content-length", str(len(body)))] if kind == 1 else []
            ref = handle.request(exchange, "POST", fields, mint.STREAM)
            if ref is not None:
                await send_all(caller, handle, exchange, ref)
    except Late:
        caller.kernel.blame("waited in vain while sending")
        handle.close()
    await finish(caller, handle)
    await settle(caller, handle, exchange)
    handle.close()


async def both(caller: Caller) -> None:
    """Send to a server that answers as it reads."""
    handle = await caller.connect()
    size = (3_000, 40_000, 150_000, 400_000)[caller.kernel.choices.below(4)]
    if caller.route == "plain" and caller.kernel.choices.rarely(40):
        size = 12_000_000  # more than the capacity of all queues together
    exchange = caller.record.exchange(content(78, size))
    ref = handle.request(exchange, "POST", (), mint.STREAM)
    if ref is not None:
        try:
            await send_all(caller, handle, exchange, ref)
        except Late:
            caller.kernel.blame("waited in vain while sending")
            handle.close()
    await finish(caller, handle)
    await settle(caller, handle, exchange)
    handle.close()


async def settle(caller: Caller, handle: Handle, exchange: Exchange) -> None:
    """After a complete request, wait until the server can have read it, or mint has ended the connection."""
    if handle.closed or not exchange.ended or exchange.end != DONE:
        return
    try:
        while not handle.conn.is_open() and handle.conn.is_open("read"):
            await caller.receive(handle)
        await caller.flush(handle)
    except Late:
        caller.kernel.blame("waited in vain at the end")
    await caller.sleep(10.0)
    exchange.settled = True


async def tunnel(caller: Caller) -> None:
    """Open a tunnel, send through it, half-close it, and read to the end."""
    choices = caller.kernel.choices
    handle = await caller.connect()
    body = content(79, (30, 0, 3_000, 40_000, 150_000)[choices.below(5)])
    exchange = caller.record.exchange(body)
    if caller.route in {"HTTP/2", "HTTP/2 over TLS"}:
        ref = handle.request(exchange, "CONNECT", (), mint.STREAM)
    else:
        ref = handle.request(exchange, "GET", [("connection", "upgrade"), ("upgrade", "echo")])
    try:
        while ref is not None and not (exchange.headed or handle.closed or exchange.end):
            await caller.receive(handle)
        kind = choices.below(4)
        if kind == 1:
            await caller.sleep(3.0)
        elif kind == 2:
            caller.stand_still(3.0)
        if ref is not None and exchange.status in {101, 200}:
            await send_all(caller, handle, exchange, ref)
    except Late:
        caller.kernel.blame("waited in vain in a tunnel")
        handle.close()
    await finish(caller, handle)
    await settle(caller, handle, exchange)
    handle.close()


async def cancel(caller: Caller) -> None:
    """Cancel requests in the middle, and cancel waits."""
    choices = caller.kernel.choices
    handle = await caller.connect()
    one = caller.record.exchange()
    ref = handle.request(one, "GET")
    for _ in range(choices.below(4)):
        if one.end is not None or handle.closed:
            break
        await caller.limited((0.0, 0.01, 0.3)[choices.below(3)], quietly(caller, handle))
    if ref is not None and one.end is None and isinstance(handle.conn, mint.HTTP2) and choices.below(2):
        one.abandoned = True
        try:
            handle.conn = handle.conn.cancel_request(ref)
        except mint.MintError as error:
            handle.failed(error)
        if handle.conn.is_open() and not handle.closed:
            handle.request(caller.record.exchange(), "GET")
    await finish(caller, handle)
    handle.close()


async def quietly(caller: Caller, handle: Handle) -> None:
    """Receive once; a timeout is ignored."""
    try:
        await caller.receive(handle, 0.3)
    except Late:
        return


async def timeout(caller: Caller) -> None:
    """Receive with short time limits; no wait may take longer, and nothing may be lost."""
    choices = caller.kernel.choices
    handle = await caller.connect()
    exchange = caller.record.exchange()
    handle.request(exchange, "GET")
    for _ in range(60):
        if exchange.end is not None or handle.closed or not handle.conn.open_request_count:
            break
        try:
            await caller.receive(handle, (0.5, 0.0, 0.001, 0.25, 2.0)[choices.below(5)])
        except Late:
            continue
    await finish(caller, handle)
    handle.close()


async def close(caller: Caller) -> None:
    """Keep several connections; close some of them in any state, and open new ones."""
    choices = caller.kernel.choices
    handles: list[Handle] = []
    for _ in range(2 + choices.below(3)):
        handle = await caller.connect()
        handle.request(caller.record.exchange(), "GET")
        handles.append(handle)
    for _ in range(1 + choices.below(4)):
        if choices.below(2):
            await caller.sleep(0.5)
        if choices.below(2) and any(each.conn.open_request_count for each in handles if not each.closed):
            live = [each for each in handles if not each.closed and each.conn.open_request_count]
            await caller.limited(1.0, quietly(caller, live[choices.below(len(live))]))
        if handles:
            at = choices.below(len(handles))
            handles[at].close()
            del handles[at]
        if choices.below(3):
            handle = await caller.connect()
            handle.request(caller.record.exchange(), "GET")
            handles.append(handle)
    await finish(caller, *handles)
    for handle in handles:
        handle.close()


class Interrupt(Exception):  # noqa: N818  # an event, as KeyboardInterrupt is
    """The exception that a signal handler raises."""


def interrupting() -> None:
    """Raise, as the handler of Ctrl-C does."""
    raise Interrupt


async def interrupt(caller: Caller) -> None:
    """Be interrupted anywhere; after that, a connection works or reports that it is closed."""
    kernel = caller.kernel
    for _ in range(1 + kernel.choices.below(3)):
        kernel.signals.append(interrupting)
        handle = await interrupted_get(caller, Interrupt)
        if handle is not None:
            await finish(caller, handle)
            handle.close()
        await caller.check_alive()
    if kernel.choices.below(2) and caller.can_close_inbox:
        kernel.signals.append(caller.close_inbox)
        handle = await interrupted_get(caller, mint.errors.MailboxClosed)
        if handle is not None:
            handle.close()


async def interrupted_get(caller: Caller, event: type[BaseException]) -> Handle | None:
    """Send a request while a signal may arrive."""
    handle: Handle | None = None
    exchange: Exchange | None = None
    try:
        handle = await caller.connect()
        exchange = caller.record.exchange()
        handle.interrupted = caller.record.interrupted = True
        handle.request(exchange, "GET")
        await finish(caller, handle)
    except (event, BaseExceptionGroup) as error:
        if isinstance(error, BaseExceptionGroup) and error.split(event)[1] is not None:
            raise
        caller.kernel.note("interrupted")
        caller.kernel.signals.clear()
        if caller.unfed is not None:
            caller.dispatch(caller.unfed)
        if handle is not None and not handle.closed:
            # The next operation shows whether the interrupted one has closed the connection.
            await caller.flush(handle)
    caller.kernel.signals.clear()
    if exchange is not None and handle is not None and exchange not in handle.exchanges.values():
        # It is unknown whether it was sent, and its ref is lost.
        exchange.abandoned = True
        handle.close()
    return handle


async def set_mode(caller: Caller) -> None:
    """Take connections out of a mailbox and put them back, in any state."""
    choices = caller.kernel.choices
    handles: list[Handle] = []
    for _ in range(1 + choices.below(3)):
        handle = await caller.connect()
        handle.request(caller.record.exchange(), "GET")
        handles.append(handle)
    for _ in range(1 + choices.below(4)):
        if choices.below(2):
            await caller.sleep(0.5)
        if choices.below(2):
            await caller.limited(1.0, quietly(caller, handles[0]))
        handle = handles[choices.below(len(handles))]
        if not handle.closed and handle.conn.is_open("read"):
            await caller.passive_for_a_while(handle)
    await finish(caller, *handles)
    for handle in handles:
        if not handle.closed and handle.conn.is_open():
            handle.request(caller.record.exchange(), "GET")
    await finish(caller, *handles)
    for handle in handles:
        handle.close()


async def move_to(caller: Caller) -> None:
    """Move connections between mailboxes, in any state."""
    choices = caller.kernel.choices
    handles: list[Handle] = []
    for _ in range(1 + choices.below(3)):
        handle = await caller.connect()
        handle.request(caller.record.exchange(), "GET")
        handles.append(handle)
    for _ in range(1 + choices.below(4)):
        if choices.below(2):
            await caller.sleep(0.5)
        if choices.below(2):
            await caller.limited(1.0, quietly(caller, handles[0]))
        handle = handles[choices.below(len(handles))]
        if not handle.closed and handle.conn.is_open("read"):
            caller.move(handle)
    await finish(caller, *handles)
    for handle in handles:
        handle.close()


async def threads(caller: Caller) -> None:
    """Use connections from several threads, as far as the documentation allows it."""
    kernel = caller.kernel
    if caller.route == "shared tunnel" and not caller.can_close_inbox:
        work = [partial(in_thread, caller, get if kernel.choices.below(2) else upload) for _ in range(3)]
    else:
        handles = [await caller.connect() for _ in range(1 + kernel.choices.below(4))]
        for handle in handles:
            handle.request(caller.record.exchange(), "GET")
        if caller.can_close_inbox:
            work = [partial(caller.receive_in_thread, handles) for _ in range(4)]
        else:
            # A thread that waits for a connection which another thread closes must stop waiting.
            work = [partial(in_thread, caller, partial(finish_closed, handle=each)) for each in handles]
            work += [partial(close_later, caller, each) for each in handles]
    kernel.join([kernel.spawn(f"t{at}", each) for at, each in enumerate(work)])
    for handle in list(caller.handles.values()):
        handle.close()


def in_thread(caller: Caller, program: Callable[[Caller], Coroutine[object, object, None]]) -> None:
    """Run a program of blocking code."""
    coroutine = program(caller)
    with suppress(StopIteration):
        coroutine.send(None)


async def finish_closed(caller: Caller, handle: Handle) -> None:
    """Receive until the end, or until another thread closes the connection."""
    while not handle.closed and handle.conn.open_request_count:
        try:
            await caller.receive(handle, 10.0)
        except Late:
            caller.kernel.blame("a thread still waits for a connection that another thread closed")
            return


def close_later(caller: Caller, handle: Handle) -> None:
    """Close a connection that another thread uses."""
    caller.stand_still(caller.kernel.choices.of((0.0, 0.1, 4.0)))
    for exchange in handle.exchanges.values():
        exchange.abandoned = True
    handle.interrupted = True
    handle.conn.close()


PROGRAMS: dict[str, Program] = {
    "get": get,
    "upload": upload,
    "both directions": both,
    "tunnel": tunnel,
    "cancel": cancel,
    "timeout": timeout,
    "close": close,
    "interrupt": interrupt,
    "set_mode": set_mode,
    "move_to": move_to,
    "threads": threads,
    "pool": pool,
}
