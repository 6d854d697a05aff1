"""What the caller does: the programs of the scenario table, written once for every event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mint

from .callers import Late
from .scripts import content

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from .callers import Caller, Handle
    from .record import Exchange

BODIES = (30, 0, 1, 3_000, 40_000, 150_000)


async def finish(caller: Caller, *handles: Handle) -> None:
    """Receive until nothing is open; whoever has nothing in 30 seconds never will."""
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
    """Ask for something, several times if the connection allows."""
    handle = await caller.connect()
    for _ in range(1 + caller.kernel.choices.below(3)):
        if handle.closed or not handle.conn.is_open():
            break
        handle.request(caller.record.exchange(), "GET")
        await finish(caller, handle)
    handle.close()


async def send_all(caller: Caller, handle: Handle, exchange: Exchange, ref: mint.RequestRef) -> None:
    """Send content by the loop of the documentation, and end it."""
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
    exchange = caller.record.exchange(body)
    window = 65_535 if "HTTP/2" in caller.route else 1 << 30
    try:
        if kind == 0 and len(body) <= window and caller.route != "HTTP/2":
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
    handle.close()


async def both(caller: Caller) -> None:
    """Send to a server that answers as it reads."""
    handle = await caller.connect()
    size = (3_000, 40_000, 150_000, 400_000)[caller.kernel.choices.below(4)]
    exchange = caller.record.exchange(content(78, size))
    ref = handle.request(exchange, "POST", (), mint.STREAM)
    if ref is not None:
        try:
            await send_all(caller, handle, exchange, ref)
        except Late:
            caller.kernel.blame("waited in vain while sending")
            handle.close()
    await finish(caller, handle)
    handle.close()


async def tunnel(caller: Caller) -> None:
    """Open a tunnel, send through it, end our direction, read to the end."""
    choices = caller.kernel.choices
    handle = await caller.connect()
    body = content(79, (30, 3_000, 40_000)[choices.below(3)])
    exchange = caller.record.exchange(body)
    if caller.route.startswith("HTTP/2") and "tunnel" not in caller.route:
        ref = handle.request(exchange, "CONNECT", (), mint.STREAM)
    else:
        ref = handle.request(exchange, "GET", [("connection", "upgrade"), ("upgrade", "echo")])
    try:
        while ref is not None and not exchange.status and not handle.closed and exchange.end is None:
            await caller.receive(handle)
        if choices.below(2):
            await caller.sleep(3.0)
        if ref is not None and exchange.status in {101, 200}:
            await send_all(caller, handle, exchange, ref)
    except Late:
        caller.kernel.blame("waited in vain in a tunnel")
        handle.close()
    await finish(caller, handle)
    handle.close()


async def cancel(caller: Caller) -> None:
    """Give requests up in the middle, and cancel waits."""
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
    """Receive once; a time that is up is no matter."""
    try:
        await caller.receive(handle, 0.3)
    except Late:
        return


async def timeout(caller: Caller) -> None:
    """Receive with short limits of time; none may take longer, and nothing gets lost."""
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
    """Keep several connections; close some whatever they wait for, and open new ones."""
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


PROGRAMS: dict[str, Callable[[Caller], Coroutine[object, object, None]]] = {
    "get": get,
    "upload": upload,
    "both directions": both,
    "tunnel": tunnel,
    "cancel": cancel,
    "timeout": timeout,
    "close": close,
}
