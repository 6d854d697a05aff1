"""What a process knows about itself, also after a fork, and the numbers that identify connections."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

import mint
from mint._process import current_process, share

if TYPE_CHECKING:
    from collections.abc import Callable

can_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def in_child(answer: Callable[[], str]) -> str:
    """Return what a function returns in a forked child."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, answer().encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(child, 0)
    return said


def next_identity() -> str:
    return str(current_process().identity())


def test_threads_never_get_the_same_identity() -> None:
    found: list[set[int]] = []

    def take() -> None:
        process = current_process()
        found.append({process.identity() for _ in range(2_000)})

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set[int]().union(*found)) == 16_000
    assert all(0 <= each < 2**64 for one in found for each in one)


@can_fork
def test_a_child_does_not_continue_with_the_identities_of_its_parent() -> None:
    children = {in_child(next_identity) for _ in range(3)}
    ours = {next_identity() for _ in range(3)}
    assert len(children | ours) == 6


@can_fork
def test_a_fork_is_noticed_in_the_child_and_in_its_own_child() -> None:
    parent = current_process()

    def is_new() -> str:
        child = current_process()
        grandchild = in_child(lambda: str(current_process() not in {parent, child}))
        return f"{child is not parent} {grandchild}"

    assert in_child(is_new) == "True True"
    assert current_process() is parent


@can_fork
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_in_a_child_every_shared_object_begins_anew_even_if_another_fails() -> None:
    begun: list[int] = []

    class Shared:
        def __init__(self, number: int) -> None:
            self.number = number

        def begin_anew(self) -> None:
            begun.append(self.number)
            if self.number % 2:
                raise KeyboardInterrupt

    objects = [Shared(number) for number in range(8)]
    for each in objects:
        share(each, uses_others=each.number >= 4)
    done = in_child(lambda: " ".join(map(str, begun))).split()
    assert sorted(done[:4]) == ["0", "1", "2", "3"]
    assert sorted(done[4:]) == ["4", "5", "6", "7"]
    assert begun == []


def test_connections_and_links_are_told_apart() -> None:
    links = [mint.transport.Memory() for _ in range(100)]
    assert len({link.source for link in links}) == 100
    refs: set[int] = set()
    for link in links:
        conn = mint.http1.initiate(link, scheme="http", hostname="a.example", port=80)
        refs.add(conn.request("GET", "/")[1].connection)
    assert len(refs) == 100
