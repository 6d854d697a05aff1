"""How the end of a server is waited for, in plain code and inside an event loop."""

import asyncio
import sys
import threading
from collections.abc import Callable


def loop_running() -> bool:
    """Return whether an event loop runs in this thread, so that blocking would block the loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _in_trio()
    return True


def _in_trio() -> bool:
    if "trio" not in sys.modules:
        return False
    import trio  # noqa: PLC0415  optional, and imported by somebody else already

    return trio.lowlevel.in_trio_run()


async def in_thread(work: Callable[[], None], hurry: Callable[[], None]) -> None:
    """Do `work` in a thread while the event loop goes on; on cancellation call `hurry` and wait."""
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
    # A thread of its own: one of the default executor would stay behind.
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
