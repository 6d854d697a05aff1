"""Options are declared once: everything made from a declaration agrees with it, and every option is used."""

from __future__ import annotations

import ast
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path

import pytest

import mint
from mint import ClientSettings, HTTP1Options, HTTP2Options, Proxy, TCPOptions, TLSOptions, Tolerance, errors
from mint._configuration import http1_configuration, http2_configuration
from mint._connections.http2 import HTTP2
from mint._core import http1, http2, http2_config
from mint._declarations import Declaration, check, declarations, described, documented, flag, limit
from mint._version import USER_AGENT
from mint.pool import PoolOptions, Timeouts

PACKAGE = Path(mint.__file__).parent
CLASSES = (
    *(HTTP1Options, HTTP2Options, ClientSettings),
    *(TCPOptions, TLSOptions, Proxy, PoolOptions, Timeouts, Tolerance),
)
OPTIONS = [(kind, name) for kind in CLASSES for name in declarations(kind)]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_option_is_declared(kind: type[HTTP1Options]) -> None:
    assert set(declarations(kind)) == {each.name for each in fields(kind) if each.init}


@pytest.mark.parametrize(("kind", "name"), OPTIONS)
def test_an_option_is_documented(kind: type[HTTP1Options], name: str) -> None:
    declared = declarations(kind)[name]
    text = " ".join((kind.__doc__ or "").split())
    assert f" {name}: {described(declared)}" in text
    if declared.error:
        assert issubclass(getattr(errors, declared.error), errors.MintError)


def test_the_documentation_has_range_and_error() -> None:
    declared = Declaration("limit", "how many.", 10, 2**31 - 1, "frames", "EnhanceYourCalm")
    assert described(declared) == "how many; 10 to 2**31 - 1. Error if exceeded: `EnhanceYourCalm`."


def test_a_declaration_is_checked() -> None:
    @documented
    @dataclass(frozen=True)
    class Options:
        """Options for this test."""

        number: int = limit(5, "a number.", least=2, most=9)
        maybe: int | None = limit(None, "a number, or none.")
        on: bool = flag(False, "whether.")

        def __post_init__(self) -> None:
            check(self)

    assert "number: a number; 2 to 9." in (Options.__doc__ or "")
    assert Options(number=9).number == 9
    assert Options(maybe=1) != Options()
    for wrong in ({"number": 1}, {"number": 10}, {"number": None}, {"maybe": 0}, {"on": None}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Options(**wrong)


# ---- the engines ----


def test_the_defaults_of_the_engines_are_those_of_the_options() -> None:
    one = http1_configuration(HTTP1Options(), scheme="https", hostname="a.example", port=1, identity=7)
    assert one == http1.Config("a.example", port=1, scheme="https", identity=7, user_agent=USER_AGENT)
    two = http2_configuration(HTTP2Options(), scheme="https", hostname="a.example", port=1, identity=7)
    assert two == http2.Config("a.example", port=1, scheme="https", identity=7, user_agent=USER_AGENT)


OTHER: dict[str, object] = {
    "lenient": True,
    "sensitive_headers": frozenset({"x-key"}),
    "optional_responses": ("status_reason",),
    "events": ("settings",),
    "client_settings": ClientSettings(max_frame_size=20_000),
}


@pytest.mark.parametrize(
    ("kind", "name"), [each for each in OPTIONS if each[0] in {HTTP1Options, HTTP2Options}]
)
def test_every_option_reaches_the_engine(kind: type[HTTP1Options | HTTP2Options], name: str) -> None:
    plain = kind()
    value: object = getattr(plain, name)
    key = "events" if kind is HTTP2Options and name == "optional_responses" else name
    other = OTHER.get(key, not value if isinstance(value, bool) else 70_000)
    changed = replace(plain, **{name: other})  # type: ignore[arg-type]  # options by name
    made = [
        http1_configuration(each, scheme="http", hostname="a", port=1, identity=1)
        if isinstance(each, HTTP1Options)
        else http2_configuration(each, scheme="http", hostname="a", port=1, identity=1)
        for each in (plain, changed)
    ]
    assert made[0] != made[1]


def test_the_settings_agree_with_the_engine() -> None:
    declared = declarations(ClientSettings)
    ranges = {name: (one.identifier, one.least, one.most) for name, one in declared.items()}
    assert ranges == http2_config.CLIENT_SETTINGS
    assert ClientSettings().pairs() == http2_config.DEFAULT_SETTINGS
    known = {name: number for name, number in http2_config.SERVER_SETTINGS.items() if name in declared}
    assert known == {name: one.identifier for name, one in declared.items()}
    state = http2.State.open(http2.Config("a", port=1, scheme="http", identity=1, user_agent="")).state
    for name, one in declared.items():
        assert one.unset is None or state.client_setting(name) == one.unset


def test_put_settings_takes_every_setting() -> None:
    taken = HTTP2.put_settings.__kwdefaults__
    assert taken == {name: None for name, one in declarations(ClientSettings).items() if not one.fixed}


# ---- the code that reads an option ----

# The names of variables and attributes that hold options of a class. `Proxy` also reads its own.
HOLDERS = {
    "TCPOptions": {"tcp", "_tcp", "options", "_options", "self"},
    "TLSOptions": {"tls", "_tls", "options", "_options", "self"},
    "Proxy": {"proxy", "_proxy"},
    "PoolOptions": {"options", "_options"},
    "Timeouts": {"timeouts"},
}


def read_in(tree: ast.AST, holders: set[str]) -> set[str]:
    """Return the attributes that are read from variables with these names."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            holder = node.value
            name = holder.attr if isinstance(holder, ast.Attribute) else getattr(holder, "id", "")
            if name in holders:
                found.add(node.attr)
    return found


@cache
def read_of(kind: str) -> set[str]:
    """Return the options of a class that any code reads, except the checks of their values."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        if path.name not in {"options.py", "_pool_options.py"} and "testing" not in path.parts:
            found |= read_in(ast.parse(path.read_text()), HOLDERS[kind])
    if kind == "Proxy":
        for node in ast.walk(ast.parse((PACKAGE / "proxy.py").read_text())):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                found |= read_in(node, {"self"})
    return found


@pytest.mark.parametrize(("kind", "name"), [each for each in OPTIONS if each[0].__name__ in HOLDERS])
def test_something_reads_every_option(kind: type[object], name: str) -> None:
    """The options of the protocols are tested in tests/connections/test_limits.py, each with its effect.

    The fields of `Tolerance` are tested in tests/core/http1/test_http1_tolerance.py and
    tests/connections/test_http2_tolerance.py.
    """
    assert name in read_of(kind.__name__), f"nothing reads {name} of {kind.__name__}"


def test_an_option_that_nothing_reads_is_found() -> None:
    tree = ast.parse("def f(proxy):\n    proxy.tunnel = other.port\n    return proxy.scheme\n")
    assert read_in(tree, HOLDERS["Proxy"]) == {"scheme"}
