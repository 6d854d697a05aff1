"""Check that every public function and method has a typing contract in stubs/contracts.

    python ci/contracts.py              # reports what has none, and suggests one
    python ci/contracts.py mint.Proxy   # prints contracts for a class or function, whether or not it has one

A contract is a function that type checkers read and that is never called. It covers a method if one of its
parameters is annotated with the class and the method is used on that parameter. It covers a function if it
uses the function. The annotations are evaluated, so aliases and imports are found whatever their names. The
public names are those in the `__all__` of a public module, and the others that the reference describes.
"""

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "stubs" / "contracts"

LISTED = (
    *("mint", "mint.asyncio", "mint.content", "mint.errors", "mint.exchange", "mint.exchange.asyncio"),
    *("mint.exchange.trio", "mint.http1", "mint.http2", "mint.httpx", "mint.httpx2", "mint.pool"),
    *("mint.pool.asyncio", "mint.pool.trio", "mint.testing", "mint.testing.http2"),
    *("mint.transcripts", "mint.transport", "mint.trio"),
)
"""Modules whose `__all__` says what is public."""

DESCRIBED = {
    "mint.proxy": ("from_environment",),
    "mint.types": ("Inbox", "Transport"),
    **{f"mint.testing.{name}": () for name in ("build", "certificates", "clock", "hostile", "memory")},
    **{f"mint.testing.{name}": () for name in ("hpack", "strategies")},
}
"""Modules without an `__all__`, and what is public there: these names, or all that is defined there.

The fixtures of `mint.testing.pytest` are left out, because nobody calls them.
"""

ONLY = {
    "mint.transport.Link": (),
    "mint.transport.SocketLink": (),
    "mint.HTTPError": (),
    "mint.Proxy": ("from_url", "is_http", "sent_headers"),
    "mint.TLSSessions": ("clear",),
    "mint.transport.Memory": ("put", "put_eof", "take", "write_ended"),
    **{f"mint{loop}.Mailbox": ("close", "post", "receive") for loop in ("", ".asyncio", ".trio")},
    **{
        f"mint{loop}.Tunnels": ("close", "connect", "connection", "mode", "set_mode", "stream")
        for loop in ("", ".asyncio", ".trio")
    },
}
"""Classes with methods that mostly mint itself calls, and the methods that users call."""

INTERNAL = frozenset({"HTTP1.opened", "HTTP2.opened"})
"""Methods of public classes that only mint itself calls."""


@dataclass(frozen=True)
class Public:
    """A function or a method that users call."""

    name: str
    """The full name, beginning with the module from which users import it."""
    owner: object
    """The class, or the module."""
    attribute: str
    key: object
    """Identifies the function; an inherited method has the same key in every class."""


def is_called(found: object) -> bool:
    """Whether an attribute of a class is a method or a property."""
    kinds = (FunctionType, property, classmethod, staticmethod)
    return isinstance(found, kinds) or inspect.ismethoddescriptor(found)


def key_of(owner: type, attribute: str) -> tuple[type, str] | None:
    """Return the class of mint that defines a method or property, and its name."""
    for definer in owner.__mro__:
        if attribute in vars(definer):
            ours = definer.__module__.partition(".")[0] == "mint"
            return (definer, attribute) if ours and is_called(vars(definer)[attribute]) else None
    return None


def methods(name: str, owner: type) -> Iterator[Public]:
    """Yield the public methods and properties of a class, inherited ones too."""
    for attribute in dir(owner):
        wanted = ONLY.get(name)
        if attribute.startswith("_") or (wanted is not None and attribute not in wanted):
            continue
        if f"{owner.__name__}.{attribute}" in INTERNAL:
            continue
        if attribute == "play" and name != "mint.testing.Step":
            continue  # servers call it, and users write it for steps of their own
        key = key_of(owner, attribute)
        if key is not None:
            yield Public(f"{name}.{attribute}", owner, attribute, key)


def names_of(module: ModuleType) -> tuple[str, ...]:
    """Return the public names of a module."""
    described = DESCRIBED.get(module.__name__)
    if described is None:
        return tuple(module.__all__)
    return described or tuple(
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    )


def public() -> Iterator[Public]:
    """Yield everything that needs a contract, each once."""
    seen: set[object] = set()
    for module in map(importlib.import_module, (*LISTED, *DESCRIBED)):
        for name in names_of(module):
            value = getattr(module, name)
            if isinstance(value, type):
                found = list(methods(f"{module.__name__}.{name}", value))
            elif inspect.isroutine(value):
                found = [Public(f"{module.__name__}.{name}", module, name, value)]
            else:
                continue
            for each in found:
                if each.key not in seen:
                    seen.add(each.key)
                    yield each


