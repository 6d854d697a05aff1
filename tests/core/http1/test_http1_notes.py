"""The notes of a request are exactly its lines, and how many octets of body there are, if any."""

from __future__ import annotations

import pytest

from mint._core.http1 import State
from tests.http1_driver import AGENT, HOST, config

LINES = ["POST /a HTTP/1.1", f"host: {HOST}", f"user-agent: {AGENT}"]


@pytest.mark.parametrize("size", [None, 0, 1, 2, 70_000])
def test_a_request_is_noted_line_by_line(size: int | None) -> None:
    body = None if size is None else (b"x" * size,)
    step = State(config()).traced(True).request("POST", "/a", [("a", "b")], body, False)
    expected = [*LINES, f"content-length: {size or 0}", "a: b"]
    if size:
        expected.append(f"({size} octets of body)")
    assert [one.text for one in step.notes] == expected
    assert all(one.outgoing for one in step.notes)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_request_without_a_body_says_nothing_about_one(method: str) -> None:
    step = State(config()).traced(True).request(method, "/a", [], None, False)
    assert [one.text for one in step.notes] == [f"{method} /a HTTP/1.1", *LINES[1:]]
