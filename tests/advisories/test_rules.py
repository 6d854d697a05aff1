"""Every rule that the advisories teach has a test here.

Tests of sections A, B, C and E carry the number of their rule in their name; those of section D are listed
below, because one way of connecting shows several rules at once.
"""

import re
from pathlib import Path

HERE = Path(__file__).parent

SECTION_D = {
    24: ("test_the_name_is_checked", "test_no_way_drops_the_check", "test_none_never_means_off"),
    25: ("test_values_that_name_a_connection_differ_where_one_field_does",),
    26: (
        "test_a_session_that_was_not_verified_is_not_resumed_where_it_must_be",
        "test_there_is_no_early_data",
    ),
    27: ("test_what_is_for_the_proxy_stays_there_and_the_reverse", "test_nothing_is_redirected"),
    28: ("test_octets_before_tls_are_never_http", "test_connect_as_it_should_be"),
    29: ("test_a_host_is_what_it_looks_like",),
    30: ("test_a_request_to_a_cgi_program_chooses_no_proxy", "test_a_zone_is_no_name"),
    31: ("test_a_drip_does_not_keep_connecting_alive", "test_the_deadline_covers_the_negotiation"),
    32: ("test_a_name_that_socks_cannot_carry_is_refused",),
}


def names() -> list[str]:
    """Return the tests of this folder."""
    return [
        name
        for path in sorted(HERE.glob("test_section_*.py"))
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]


def test_each_of_the_forty_rules_has_a_test() -> None:
    found = names()
    shown = {int(number) for name in found for number in re.findall(r"(?<=_)r(\d\d)(?=_)", name)}
    shown |= {rule for rule, tests in SECTION_D.items() if set(tests) <= set(found)}
    assert sorted(set(range(1, 41)) - shown) == []
