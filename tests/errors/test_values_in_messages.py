"""Which values of a fault become which field of its error, and that the message shows them in order.

Each value of the fault is different, so that two that were exchanged, or one that was left out, are noticed.
"""

from __future__ import annotations

import errno
import os
import re
import socket

import pytest

from mint import errors
from mint._core.faults import Fault
from mint.errors.http2 import code_name
from mint.errors.table import from_fault, reasons
from mint.errors.transport import system_error

NAME, VALUE, SIZE, LIMIT, CODE = "a-name", "a value", 317, 211, 7
SEEN = re.compile(r"a-name|a value|317|211|REFUSED_STREAM|0xd3")

# The fields of the error of each reason that has any; the message shows them in this order.
FIELDS: dict[str, tuple[object, ...]] = {
    "too_many_pipelined_requests": (SIZE, LIMIT),
    "invalid_request_method": (VALUE,),
    "invalid_request_target": (VALUE, "byte 0xd3 at position 317 must be percent-encoded"),
    "invalid_header_name": (NAME, "byte 0xd3 at position 317 is not allowed in a field name"),
    "invalid_header_value": (NAME, VALUE, "byte 0xd3 at position 317 is a control character"),
    "invalid_request_framing": (NAME, VALUE),
    "invalid_pseudo_header": (NAME, VALUE),
    "connection_specific_header": (NAME,),
    "content_length_mismatch": (SIZE, LIMIT),
    "unallowed_trailing_header": (NAME,),
    "invalid_status_line": (VALUE, NAME),
    "status_line_too_long": (SIZE, LIMIT),
    "invalid_header": (VALUE, NAME),
    "max_header_list_size_exceeded": (SIZE, LIMIT),
    "too_many_headers": (SIZE, LIMIT),
    "too_many_informational": (SIZE, LIMIT),
    "invalid_chunk_size": (VALUE, NAME),
    "chunk_line_too_long": (SIZE, LIMIT),
    "chunk_overhead_exceeded": (SIZE, LIMIT),
    "missing_crlf_after_chunk": (VALUE,),
    "invalid_trailer_header": (VALUE, NAME),
    "invalid_content_length_header": (VALUE,),
    "empty_token_list": (NAME,),
    "invalid_token_list": (NAME, VALUE, ""),
    "unexpected_data": (VALUE,),
    "unexpected_upgrade": (VALUE,),
    "too_many_concurrent_requests": (SIZE, LIMIT),
    "exceeds_window_size": (NAME, LIMIT),
    "window_size_too_small": (SIZE, LIMIT),
    "malformed_response": (NAME, VALUE),
    "server_closed_request": (CODE,),
    "server_closed_connection": (CODE, VALUE),
    "protocol_error": (VALUE,),
    "frame_size_error": (VALUE,),
    "compression_error": (VALUE,),
    "flow_control_error": (VALUE,),
    "stream_closed": (VALUE,),
    "enhance_your_calm": (VALUE, NAME, SIZE, LIMIT),
    "http1_response": (VALUE,),
    "too_many_pings": (SIZE, LIMIT),
    "too_many_settings": (SIZE, LIMIT),
    "transport_timeout": (VALUE,),
    "unreachable": (VALUE,),
    "tls_failed": (VALUE,),
}
OTHER_ORDER = {"invalid_header_value": [VALUE, NAME, "0xd3", "317"]}
CODED = {"server_closed_request", "server_closed_connection"}


def error_of(reason: str) -> errors.MintError:
    code = CODE if reason in CODED else 0
    return from_fault(Fault(reason, name=NAME, value=VALUE, size=SIZE, limit=LIMIT, code=code))


def fields_of(error: errors.MintError) -> tuple[object, ...]:
    names: tuple[str, ...] = getattr(type(error), "__match_args__", ())
    return tuple(getattr(error, name) for name in names)


@pytest.mark.parametrize("reason", sorted(reasons()))
def test_the_fields_of_an_error(reason: str) -> None:
    assert fields_of(error_of(reason)) == FIELDS.get(reason, ())


