"""Wait for the end of a server inside an event loop, without blocking the loop."""

import asyncio
import sys
import threading
from collections.abc import Callable


def loop_running() -> bool:
    """Whether an event loop runs in this thread, which a blocking call would block."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _in_trio()
    return True


def _in_trio() -> bool:
    if "trio" not in sys.modules:
        return False
    import trio  # noqa: PLC0415  optional, and already imported elsewhere

    return trio.lowlevel.in_trio_run()


async def in_thread(work: Callable[[], None], hurry: Callable[[], None]) -> None:
    """Run `work` in a thread while the event loop continues; if cancelled, call `hurry` and wait for it."""
    if _in_trio():
        await _in_thread_of_trio(work, hurry)
        return
    await _in_thread_of_asyncio(work, hurry)


async def _in_thread_of_trio(work: Callable[[], None], hurry: Callable[[], None]) -> None:
    import trio  # noqa: PLC0415  as above

    async def hurry_when_cancelled() -> None:
        try:
            await trio.sleep_forever()
        finally:
            hurry()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hurry_when_cancelled)
        await trio.to_thread.run_sync(work)
        nursery.cancel_scope.cancel()


async def _in_thread_of_asyncio(work: Callable[[], None], hurry: Callable[[], None]) -> None:
    # Not with the default executor, whose thread would remain after the test.
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def finish(error: BaseException | None) -> None:
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        failed: BaseException | None = None
        try:
            work()
        except BaseException as error:  # noqa: BLE001  raised in the task that waits
            failed = error
        loop.call_soon_threadsafe(finish, failed)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        await asyncio.shield(done)
    except asyncio.CancelledError:
        hurry()
        await done
        raise
    finally:
        thread.join()
