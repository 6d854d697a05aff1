"""`RequestFailed.error` is created on first access; otherwise it behaves like an ordinary attribute."""

from __future__ import annotations

import copy
import pickle
from dataclasses import fields, replace

import pytest

import mint
from mint.testing.frames import goaway, settings
from mint.transport import Memory


def failures(count: int = 3) -> list[mint.RequestFailed]:
    link = Memory()
    conn = mint.http2.initiate(link, scheme="http", hostname="example.org", port=80, identity=7)
    for _ in range(count):
        conn, _ref = conn.request("GET", "/")
    link.put(settings().serialize() + goaway(0).serialize())
    _, responses = conn.recv()
    failed = [each for each in responses if isinstance(each, mint.RequestFailed)]
    assert len(failed) == count
    return failed


def test_each_failure_has_its_own_error_which_never_changes() -> None:
    one, two, _ = failures()
    assert one.error is one.error
    assert one.error is not two.error
    assert one.error == two.error
    assert one.error.processed is mint.Processed.NO


def test_it_equals_a_failure_that_was_created_with_its_error() -> None:
    for ask in (copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each)), replace):
        failed = failures(1)[0]
        other = ask(failed)
        assert other == failed
        assert (other.ref, other.error) == (failed.ref, failed.error)
    failed = failures(1)[0]
    made = mint.RequestFailed(failed.ref, failures(1)[0].error)
    assert failed == made
    assert hash(failures(1)[0]) == hash(made)
    assert repr(failures(1)[0]) == repr(made)
    assert [each.name for each in fields(failed)] == ["ref", "error"]
    match failures(1)[0]:
        case mint.RequestFailed(ref, error):
            assert (ref, error) == (made.ref, made.error)


def test_it_has_no_other_attributes() -> None:
    failed = failures(1)[0]
    with pytest.raises(AttributeError, match="'RequestFailed' object has no attribute 'errors'"):
        getattr(failed, "errors")  # noqa: B009  # type checkers reject the attribute
    with pytest.raises(AttributeError):
        failed.error = failed.error  # type: ignore[misc]  # the test needs it
    with pytest.raises(AttributeError):
        object.__new__(mint.RequestFailed).error  # noqa: B018  # the access raises
