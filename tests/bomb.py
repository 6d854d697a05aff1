"""Raise an exception at any instruction of mint's Python code, as a signal handler may."""

from __future__ import annotations

import dis
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import mint

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

ROOT = str(Path(mint.__file__).parent)
SERVERS = str(Path(ROOT, "testing"))


QUIET = {
    *("RETURN_VALUE", "RETURN_CONST", "NOP"),
    # Between a coroutine and its caller.
    *("GET_AWAITABLE", "SEND", "END_SEND", "YIELD_VALUE", "JUMP_BACKWARD_NO_INTERRUPT"),
}


class Interrupt(BaseException):
    """The exception that the handler raises, as Ctrl-C raises KeyboardInterrupt."""


@cache
def quiet(code: CodeType) -> frozenset[int]:
    """Return the offsets where no handler runs: before returns, and before `with` calls `__exit__`.

    An exception there would lose the returned value, or would not release what the `with` statement acquired.
    CPython runs handlers after calls, at the start of a function and when a loop repeats.
    """
    found: set[int] = set()
    steps = list(dis.get_instructions(code))
    for at, step in enumerate(steps):
        if step.opname in QUIET or (step.opname == "RESUME" and (step.arg or 0) & 3 > 1):
            found.add(step.offset)
        nothing = steps[at : at + 3]
        if len(nothing) == 3 and all(each.opname == "LOAD_CONST" and each.argval is None for each in nothing):
            # In `async with`, the call only creates the awaitable.
            ends = next((each for each in steps[at + 3 : at + 5] if each.opname == "CALL"), None)
            if ends is not None and ends.arg in {2, 3}:
                found.update(each.offset for each in steps[at : at + 5] if each.offset <= ends.offset)
                if at and steps[at - 1].opname == "SWAP":  # moves the return value of the block
                    found.add(steps[at - 1].offset)
        if step.opname == "GET_AWAITABLE":
            found.update(each.offset for each in steps[at : at + 2])
    return frozenset(found)


CHECKED = ("CALL", "RESUME", "JUMP_BACKWARD", "POP_JUMP_BACKWARD")


def serves(frame: FrameType) -> bool:
    """Return whether a server of `mint.testing` called this function of mint."""
    at: FrameType | None = frame
    while at is not None and at.f_code.co_filename.startswith((ROOT, "<")):
        if at.f_code.co_filename.startswith(SERVERS):
            return True
        at = at.f_back
    return False


class Bomb:
    """Raises before the n-th instruction of mint at which a handler may run.

    CPython runs handlers only after some instructions. With `everywhere`, all instructions count that are not
    `quiet`, because functions must not depend on where exactly the interpreter checks for signals.
    """

    def __init__(self, at: int, *, everywhere: bool = True, error: type[BaseException] = Interrupt) -> None:
        self.left = at
        self.error = error
        self.where = ""
        self._everywhere = everywhere
        self._checked: dict[FrameType, bool] = {}

    def __call__(self, frame: FrameType, event: str, _: object) -> Bomb | None:
        if event == "call":
            name = frame.f_code.co_filename
            if not self.left or not name.startswith(ROOT) or serves(frame):
                return None
            frame.f_trace_opcodes = True
            frame.f_trace_lines = False
            return self
        if event == "opcode" and self.left:
            if not self._everywhere:
                before = self._checked.get(frame, True)
                name = dis.opname[frame.f_code.co_code[frame.f_lasti]]
                self._checked[frame] = name.startswith(CHECKED)
                if not before:
                    return self
            if frame.f_lasti in quiet(frame.f_code):
                return self
            self.left -= 1
            if not self.left:
                self.where = f"{frame.f_code.co_qualname}, line {frame.f_lineno}"
                self._checked.clear()
                self._go_off()
        elif event == "exception":
            self._checked[frame] = False
        elif event == "return":
            self._checked.pop(frame, None)
        return self

    def _go_off(self) -> None:
        raise self.error

    def goes_off(self, work: Callable[[], object]) -> bool:
        """Run the work; return false if it ended before the exception was raised."""
        sys.settrace(self)
        try:
            work()
        except self.error:
            return True
        finally:
            sys.settrace(None)
        return False


class Handler(Bomb):
    """Calls a function before the n-th instruction of mint, as a signal handler that raises nothing."""

    def __init__(self, at: int, call: Callable[[], object]) -> None:
        super().__init__(at)
        self._call = call

    def _go_off(self) -> None:
        self._call()

    def runs(self, work: Callable[[], object]) -> bool:
        """Run the work; return false if it ended before the function was called."""
        sys.settrace(self)
        try:
            work()
        finally:
            sys.settrace(None)
        return not self.left
