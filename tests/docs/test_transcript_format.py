"""The guide to transcripts names every call that a transcript can have, and every argument of each."""

from __future__ import annotations

import re
from pathlib import Path

from mint._transcripts.calls import VERBS

PAGE = (Path(__file__).parents[2] / "docs" / "transcripts.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| (HTTP/[12]|both) \| ([^|]*)\|", PAGE, re.MULTILINE)


def test_the_table_has_every_call_with_its_protocol_and_its_arguments() -> None:
    assert len({verb for verb, _, _ in ROWS}) == len(ROWS)
    for protocol, named in (("http1", "HTTP/1"), ("http2", "HTTP/2")):
        described = {
            verb: re.findall(r"`([^`]+)`", given) for verb, of, given in ROWS if of in {"both", named}
        }
        calls = VERBS[protocol].items()
        assert described == {verb: [name for name, _ in arguments] for verb, arguments in calls}
