"""Priority fields (RFC 9218) and alternative services (RFC 7838) as values."""

from __future__ import annotations

from contextlib import suppress
from typing import Any  # wrong arguments are passed, which the types forbid

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mint

H3 = mint.Alternative("h3", "", 443)


def test_what_an_alternative_is_by_default() -> None:
    """A service may be remembered for a day (RFC 7838 3.1)."""
    assert (H3.max_age, H3.persist) == (24 * 60 * 60, False)


@pytest.mark.rfc("9218-4.1-a")
@pytest.mark.parametrize(
    ("priority", "value"),
    [
        (mint.Priority(), "u=3"),
        (mint.Priority(0), "u=0"),
        (mint.Priority(7, incremental=True), "u=7, i"),
        (mint.Priority(incremental=True), "u=3, i"),
    ],
)
def test_the_field_of_a_priority(priority: mint.Priority, value: str) -> None:
    assert priority.value == value
    assert priority.field() == ("priority", value)
    assert mint.Priority.parse(value) == priority


@pytest.mark.parametrize("urgency", [-1, 8, 2**64, True, "1", None, 1.0])
def test_an_urgency_out_of_range_is_refused(urgency: object) -> None:
    with pytest.raises(ValueError, match="urgency must be"):
        mint.Priority(urgency)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("incremental", [None, 1, "i"])
def test_incremental_must_be_bool(incremental: object) -> None:
    with pytest.raises(ValueError, match="incremental must be"):
        mint.Priority(1, incremental)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.rfc("9218-4-a")
@pytest.mark.parametrize(
    ("value", "urgency", "incremental"),
    [
        ("", 3, False),
        ("i", 3, True),
        ("i=?1", 3, True),
        ("i=?0", 3, False),
        ("u=5,i", 5, True),
        ("  u=5 \t,\t i ", 5, True),
        ("u=1, u=2", 2, False),
        ("u=05", 5, False),
        # members that are out of range, of a wrong type, or unknown
        ("u=8, i", 3, True),
        ("u=-1", 3, False),
        ("u=1.0", 3, False),
        ('u="1"', 3, False),
        ("u=a", 3, False),
        ("u", 3, False),
        ("u=?1", 3, False),
        ("i=1", 3, False),
        ('i="?1"', 3, False),
        ("u=(1 2), i", 3, True),
        ("u=1;x=2;y, i;z=:YQ==:", 1, True),
        ('a=(1 "b\\"" c;d=1);e, *z=token/x, u=2', 2, False),
        ("a=(), u=2", 2, False),
        ("u=2, a=( 1 )", 2, False),
        # not a valid dictionary, so all of it is ignored
        ("u=2,", 3, False),
        (",u=2", 3, False),
        ("u=2 i", 3, False),
        ("u=2, =", 3, False),
        ("U=2", 3, False),
        ("u=", 3, False),
        ("u= 2", 3, False),
        ("u=2, a=(1", 3, False),
        ('u=2, a="x', 3, False),
        ("u=2, a=\xe4", 3, False),
        ("u=2\n", 3, False),
        ("u=9999999999999999", 3, False),
        ("u=2;", 3, False),
        ("u=2, a=(1\t2)", 3, False),
        ("u=2, a=(1 2", 3, False),
        ("u=2, a=(1)2", 3, False),
        ('u=2, a=(1"b")', 3, False),
    ],
)
def test_unknown_and_invalid_members_are_ignored(value: str, urgency: int, incremental: bool) -> None:
    assert mint.Priority.parse(value) == mint.Priority(urgency, incremental)


@given(st.text(st.sampled_from('ui=, ;?012()"\\:a*/x.-\t\xe4'), max_size=60))
def test_any_text_is_parsed(value: str) -> None:
    mint.Priority.parse(value)


@pytest.mark.parametrize("piece", ["a, ", "(", "a=(", '"\\', "u=1;a;", "a=(1 1 ", " ,", "a=(  ", "=?"])
def test_long_values_are_parsed_in_linear_time(piece: str) -> None:
    """The patterns use possessive repetition; with backtracking, some of these would never end."""
    for tail in ("", "\xe4", "a"):
        mint.Priority.parse(piece * 20_000 + tail)
        with suppress(ValueError):
            mint.alternatives(piece * 20_000 + tail)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("clear", ()),
        ("\tclear ", ()),
        ('h3=":443"', (H3,)),
        ('h3=":443"; ma=60; persist=1', (mint.Alternative("h3", "", 443, 60, persist=True),)),
        ('h3=":443";ma="60";x=y;z="a;b,c"', (mint.Alternative("h3", "", 443, 60),)),
        (
            'h2="Alt.test:8000" , h3=":443",,h2="[2001:DB8::1]:1"',
            (mint.Alternative("h2", "alt.test", 8000), H3, mint.Alternative("h2", "2001:db8::1", 1)),
        ),
        ('w%3Dx%3Ay#z=":1"', (mint.Alternative("w=x:y#z", "", 1),)),
        (r'h3="\:443"', (H3,)),
        ('h3=":443"; ma=99999999999999999999', (mint.Alternative("h3", "", 443, 2**31 - 1),)),
        ('h3=":443"; ma=-1; persist=0', (H3,)),
    ],
)
def test_alternatives(value: str, found: tuple[mint.Alternative, ...]) -> None:
    assert mint.alternatives(value) == found


@pytest.mark.parametrize(
    "value",
    [
        "",
        ",",
        "Clear",
        'clear, h3=":443"',
        "h3",
        "h3=:443",
        'h3="443"',
        'h3=":"',
        'h3=":0"',
        'h3=":65536"',
        'h3=":443',
        'h3=":443" h2=":1"',
        'h3=":443"; ma',
        'h3=":443";',
        'h3 =":443"',
        'h3="a b:443"',
        'h3="http://a:443"',
        'h3="a@b:443"',
        'h3="\xe4:443"',
        'h3=":\u0661"',
        'h3=":443"\n',
    ],
)
def test_invalid_alternative_services_are_refused(value: str) -> None:
    with pytest.raises(ValueError, match="alternative service"):
        mint.alternatives(value)


@given(st.text(st.sampled_from('h3=":,; \\ma%1[]\t'), max_size=60))
def test_any_value_gives_services_or_a_value_error(value: str) -> None:
    try:
        found = mint.alternatives(value)
    except ValueError:
        return
    assert all(0 < each.port <= 65_535 and each.max_age >= 0 for each in found)


@pytest.mark.parametrize("value", [None, 5, b"u=1", ["u=1"], object()])
def test_only_text_is_parsed(value: Any) -> None:
    with pytest.raises(TypeError, match="value"):
        mint.Priority.parse(value)
