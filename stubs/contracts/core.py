"""Typing contracts of the compiled core. Checked by mypy and pyright, never executed."""

from typing import assert_type

from mint._core.events import Data, Headers, RequestRef, Status
from mint._core.faults import Fault


def responses_are_narrowed_by_class(response: Status | Headers | Data) -> bytes:
    match response:
        case Status(status=status):
            assert_type(status, int)
        case Headers(headers=headers):
            assert_type(headers, tuple[tuple[str, str], ...])
        case Data(ref=ref, data=data):
            assert_type(ref, RequestRef)
            return assert_type(data, bytes)
    return b""


def faults_have_typed_fields(fault: Fault) -> None:
    assert_type(fault.reason, str)
    assert_type(fault.size, int)
    assert_type(fault.local, bool)