@pytest.mark.parametrize("reason", sorted(reasons()))
def test_the_message_shows_every_field_in_order(reason: str) -> None:
    expected = OTHER_ORDER.get(reason)
    if expected is None:
        said = " ".join("REFUSED_STREAM" if each == CODE else str(each) for each in FIELDS.get(reason, ()))
        expected = SEEN.findall(said)
    assert SEEN.findall(str(error_of(reason))) == expected


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault("invalid_request_target", value="x", size=-1), "a fragment is never sent"),
        (Fault("invalid_request_target", value="x", size=0, limit=0xFF), "byte 0xff at position 0 must be"),
        (Fault("invalid_request_target", value="x", size=2, limit=0x100), "character U+0100 at position 2 m"),
        (Fault("invalid_header_name", name="x", size=-1), "'x' cannot be sent: it is empty"),
        (
            Fault("invalid_header_name", name="x", size=0, limit=0x20),
            "byte 0x20 at position 0 is not",
        ),
        (Fault("invalid_header_name", name="x", code=1), "extended CONNECT does not use it"),
        (Fault("invalid_header_value", name="x", size=-1), "or whitespace at its ends"),
        (Fault("invalid_header_value", name="x", size=0, limit=0x20), "sent: it begins with whitespace"),
        (Fault("invalid_header_value", name="x", size=1, limit=0x20), "sent: it ends with whitespace"),
        (Fault("invalid_header_value", name="x", size=0, limit=0x09), "sent: it begins with whitespace"),
        (Fault("invalid_header_value", name="x", size=3, limit=0x09), "sent: it ends with whitespace"),
        (Fault("invalid_header_value", name="x", size=3, limit=0x0A), "byte 0x0a at position 3 is a control"),
        (Fault("invalid_header_value", name="x", size=3, limit=0x100), "U+0100 at position 3 is not in lat"),
        (Fault("invalid_header_value", name="x", code=1), "sent: it is not a host with an optional port"),
        (Fault("invalid_header_value", name="x", code=6), "sent: it names no protocol"),
        (Fault("invalid_content_length_header", value="9" * 20), "is too large"),
        (Fault("invalid_content_length_header", value="-1"), "'-1' is not a decimal number"),
        (Fault("invalid_content_length_header", value="\u0661"), "is not a decimal number"),
        (Fault("invalid_token_list", name="x", value="y"), "'x' is not a list of tokens: 'y'"),
        (Fault("invalid_token_list", name="x", value="y", code=1), "value 'y': chunked is listed twice"),
        (Fault("unexpected_upgrade", value=""), "the server switched protocols, which the request did not"),
    ],
    ids=lambda each: str(each)[:60],
)
def test_messages_that_depend_on_a_value(fault: Fault, said: str) -> None:
    assert said in str(from_fault(fault))


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault("invalid_status_line", value="x"), "the server sent 'x' instead of a status line"),
        (Fault("invalid_header", value="x"), "the response header line 'x' is malformed"),
        (Fault("invalid_chunk_size", value="x"), "the chunk-size line 'x' is malformed"),
        (Fault("invalid_trailer_header", value="x"), "the trailer line 'x' is malformed"),
        (
            Fault("enhance_your_calm", value="x", size=1, limit=2),
            "the server exceeds a limit against floods: x",
        ),
        (Fault("transport_timeout"), "the timeout expired"),
    ],
    ids=lambda each: str(each)[:60],
)
def test_messages_without_a_cause(fault: Fault, message: str) -> None:
    assert str(from_fault(fault)) == message


def test_names_of_error_codes() -> None:
    assert [code_name(code) for code in (0, 13)] == ["NO_ERROR", "HTTP_1_1_REQUIRED"]
    assert [code_name(code) for code in (14, 255, -1)] == [
        "error code 0xe",
        "error code 0xff",
        "error code -0x1",
    ]


DOING, ADDRESS = "testing", "a.example:1"


def system(code: int) -> OSError:
    return OSError(code, os.strerror(code))


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (TimeoutError(), errors.TransportTimeout(DOING)),
        (system(errno.ETIMEDOUT), errors.TransportTimeout(DOING)),
        (system(errno.ECONNREFUSED), errors.ConnectionRefused(ADDRESS)),
        (socket.gaierror(socket.EAI_NONAME, "who?"), errors.NameNotResolved(ADDRESS, "who?")),
        (socket.gaierror(), errors.NameNotResolved(ADDRESS, "")),
        *((system(code), errors.TransportReset()) for code in (errno.ECONNRESET, errno.ECONNABORTED)),
        *((system(code), errors.TransportReset()) for code in (errno.ENETRESET, errno.EPROTOTYPE)),
        *((system(code), errors.TransportClosed()) for code in (errno.EPIPE, errno.ESHUTDOWN)),
        *((system(code), errors.TransportClosed()) for code in (errno.ENOTCONN, errno.EBADF)),
        (system(errno.ENOTSOCK), errors.TransportClosed()),
        (system(errno.ENETUNREACH), errors.Unreachable(f"{ADDRESS}: {os.strerror(errno.ENETUNREACH)}")),
        (system(errno.EMFILE), errors.Unreachable(f"{ADDRESS}: {os.strerror(errno.EMFILE)}")),
        (OSError("strange"), errors.Unreachable(f"{ADDRESS}: strange")),
    ],
    ids=repr,
)
def test_errors_of_the_system(raised: OSError, expected: errors.TransportError) -> None:
    made = system_error(raised, doing=DOING, address=ADDRESS)
    assert made == expected
    assert str(made) == str(expected)
    assert made.__cause__ is raised


def test_errors_of_the_system_without_an_address() -> None:
    assert system_error(OSError("strange")) == errors.Unreachable("strange")
    refused = str(system_error(system(errno.ECONNREFUSED)))
    assert refused == "the connection to the server was refused"
    assert str(system_error(TimeoutError())) == "the timeout expired"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (errors.ConnectionRefused("a:1"), "the connection to a:1 was refused"),
        (errors.NameNotResolved("a.test", "why"), "the name 'a.test' has no address: why"),
        (errors.NameNotResolved("a.test"), "the name 'a.test' has no address: unknown name"),
        (errors.Unreachable("why"), "the connection failed: why"),
        (errors.TLSFailed("why"), "TLS failed: why"),
        (errors.CertificateRejected("why"), "the server's certificate was rejected: why"),
        (errors.HostnameRejected("why"), "the server's certificate was rejected: why"),
        (errors.InadequateSecurity("why"), "the TLS connection is too weak for HTTP/2: why"),
    ],
    ids=repr,
)
def test_messages_of_transport_errors(error: errors.MintError, message: str) -> None:
    assert str(error) == message


def test_the_protocol_that_was_chosen_is_shown() -> None:
    assert "the ALPN protocol 'h3';" in str(errors.BadALPNProtocol("h3"))
