"""Faults are values: every part is kept, compared, shown and pickled."""

from __future__ import annotations

import pickle
from typing import TypedDict

import pytest

from mint._core.faults import Fault


class Parts(TypedDict, total=False):
    """The parts of a fault besides its reason."""

    name: str
    value: str
    size: int
    limit: int
    code: int
    processed: int
    local: bool


NOTHING: Parts = {"name": "", "value": "", "size": 0, "limit": 0, "code": 0, "processed": 1, "local": False}
ONE_PART: dict[str, Parts] = {
    "name": {"name": "n"},
    "value": {"value": "v"},
    "size": {"size": 2},
    "limit": {"limit": 3},
    "code": {"code": 4},
    "processed": {"processed": 2},
    "not processed": {"processed": 0},
    "local": {"local": True},
}
LARGE: Parts = {"size": 2**40, "limit": 2**41, "code": 2**32 - 1}


def parts(fault: Fault) -> Parts:
    return {
        "name": fault.name,
        "value": fault.value,
        "size": fault.size,
        "limit": fault.limit,
        "code": fault.code,
        "processed": fault.processed,
        "local": fault.local,
    }


@pytest.mark.parametrize("given", [{}, *ONE_PART.values(), LARGE])
def test_every_part_is_kept_and_the_others_have_their_defaults(given: Parts) -> None:
    fault = Fault("closed", **given)
    assert fault.reason == "closed"
    assert parts(fault) == {**NOTHING, **given}
    assert repr(fault) == f"Fault{('closed', *parts(fault).values())!r}"
    again = pickle.loads(pickle.dumps(fault))
    assert again == fault
    assert parts(again) == parts(fault)


def test_faults_are_equal_if_all_their_parts_are() -> None:
    kinds = [Fault("closed"), Fault("other"), *(Fault("closed", **given) for given in ONE_PART.values())]
    twins = [Fault("closed"), Fault("other"), *(Fault("closed", **given) for given in ONE_PART.values())]
    for i, one in enumerate(kinds):
        for k, other in enumerate(twins):
            assert (one == other) == (i == k), (one, other)
            assert (one != other) == (i != k), (one, other)
        assert hash(one) == hash(twins[i])
        assert one != repr(one)
        assert one.__eq__(repr(one)) is NotImplemented
    assert len({hash(one) for one in kinds}) == len(kinds)
