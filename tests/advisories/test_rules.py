"""Every rule that the advisories teach has a test here.

The names of tests in sections A, B, C and E contain the number of their rule. For section D, the tests of
each rule are listed below, because one test often concerns several rules.
"""

import re
from pathlib import Path

HERE = Path(__file__).parent

RULES = {
    1: "each part of a request is checked where it is serialized; a refused request is not sent in part",
    2: "a content-length consists of a limited number of ASCII digits; repeated values must agree",
    3: "framing that can be read in two ways is refused, or the connection is not used again",
    4: "a chunk size consists of a limited number of hexadecimal digits",
    5: "lines of the chunked coding end with CRLF, and chunk extensions have limits",
    6: "a field name is a token directly before the colon, and no value contains a CR, LF or NUL",
    7: "everything that accumulates has a limit, which applies to the accumulated length",
    8: "content is passed on as it arrives; no memory is allocated for an announced length",
    9: "the work is linear in the number of octets",
    10: "101 is accepted only if an upgrade was offered, and the number of 1xx responses is limited",
    11: "octets that arrive while no request is open are not a response; they end the connection",
    12: "a connection is used again only after a complete response",
    13: "a field block has limits on its size and its frames, after which nothing more of it is decoded",
    14: "an invalid HPACK integer, index, size update or Huffman code is a COMPRESSION_ERROR",
    15: "field lines are counted, including duplicates and pieces of cookies, and each costs 32 octets more",
    16: "push is off by default; if it is on, promises are limited and their authority is checked",
    17: "frames that cost the peer little are limited, and so are the replies that wait to be sent",
    18: "resets that the peer causes are limited, and no request is repeated automatically",
    19: "SETTINGS are checked before they are applied, and the entries of a frame are limited",
    20: "windows cannot overflow, and the window of the connection is always replenished",
    21: "input after a fatal error is ignored, and frames of unknown types have no effect",
    22: "only typed errors are raised, whatever arrives; their text is escaped and limited",
    23: "content is decompressed only if a program asks for it",
    24: "certificates are checked for the right name at each hop and on every route",
    25: "values that identify a connection differ if any of their fields differs",
    26: "a TLS session is resumed only with the same options, and no early data is sent",
    27: "credentials are sent only to the peer that they are meant for; redirects are not followed",
    28: "octets from before the start of TLS are never read as HTTP, and CONNECT is sent as specified",
    29: "hosts in misleading notations are refused, and a target is sent whole or refused",
    30: "the environment is read only on request, and HTTP_PROXY is ignored in CGI programs",
    31: "one deadline covers every step of connecting",
    32: "names that SOCKS cannot carry are refused",
    33: "parsers of field values always advance, and nothing from the peer is remembered or interned",
    34: "after a switch of protocols octets are passed on unparsed; the head before it has the usual limits",
    35: "logs and texts show no secrets; records are single lines of limited number and length",
    36: "unpickled values are checked again where they are used, and connections cannot be pickled",
    37: "both protocols, strict or lenient, give the same responses for the same message",
    38: "trailers have the syntax of other fields",
    39: "HTTP/2 messages are validated in both directions (RFC 9113 8)",
    40: "ending a stream or a connection in any state frees everything",
}
"""The rules by number, as the names of the tests cite them."""

SECTION_D = {
    24: (
        "test_the_name_is_checked",
        "test_the_name_is_checked_on_every_route",
        "test_none_does_not_turn_a_check_off",
    ),
    25: ("test_values_that_identify_a_connection_differ_in_each_field",),
    26: (
        "test_a_session_without_verification_is_not_resumed_with_it",
        "test_there_is_no_early_data",
    ),
    27: ("test_fields_for_the_proxy_and_for_the_origin_are_kept_apart", "test_nothing_is_redirected"),
    28: ("test_octets_before_tls_are_never_http", "test_connect_requests_follow_the_specification"),
    29: ("test_misleading_hosts_are_refused",),
    30: ("test_a_request_to_a_cgi_program_chooses_no_proxy", "test_a_zone_is_not_matched_as_a_name"),
    31: (
        "test_an_endless_response_does_not_extend_the_time_limit",
        "test_the_deadline_covers_the_negotiation",
    ),
    32: ("test_a_name_that_socks_cannot_carry_is_refused",),
}


def names() -> list[str]:
    """Return the tests of this folder."""
    return [
        name
        for path in sorted(HERE.glob("test_section_*.py"))
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]


def test_every_rule_has_a_test() -> None:
    found = names()
    shown = {int(number) for name in found for number in re.findall(r"(?<=_)r(\d\d)(?=_)", name)}
    shown |= {rule for rule, tests in SECTION_D.items() if set(tests) <= set(found)}
    assert sorted(set(RULES) - shown) == []
