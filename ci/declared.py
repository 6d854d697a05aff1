"""Generate text from the declarations of `mint/options.py` and `mint/tolerance.py`, for `ci/generated.py`.

The text is the compiled configurations of the engines, their stubs, the conversion of options to them, and
the tables of SECURITY.md and the reference.
"""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from mint import _pool_options, options, tolerance
from mint._declarations import Declaration, declarations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed import DataclassInstance

Part = tuple[str, str, "Callable[[], str]"]
HTTP = {1: options.HTTP1Options, 2: options.HTTP2Options}
WIDTH = 110
NUMBERS = {1: "Py_ssize_t", 2: "int"}  # the C type of a limit
# The classes that have a table in the reference, each with its page.
PAGES: dict[type[DataclassInstance], str] = {
    **dict.fromkeys(
        (*HTTP.values(), options.ClientSettings, options.TCPOptions), "docs/reference/options.md"
    ),
    **dict.fromkeys((_pool_options.PoolOptions, _pool_options.Timeouts), "docs/reference/pool.md"),
}


class Entry(NamedTuple):
    """One option, as a field of an engine's configuration."""

    option: str
    declared: Declaration
    default: object
    kind: str  # the C type
    typed: str  # the Python type

    @property
    def name(self) -> str:
        """The name in the configuration."""
        return self.declared.config or self.option

    @property
    def value(self) -> str:
        """The expression for its value, which the configuration gets."""
        return {
            "tolerance": "bits_of(options.lenient)",
            "status_reason": '"status_reason" in options.optional_responses',
            "events": "sum(EVENTS[name] for name in set(options.optional_responses))",
            "settings": "options.client_settings.pairs()",
        }.get(self.name, f"options.{self.option}")

    @property
    def meaning(self) -> str:
        """The comment that explains it."""
        if self.declared.kind == "limit":
            return f"  # {self.declared.unit}, {self.declared.range}"
        return "" if self.name == self.option else f"  # from {self.option}"


def entries(version: int) -> list[Entry]:
    """Return the options of a protocol: objects, then numbers, then flags, which avoids padding."""
    declared = declarations(HTTP[version])
    defaults = {each.name: each.default for each in fields(HTTP[version])}
    found = []
    for name, one in declared.items():
        kind, typed = {
            "limit": (NUMBERS[version], "int"),
            "flag": ("bint", "bool"),
            "lenient": ("int", "int"),
            "names": ("frozenset", "frozenset[str]"),
        }.get(one.kind, ("bint", "bool"))
        if one.config == "events":
            kind, typed = "int", "int"
        if one.config != "settings":  # the settings are a table of their own
            found.append(Entry(name, one, defaults[name], kind, typed))
    order = ("frozenset", "Py_ssize_t", "int", "bint")
    return sorted(found, key=lambda entry: order.index(entry.kind))


def joined(items: Iterable[str], indent: int, width: int = 100) -> str:
    """Return items separated by commas, in lines with this indentation."""
    lines = [" " * indent]
    for item in items:
        if len(lines[-1]) + len(item) > width:
            lines.append(" " * indent)
        lines[-1] += f"{item}, "
    return "\n".join(line.rstrip() for line in lines)


def attributes(version: int) -> str:
    """Return the attributes that the .pxd declares."""
    width = max(len(f"{entry.kind} {entry.name}") for entry in entries(version))
    return "\n".join(
        f"    cdef readonly {f'{entry.kind} {entry.name}':<{width}}{entry.meaning}".rstrip()
        for entry in entries(version)
    )


def arguments(version: int) -> str:
    """Return the arguments of the constructor, with their defaults."""
    made = []
    for entry in entries(version):
        if entry.kind == "frozenset":
            made.append(f"frozenset {entry.name} not None=frozenset()")
        elif entry.kind == "bint":
            made.append(f"bint {entry.name}={bool(entry.default)}")
        elif entry.declared.kind == "limit":
            made.append(f"long long {entry.name}={entry.default}")
        else:
            made.append(f"int {entry.name}={int(bool(entry.default))}")
    return joined(made, 17)


def assignments(version: int) -> str:
    """Return the assignments in the constructor."""
    made = []
    for entry in entries(version):
        name, one = entry.name, entry.declared
        if one.kind == "limit":
            call = f'        self.{name} = between("{name}", '
            whole = f"{call}{name}, {one.least}, {one.most})"
            short = len(whole) <= WIDTH
            made.append(
                whole if short else f"{call}{name},\n{' ' * (call.index('(') + 1)}{one.least}, {one.most})"
            )
        else:
            made.append(f"        self.{name} = {name}")
    return "\n".join(made)


def compared(version: int) -> str:
    """Return the comparisons for `==`."""
    return joined((f"self.{entry.name}" for entry in entries(version)), 16)


def copied(version: int) -> str:
    """Return the assignments that copy the options of one configuration to another."""
    return "\n".join(f"    made.{entry.name} = usual.{entry.name}" for entry in entries(version))


def stub_arguments(version: int) -> str:
    """Return the arguments of the constructor for type checkers."""
    return "\n".join(
        f"        {entry.name}: {entry.typed} = {'...' if entry.kind == 'frozenset' else stubbed(entry)},"
        for entry in entries(version)
    )


def stubbed(entry: Entry) -> str:
    """Return a default as it is written in a stub."""
    if entry.kind == "bint":
        return str(bool(entry.default))
    return str(entry.default if entry.declared.kind == "limit" else int(bool(entry.default)))


