from __future__ import annotations

import io

import pytest
from progress import bar, download, show

from .serving import PROTOCOLS, Protocol, connected


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_progress_goes_up_to_the_length(protocol: Protocol) -> None:
    sink = io.BytesIO()
    with connected(protocol) as conn:
        seen = list(download(conn, "/bytes/3000000", sink))
    assert seen[-1] == (3_000_000, 3_000_000)
    assert len(seen) > 2
    assert sorted(seen, key=lambda each: each[0]) == seen
    assert len(sink.getvalue()) == 3_000_000


def test_the_bar_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    with connected() as conn:
        show(conn, "/bytes/100000", io.BytesIO())
    drawn = capsys.readouterr().err
    assert drawn.endswith(f"\r[{'#' * 40}] 100 %\n")
    assert bar(12_345, None) == "12,345 bytes"


@pytest.mark.parametrize("target", ["/nothing", "/status/500"])
def test_a_refusal_raises_an_error(target: str) -> None:
    with connected() as conn, pytest.raises(ConnectionError, match="answered"):
        list(download(conn, target, io.BytesIO()))
