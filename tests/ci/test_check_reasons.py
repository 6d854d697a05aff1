"""`ci/check_reasons.py` finds every comment that disables a check without giving a reason."""

import pytest

from ci import check_reasons

BARE = {
    "x = 1  # noqa\n": [(1, "noqa")],
    "x = 1  # noqa: E501\n": [(1, "noqa: E501")],
    "x = 1  # noqa: E501, PLC0415\n": [(1, "noqa: E501, PLC0415")],
    "x = 1  # type: ignore\n": [(1, "type: ignore")],
    "x = 1  # type: ignore[arg-type]\n": [(1, "type: ignore[arg-type]")],
    "x = 1  # type: ignore[arg-type]  # noqa: E501\n": [(1, "type: ignore[arg-type]")],
    "x = 1  # pyright: ignore[reportPrivateUsage]\n": [(1, "pyright: ignore[reportPrivateUsage]")],
    "from typing import Any\nx: Any = 1\n": [(2, "Any")],
    "from typing import Any as Whatever\nx: list[Whatever] = []\n": [(2, "Whatever")],
    "from typing import Any, cast\nx = cast(Any, 1)\n": [(2, "Any"), (2, "cast")],
    "import typing\nx: typing.Any = typing.cast(int, 1)\n": [(2, "Any"), (2, "cast")],
    "from typing import Any  # noqa: F401\n\n\ndef f(\n    x: Any,\n) -> None: ...\n": [
        (1, "noqa: F401"),
        (5, "Any"),
    ],
}

REASONED = (
    "x = 1  # noqa: E501  # a URL\n",
    "x = 1  # noqa: E501  a URL\n",
    "x = 1  # type: ignore[arg-type]  # wrong on purpose\n",
    "x = 1  # pyright: ignore[reportPrivateUsage]  # as above\n",
    "from typing import Any\nx: Any = 1  # JSON\n",
    "from typing import Any  # JSON\nx: Any = 1\ny: Any = 2\n",
    "from typing import (  # JSON\n    Any,\n)\nx: Any = 1\n",
    "from ctypes import cast\nx = cast(1, 2)\n",
    "x = '# noqa'\n",
)


@pytest.mark.parametrize("source", BARE)
def test_missing_reasons_are_found(source: str) -> None:
    assert check_reasons.findings(source) == BARE[source]


@pytest.mark.parametrize("source", REASONED)
def test_a_reason_is_enough(source: str) -> None:
    assert check_reasons.findings(source) == []


def test_the_project_gives_its_reasons() -> None:
    assert check_reasons.main() == 0