def value_of(node: ast.expr | None, names: dict[str, object]) -> object:
    """Return the object with a dotted name, or `None`."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = value_of(node.value, names)
        return getattr(owner, node.attr, None) if isinstance(owner, (ModuleType, type)) else None
    return None


def covered(source: str) -> Iterator[object]:
    """Yield the keys of the functions and methods that the contracts in a file cover."""
    names: dict[str, object] = {}
    exec(compile(source, "contracts", "exec"), names)  # definitions only
    for contract in ast.walk(ast.parse(source)):
        if not isinstance(contract, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        given = (*contract.args.posonlyargs, *contract.args.args, *contract.args.kwonlyargs)
        annotations = {each.arg: value_of(each.annotation, names) for each in given}
        for node in ast.walk(contract):
            if not isinstance(node, (ast.Attribute, ast.Name)):
                continue
            if isinstance(node, ast.Attribute):
                owner = annotations.get(node.value.id) if isinstance(node.value, ast.Name) else None
                owner = owner if isinstance(owner, type) else value_of(node.value, names)
                if isinstance(owner, type) and (key := key_of(owner, node.attr)):
                    yield key
            value = value_of(node, names)
            if inspect.isroutine(value):
                yield value


def annotation(text: object, home: str) -> str:
    """Return an annotation as source text, in the class or module with this name."""
    if text is inspect.Parameter.empty:
        return "object"
    text = text if isinstance(text, str) else inspect.formatannotation(text)
    return re.sub(r"\bSelf\b", home, text)


def proposal(item: Public) -> str:
    """Return a proposal for a contract; a person has to check it and import its names."""
    made = item.key if not isinstance(item.key, tuple) else vars(item.key[0])[item.attribute]
    within = isinstance(item.owner, type)
    title = item.name.removeprefix("mint.").replace(".", "_").lower()
    home = item.name.rpartition(".")[0]
    subject = [f"it: {home}"] if within else []
    whole = f"it.{item.attribute}" if within else item.name
    if isinstance(made, property):
        returned = annotation(made.fget.__annotations__.get("return", ""), home) if made.fget else ""
        return f"def {title}({', '.join(subject)}) -> None:\n    assert_type({whole}, {returned})\n"
    function = made.__func__ if isinstance(made, (classmethod, staticmethod)) else made
    if not isinstance(function, FunctionType):  # compiled: the stubs have its signature
        return f"def {title}({', '.join(subject)}) -> None:\n    assert_type({whole}(...), ...)\n"
    signature = inspect.signature(function)
    given = list(signature.parameters.values())[within and not isinstance(made, staticmethod) :]
    if isinstance(made, (classmethod, staticmethod)):
        subject, whole = [], item.name
    taken, passed = [], []
    for each in given:
        of_each = annotation(each.annotation, home)
        match each.kind:
            case each.VAR_POSITIONAL:
                taken.append(f"{each.name}: list[{of_each}]")
                passed.append(f"*{each.name}")
            case each.KEYWORD_ONLY:
                taken.append(f"{each.name}: {of_each}")
                passed.append(f"{each.name}={each.name}")
            case each.POSITIONAL_ONLY | each.POSITIONAL_OR_KEYWORD:
                taken.append(f"{each.name}: {of_each}")
                passed.append(each.name)
            case _:
                pass  # TypedDicts say what goes there
    call = f"{whole}({', '.join(passed)})"
    waits = inspect.iscoroutinefunction(function)
    returned = annotation(signature.return_annotation, home)
    check = call if returned == "None" else f"assert_type({'await ' * waits}{call}, {returned})"
    check = f"await {call}" if waits and returned == "None" else check
    head = "async def" if waits else "def"
    return f"{head} {title}({', '.join([*subject, *taken])}) -> None:\n    {check}\n"


def lacking(folder: Path = CONTRACTS) -> list[Public]:
    """Return the public functions and methods that have no contract in a folder."""
    known = {key for file in sorted(folder.glob("*.py")) for key in covered(file.read_text())}
    return [each for each in public() if each.key not in known]


def main(arguments: list[str]) -> int:
    """Print proposals for the given names, or for everything that lacks a contract."""
    if arguments:
        print(*(proposal(each) for each in public() if each.name.startswith(arguments[0])), sep="\n\n")
        return 0
    found = lacking()
    for each in found:
        print(f"{each.name} has no contract. Add one to {CONTRACTS.relative_to(ROOT)}, such as:\n")
        print(*(f"    {line}" for line in proposal(each).splitlines()), "", sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
