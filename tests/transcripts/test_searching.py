"""What shrinking accepts: only what is smaller, passes the check, and does not make the file longer."""

from __future__ import annotations

import io

import pytest

import mint
from mint._command.remaking import Edit, remade, text, weight
from mint._command.searching import Search
from mint._command.shrinking import shrink
from mint._transcripts.calls import Call
from mint.transcripts._reading import Beginning, Entry, Transcript, read_transcript


def recorded(target: str = "/target") -> Transcript:
    """Return a transcript of one request."""
    out = io.StringIO()
    mint.http1.initiate(
        mint.transport.Memory(), scheme="http", hostname="example.org", identity=7, record=out
    ).request("GET", target)
    return read_transcript(io.StringIO(out.getvalue()))


def fed(octets: bytes) -> Transcript:
    """Return a transcript, without recorded results, of one piece of input."""
    edit = Edit(calls={1: Call("feed", (octets,))}, options={0: dict(options(recorded()))})
    return remade(recorded(), edit)


def options(transcript: Transcript) -> dict[str, object]:
    beginning = transcript.parts[0]
    assert isinstance(beginning, Beginning)
    return beginning.options


def with_target(whole: Transcript, target: str) -> Edit:
    request = whole.parts[1]
    assert isinstance(request, Entry)
    method, _, *others = request.call.arguments
    return Edit(calls={1: Call("request", (method, target, *others))})


@pytest.mark.parametrize("passes", [False, True])
@pytest.mark.parametrize("size", [-1, 0, 1])
def test_only_smaller_transcripts_that_pass_are_accepted(size: int, passes: bool) -> None:
    """The check is expensive, so it does not see a candidate that is not smaller."""
    whole = recorded("/target")
    seen: list[Transcript] = []

    def check(candidate: Transcript) -> bool:
        seen.append(candidate)
        return passes

    search = Search(whole, check)
    edit = with_target(whole, "/" + "x" * (len("target") + size))
    candidate = remade(whole, edit)
    smaller = size < 0
    assert search.accepts(whole, edit) is (smaller and passes)
    assert seen == ([candidate] if smaller else [])
    assert search.best == (candidate if smaller and passes else whole)
    # The weight of the best one counts from now on, not that of the one that was edited.
    assert not search.accepts(whole, edit)


@pytest.mark.parametrize("user_agent", ["a", "\n"])
def test_options_that_the_engine_refuses_are_not_checked(user_agent: str) -> None:
    whole = recorded()
    seen: list[Transcript] = []

    def check(candidate: Transcript) -> bool:
        seen.append(candidate)
        return True

    search = Search(whole, check)
    edit = Edit(options={0: {**options(whole), "user_agent": user_agent}})
    assert search.accepts(whole, edit) is (user_agent == "a")
    assert len(seen) == (user_agent == "a")


# Octets before and after a candidate leaves some out, and how much longer its file is. What has enough
# printable octets is written as text, with four characters for each other octet; the rest in hexadecimal.
LENGTHS = [
    (b"\0\0aa", b"\0\0", -4),
    (b"\0\0aa", b"\0aa", 0),
    (b"\0\0\0aaa", b"\0\0aaa", 1),
]


@pytest.mark.parametrize(("before", "after", "longer"), LENGTHS)
def test_no_file_is_longer_than_the_first(before: bytes, after: bytes, longer: int) -> None:
    whole, less = fed(before), fed(after)
    assert len(text(less)) - len(text(whole)) == longer
    assert weight(less) < weight(whole)
    found = list(shrink(whole, lambda candidate: candidate == less))
    assert found == ([less] if longer <= 0 else [])


# -- the weight


@pytest.mark.parametrize("octet", [b"a", b"\0", b"'", b'"', b"\\", b"\n", b"\x7f", b"\xff"])
@pytest.mark.parametrize("number", [0, 1, 2, 9])
def test_the_weight_depends_on_the_number_of_octets_only(octet: bytes, number: int) -> None:
    """It does not matter which octets they are, or how deep in the arguments."""
    whole = recorded()
    mark, plain = octet.decode("latin-1") * number, "a" * number
    for some, same in (
        (octet * number, b"a" * number),
        (mark, plain),
        ((mark, octet * number), (plain, b"a" * number)),
        (((mark, mark), ("x", octet * number)), ((plain, plain), ("x", b"a" * number))),
    ):
        first, second, more = (
            weight(remade(whole, Edit(calls={1: Call("feed", (each,))})))
            for each in (some, same, (same, "a"))
        )
        assert first == second < more