def stub_properties(version: int) -> str:
    """Return the attributes for type checkers."""
    return "\n".join(
        f"    @property\n    def {entry.name}(self) -> {entry.typed}: ..." for entry in entries(version)
    )


def converted(version: int) -> str:
    """Return the arguments with which a configuration is created from options."""
    return "\n".join(f"        {entry.name}={entry.value}," for entry in entries(version))


def settings() -> str:
    """Return the table of the settings that a client sends, and those that are always sent."""
    declared = declarations(options.ClientSettings)
    lines = ["CLIENT_SETTINGS: dict = {"]
    lines += [f'    "{name}": ({one.identifier}, {one.least}, {one.most}),' for name, one in declared.items()]
    sent = "".join(f'    ("{name}", {value}),\n' for name, value in options.ClientSettings().pairs())
    return "\n".join([*lines, "}", "", f"DEFAULT_SETTINGS: tuple = (\n{sent})"])


def put_settings() -> str:
    """Return the arguments of `HTTP2.put_settings`."""
    types = {each.name: each.type for each in fields(options.ClientSettings)}
    return "\n".join(
        f"        {name}: {types[name]} = None,"
        for name, one in declarations(options.ClientSettings).items()
        if not one.fixed
    )


# ---- pages ----


def amount(value: object) -> str:
    """Return a number as it is shown on a page."""
    return f"{value:,}" if type(value) is int else f"`{value!r}`"


def shown_default(kind: type, name: str) -> str:
    """Return the default of an option; for a setting that is not sent, the value that applies then."""
    value: object = getattr(kind(), name)
    one = declarations(kind)[name]
    return f"{one.unset:,} (not sent)" if value is None and one.unset is not None else amount(value)


def limits_of_http1() -> str:
    """Return the table of the limits of HTTP/1 for SECURITY.md."""
    lines = ["| what is limited | option | default | error |", "|---|---|---|---|"]
    for name, one in declarations(options.HTTP1Options).items():
        if one.kind == "limit":
            what = one.text.rstrip(".")
            default = shown_default(options.HTTP1Options, name)
            lines.append(f"| {what} | `{name}` | {default} {one.unit} | `{one.error}` |")
    return "\n".join(lines)


def limits_of_pools() -> str:
    """Return the table of the limits and timeouts of pools and their requests, for SECURITY.md."""
    lines = ["| what is limited | option | default | error |", "|---|---|---|---|"]
    for kind in (_pool_options.PoolOptions, _pool_options.Timeouts):
        for name, one in declarations(kind).items():
            if one.unit:
                what, error = one.text.rstrip("."), f"`{one.error}`" if one.error else ""
                default = shown_default(kind, name)
                unit = "" if default == "`None`" else f" {one.unit}"
                lines.append(f"| {what} | `{kind.__name__}.{name}` | {default}{unit} | {error} |")
    return "\n".join(lines)


def reference(kind: type) -> str:
    """Return the table of the numbers and times in a class of options, for the reference."""
    lines = ["| option | default | unit | range | error |", "|---|---|---|---|---|"]
    for name, one in declarations(kind).items():
        if one.unit:
            numbers = "0 or more" if one.kind == "seconds" else one.range
            error = f"{{py:exc}}`~mint.errors.{one.error}`" if one.error else ""
            default = shown_default(kind, name)
            lines.append(f"| `{name}` | {default} | {one.unit} | {numbers} | {error} |")
    return "\n".join(lines)


def tolerance_names() -> str:
    """Return the names of what an engine can tolerate, the lowest bit first."""
    return "\n".join(f'    "{each.name}",' for each in fields(tolerance.Tolerance))


def tolerance_bits() -> str:
    """Return the bits of what an engine can tolerate, as a C enumeration."""
    names = [each.name.upper() for each in fields(tolerance.Tolerance)]
    bits = [f"    TOLERATE_{name} = {1 << place}" for place, name in enumerate(names)]
    return "\n".join([*bits, f"    TOLERATE_ALL = {(1 << len(names)) - 1}"])


def parts() -> list[Part]:
    """Return every part: the file, the name of the part there, and the function that makes it."""
    made: list[Part] = [
        ("SECURITY.md", "limits of HTTP/1", limits_of_http1),
        ("SECURITY.md", "limits of pools", limits_of_pools),
        ("mint/_core/fields.pxd", "tolerances", tolerance_bits),
        ("mint/_core/fields.pyx", "tolerances", tolerance_names),
        ("mint/_core/http2_config.pyx", "settings", settings),
        ("mint/_connections/http2.py", "settings", put_settings),
    ]
    for version in (1, 2):
        core = f"mint/_core/http{version}_config"
        for file, name, make in (
            (f"{core}.pxd", "options", attributes),
            (f"{core}.pyx", "arguments", arguments),
            (f"{core}.pyx", "assignments", assignments),
            (f"{core}.pyx", "parts", compared),
            (f"{core}.pyx", "copies", copied),
            (f"stubs/{core}.pyi", "arguments", stub_arguments),
            (f"stubs/{core}.pyi", "options", stub_properties),
            ("mint/_configuration.py", f"HTTP/{version}", converted),
        ):
            made.append((file, name, partial(make, version)))
    return [*made, *((page, kind.__name__, partial(reference, kind)) for kind, page in PAGES.items())]
