"""Targets, authorities and what refusals show of them, as tables for both protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mint._core.http1 import State as Http1
from tests import http1_driver, http2_driver

if TYPE_CHECKING:
    from mint._core.faults import Fault

PROTOCOLS = ("http1", "http2")


def fault_of(
    protocol: str,
    method: str = "GET",
    target: str = "/",
    headers: list[tuple[str, str]] | None = None,
    *,
    unchecked: bool = False,
) -> Fault | None:
    """Make a request; return why it is refused."""
    streaming = method == "CONNECT"
    if protocol == "http1":
        state = Http1(http1_driver.config(skip_target_validation=unchecked))
        return state.request(method, target, headers or [], None, streaming).fault
    talk = http2_driver.opened(skip_target_validation=int(unchecked))
    return talk.state.request(method, target, headers or [], None, streaming).fault


HOSTS = [
    ("h", True),
    ("example.org", True),
    ("%41", True),
    ("[::1]", True),
    ("[x", False),
    ("x]", False),
    ("[]", False),
    ("[", False),
    ("[a[b]", False),
    ("[a]b]", False),
    ("[a]b", False),
    ("a[b]", False),
    ("a@b", False),
    ("a/b", False),
    ("a?b", False),
    ("a#b", False),
    ("a:b", False),
    ("", False),
]
# The part after the host: for CONNECT, which needs a port, and for an absolute target, which does not.
PORTS = [
    (":80", True, True),
    (":1", True, True),
    (":0", True, True),
    (":00080", True, True),
    (":65535", True, True),
    (":65536", False, False),
    (":99999", False, False),
    (":000080", False, False),
    (":655360", False, False),
    (":8a", False, False),
    (":-1", False, False),
    (":+1", False, False),
    (":", False, True),
    ("", False, True),
    (":80:", False, False),
    ("::80", False, False),
    (":80 ", False, False),
    (":\u0661", False, False),
    (":\xb2", False, False),
]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_connect_needs_a_host_and_a_port(protocol: str) -> None:
    for host, good in HOSTS:
        for port, with_port, _ in PORTS:
            fault = fault_of(protocol, "CONNECT", host + port)
            assert (fault is None) == (good and with_port), host + port
            assert fault is None or fault.reason == "invalid_request_target"


@pytest.mark.parametrize("rest", ["", "/", "/path?a=b", "?a=b", "/@", "?@", "/:", "?["])
def test_an_absolute_target_needs_a_host(rest: str) -> None:
    """HTTP/2 has no such targets."""
    for host, good in [*HOSTS, ("a,b", False)]:
        for port, _, without_port in PORTS:
            given = host + port
            if any(mark in given for mark in "/?#"):
                continue  # there, something else begins
            fault = fault_of("http1", "GET", f"https://{given}{rest}")
            assert (fault is None) == (good and without_port), given
            assert fault is None or fault.reason == "invalid_request_target"


TARGETS = [
    ("GET", "/", True),
    ("GET", "*", False),
    ("OPTIONS", "*", True),
    ("OPTIONS", "**", False),
    ("GET", "/a#b", False),
    ("GET", "", False),
    ("GET", "a", False),
    ("GET", "example.org:80", False),
    ("GET", "http:/example.org", False),
    ("GET", "ftp://example.org/", False),
    ("GET", "://example.org/", False),
    ("GET", "http://", False),
    ("GET", "http:///", False),
    ("GET", "/%41", True),
    ("GET", "/%4", False),
    ("GET", "/%", False),
    ("GET", "/%g1", False),
    ("GET", "/%1g", False),
    ("GET", "/%%41", False),
    ("GET", "/\u20ac", False),
]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("method", "target", "good"), TARGETS)
def test_the_form_of_a_target_fits_its_method(protocol: str, method: str, target: str, good: bool) -> None:
    fault = fault_of(protocol, method, target)
    assert (fault is None) == good, fault
    assert fault is None or fault.reason == "invalid_request_target"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_unchecked_target_has_no_octet_that_ends_it(protocol: str) -> None:
    for code in range(0x120):
        mark = chr(code)
        refused = code <= 0x20 or 0x7F <= code <= 0xA0 or code > 0xFF
        for target in (mark, f"{mark}x", f"/x{mark}", f"/x{mark}y"):
            fault = fault_of(protocol, "GET", target, unchecked=True)
            assert (fault is not None) == refused, target
    assert fault_of(protocol, "GET", "", unchecked=True) is not None


# What is shown of targets that are refused for the space at their end.
SHOWN = [
    ("http://u:p@h/", "http://(redacted)@h/"),
    ("http:///u@h", "http:///(redacted)@h"),
    ("http://h/a@b", "http://(redacted)@b"),
    ("http:/u@h", "(redacted)@h"),
    ("ab://u@", "ab://(redacted)@"),
    ("a b://u@h/", "(redacted)@h/"),
    ("://u@h", "(redacted)@h"),
    ("a@b://c", "(redacted)@b://c"),
    ("@http://h", "(redacted)@http://h"),
    ("u:p@h", "(redacted)@h"),
    ("u@v@h", "(redacted)@h"),
    ("x@", "(redacted)@"),
    ("@", "(redacted)@"),
    ("//u:p@h", "//(redacted)@h"),
    ("///u:p@h", "///(redacted)@h"),
    ("/u:p@h", "/(redacted)@h"),
    ("/a//b@c", "/(redacted)@c"),
    ("//@", "//(redacted)@"),
    ("/@", "/@"),
    ("/u@h", "/u@h"),
    ("/a/b@c", "/a/b@c"),
    ("/a/b@c:d", "/a/b@c:d"),
    ("/a/b", "/a/b"),
    ("h", "h"),
]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("target", "shown"), SHOWN)
def test_what_is_shown_of_a_target(protocol: str, target: str, shown: str) -> None:
    fault = fault_of(protocol, "GET", target + " ")
    assert fault is not None
    assert (fault.reason, fault.name, fault.value) == ("invalid_request_target", "GET", shown + " ")
    assert (fault.size, fault.limit) == ((target + " ").index(" "), 0x20)


# Targets with wrong characters, and the position of the first one.
PLACES = [
    *((" ", 0), ("/ ", 1), ("/a b c", 2), ("/a\n", 2), ("/\x7f", 1), ("/\u20ac ", 1)),
    *(("/%41 ", 4), ("/%41%42 ", 7), ("/%41b\xe9", 5), ("%41\xe9", 3), ("/a%41%4a%ffb ", 12)),
    *(
        ("/%", 1),
        ("/%4", 1),
        ("/%zz", 1),
        ("/%4z", 1),
        ("/%z4", 1),
        ("/%%41", 1),
        ("/%41%", 4),
        ("/%41%4", 4),
    ),
    *(("/%41%zz", 4), ("/% 41", 1), ("/%4 1", 1)),
]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("target", "place"), PLACES)
def test_a_refused_target_names_the_first_wrong_character(protocol: str, target: str, place: int) -> None:
    fault = fault_of(protocol, "GET", target)
    assert fault is not None
    assert (fault.reason, fault.value) == ("invalid_request_target", target)
    assert (fault.size, fault.limit) == (place, ord(target[place]))


# Reason, what is shown of the name and of the value, the position of the wrong character, and the character.
REFUSED = [
    ("a b", "c", ("invalid_header_name", "a b", "", 1, 0x20)),
    ("", "x", ("invalid_header_name", "", "", -1, 0)),
    ("a\u20ac", "b", ("invalid_header_name", "a\u20ac", "", 1, 0x20AC)),
    ("co\nokie", "v", ("invalid_header_name", "co(redacted)", "", 2, 0x0A)),
    ("x", "a\n", ("invalid_header_value", "x", "a\n", 1, 0x0A)),
    ("x", " ", ("invalid_header_value", "x", " ", 0, 0x20)),
    ("x", "a ", ("invalid_header_value", "x", "a ", 1, 0x20)),
    ("x", "abc\t", ("invalid_header_value", "x", "abc\t", 3, 0x09)),
    ("x", "\t", ("invalid_header_value", "x", "\t", 0, 0x09)),
    ("x", " a", ("invalid_header_value", "x", " a", 0, 0x20)),
    ("x", "\u20ac", ("invalid_header_value", "x", "\u20ac", 0, 0x20AC)),
    ("x", "\xff\x7f", ("invalid_header_value", "x", "\xff\x7f", 1, 0x7F)),
    ("x", "cookie: a\n", ("invalid_header_value", "x", "", 9, 0x0A)),
    ("cookie", "a\0", ("invalid_header_value", "cookie", "", 1, 0)),
]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("name", "value", "expected"), REFUSED)
def test_a_refused_field_names_the_character(
    protocol: str, name: str, value: str, expected: tuple[str, str, str, int, int]
) -> None:
    fault = fault_of(protocol, headers=[("before", "good"), (name, value)])
    assert fault is not None
    assert (fault.reason, fault.name, fault.value, fault.size, fault.limit) == expected


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("method", ["", "A B", "G\u20ac", "\xe9", "GET\n", "\0GET"])
def test_a_method_is_a_token(protocol: str, method: str) -> None:
    fault = fault_of(protocol, method)
    assert fault is not None
    assert (fault.reason, fault.name, fault.value) == ("invalid_request_method", "", method)
    assert (fault.size, fault.limit) == (0, 0)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_refused_target_without_a_wrong_character_names_none(protocol: str) -> None:
    for method, target in (("GET", ""), ("GET", "*"), ("GET", "h"), ("CONNECT", "h"), ("CONNECT", "h:65536")):
        fault = fault_of(protocol, method, target)
        assert fault is not None
        assert (fault.reason, fault.value) == ("invalid_request_target", target)
        assert (fault.size, fault.limit) == (-1, 0)
