"""Steps and responses: what a step consists of, and that its parts are read without a call."""

from __future__ import annotations

import types

import pytest

from mint._core.events import (
    CLOSE,
    KEEP,
    SHUT_WRITE,
    Data,
    Done,
    Event,
    Failed,
    Headers,
    Informational,
    RequestRef,
    Status,
    Step,
    Trailers,
)
from mint._core.faults import Fault
from mint._core.http1 import State
from tests.http1_driver import config
from tests.http2_driver import frame, opened

REF = RequestRef(7, 1)
FAULT = Fault("closed")
FIELDS = (("a", "b"),)

READ_OFTEN: list[tuple[object, dict[str, object]]] = [
    (Informational(REF, 103, FIELDS), {"ref": REF, "headers": FIELDS}),
    (Status(REF, 200), {"ref": REF}),
    (Headers(REF, FIELDS), {"ref": REF, "headers": FIELDS}),
    (Data(REF, b"octets"), {"ref": REF, "data": b"octets"}),
    (Trailers(REF, FIELDS), {"ref": REF, "headers": FIELDS}),
    (Done(REF), {"ref": REF}),
    (Failed(REF, FAULT), {"ref": REF}),
    (
        Step("state", [Done(REF)], (b"octets",), FAULT, REF, KEEP, ()),
        {"state": "state", "responses": [Done(REF)], "output": (b"octets",), "ref": REF},
    ),
]


@pytest.mark.parametrize(("made", "attributes"), READ_OFTEN, ids=lambda each: type(each).__name__)
def test_what_is_read_often_is_a_slot(made: object, attributes: dict[str, object]) -> None:
    """The interpreter reads a slot without a call."""
    for name, value in attributes.items():
        assert isinstance(vars(type(made))[name], types.MemberDescriptorType), name
        assert getattr(made, name) == value
        with pytest.raises(AttributeError):
            setattr(made, name, value)


def step(
    responses: list[Event] | None = None,
    output: tuple[bytes, ...] = (),
    fault: Fault | None = None,
    ref: RequestRef | None = None,
    end: int = KEEP,
) -> Step[str]:
    return Step("state", [] if responses is None else responses, output, fault, ref, end, ())


def test_a_step_is_plain_if_it_has_only_responses() -> None:
    several: list[list[Event]] = [[], [Done(REF)], [Status(REF, 200), Done(REF)]]
    for responses in several:
        assert step(responses).plain == responses
    assert step(ref=REF).plain == []
    for other in (
        step([Failed(REF, FAULT)]),
        step([Done(REF), Failed(REF, FAULT)]),
        step([Failed(REF, FAULT), Done(REF)]),
        step(output=(b"",)),
        step(fault=FAULT),
        step(end=SHUT_WRITE),
        step(end=CLOSE),
    ):
        assert other.plain is None
    noted = State(config()).traced(True).request("GET", "/", [], None, False).state
    assert noted.feed(b"HTTP/1.1 200 OK\r\n\r\n").plain is None
    timed = opened(max_glitches=10).feed(frame(0x77, 0, 0, b"x") * 6)
    assert (timed.timed, timed.output, timed.responses, timed.fault) == (True, (), [], None)
    assert timed.plain is None


def test_a_step_with_a_stand_in_has_the_same_parts() -> None:
    first = State(config()).request("GET", "/", [("a", "b")], None, False)
    second = first.state.request("GET", "/", [], None, False)
    assert first.alone
    assert not second.alone
    for made in (first, second, second.state.feed(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nX")):
        other = made.leading_to("stand-in")
        assert other.state == "stand-in"
        for name in ("responses", "output", "fault", "cause", "ref", "end", "notes", "alone", "timed"):
            assert getattr(other, name) == getattr(made, name), name


def test_a_step_does_not_show_its_output() -> None:
    made = step(output=(b"secret", b"more"), ref=REF, end=CLOSE)
    assert repr(made) == (f"Step(responses=[], output=<10 bytes>, fault=None, ref={REF!r}, end={CLOSE})")
    assert "output=<0 bytes>" in repr(step())
