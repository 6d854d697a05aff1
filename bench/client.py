"""The client process of an end-to-end row: it verifies an errand, or measures it."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from . import places, servers
from .measure import MissingError
from .net import LACKING, Errand

if TYPE_CHECKING:
    from collections.abc import Callable

WARM = 20


def main() -> None:
    """Run `bench.client VERB MODULE:FUNCTION ERRAND`."""
    verb, where, given = sys.argv[1:]
    errand = Errand(**json.loads(given))
    places.keep(0, client=True)
    module, _, name = where.partition(":")
    try:
        make = getattr(import_module(f"bench.contenders.{module}"), name)
        if errand.verb == "first":  # load what is imported late
            make(replace(errand, verb="connect", authority=errand.warm))(2)
            errand = replace(errand, verb="get", count=1)
        begun = time.process_time()
        run: Callable[[int], list[tuple[int, bytes]]] = make(errand)
    except (ImportError, AttributeError, MissingError) as error:
        print(error)
        sys.exit(LACKING)
    own = getattr(run, "seconds", None)  # a program that is not Python measures its own CPU time
    if own is not None:
        print(own(errand.count))
        return
    if verb == "check":
        number = errand.together * 2 if errand.verb in {"get", "connect"} else 1
        expected = {
            "get": (200, servers.small()), "connect": (200, servers.small()),
            "down": (200, b""), "up": (200, b"taken"),
        }[errand.verb]  # fmt: skip
        got = run(number)
        assert len(got) == number, f"{len(got)} of {number}"
        for status, body in got:
            if errand.verb == "down":
                assert status == 200, status
                assert int(body) == errand.size, body
            else:
                assert (status, body) == expected, (status, body)
        return
    if errand.warm:
        run(1)
        print(time.process_time() - begun)
        return
    if errand.verb in {"get", "connect"}:
        run(max(WARM, errand.together))
    if errand.wall:
        print(statistics.median(_lasted(run) for _ in range(errand.count)))
        return
    start = time.process_time()
    run(errand.count)
    print((time.process_time() - start) / errand.count)


def _lasted(run: Callable[[int], object]) -> float:
    start = time.perf_counter()
    run(1)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # do not wait for a client's background threads; some do not end properly
