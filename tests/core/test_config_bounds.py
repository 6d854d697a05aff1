"""The configuration of each engine accepts exactly the range of each declared limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mint import HTTP1Options, HTTP2Options
from mint._declarations import declarations
from tests import http1_driver, http2_driver

if TYPE_CHECKING:
    from mint._core import http1, http2

KINDS: tuple[type[HTTP1Options | HTTP2Options], ...] = (HTTP1Options, HTTP2Options)
LIMITS = [
    (kind, declared.config or name, declared.least, declared.most)
    for kind in KINDS
    for name, declared in declarations(kind).items()
    if declared.kind == "limit"
]


def configured(kind: type[HTTP1Options | HTTP2Options], name: str, value: int) -> object:
    """Return the value that a configuration has after it was given this one."""
    made: http1.Config | http2.Config
    if kind is HTTP1Options:
        made = http1_driver.config(**{name: value})  # type: ignore[arg-type]  # every limit is a number
    else:
        made = http2_driver.config((), frozenset(), **{name: value})
    found: object = getattr(made, name)
    return found


@pytest.mark.parametrize(("kind", "name", "least", "most"), LIMITS)
def test_a_limit_has_exactly_its_range(
    kind: type[HTTP1Options | HTTP2Options], name: str, least: int, most: int
) -> None:
    for value in (least, least + 1, most - 1, most):
        assert configured(kind, name, value) == value
    for value in (least - 1, most + 1, -1, -(2**31), 2**32 + least):
        with pytest.raises(ValueError, match=f"{name} must be from {least} to {most}, not {value}"):
            configured(kind, name, value)
