"""How error messages are written: every text that becomes one is collected from the sources and checked.

In Python these are the texts of calls that make an exception, and of the calls to `super().__init__` in
`mint.errors`. In the compiled core they are all texts of more than one word, since the causes of faults stand
in tables, conditions and helpers there; what else is among them follows the same rules.
"""

import ast
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import mint

SOURCES = Path(mint.__file__).parent
HOLE = "{}"
"""The placeholder for a replacement field of an f-string."""

MAKERS = re.compile(
    r".*(Error|Exception|Warning|Closed|Failed|Refused|Timeout|Fault|Exit)|Lost|Unexpected|_difference|other|fault"
)
"""Matches the names of classes and functions that create exceptions."""

JARGON = re.compile(
    r"\b(way|ways|world|worlds|turn|turns|wish|wishes|told|tells?|stands?|wants?|gave|dialled)\b"
)
"""Words that mean nothing to a reader who does not know the sources."""

RULES = {
    "two spaces in a row": re.compile(r"(?<!\n)(?<! )  +(?! )(?=\S)"),
    "a full stop at the end": re.compile(r"(?<!\.)\.$"),
    "an exclamation mark": re.compile(r"!$"),
    "a contraction": re.compile(r"\b\w+n't\b|\b(it|that|there|what)'s\b"),
    "a typographic character": re.compile("[\u2010-\u201f\u2026]"),
    "a capital letter at the beginning": re.compile(r"^[A-Z][a-z]+ (?!\{)"),
    "private jargon": JARGON,
}
NAMES = ("Huffman", "Basic", "Unix")
"""Words with a capital letter that may begin a message, besides abbreviations and names in the code."""


def text_of(node: ast.expr) -> str | None:
    """Return the text of an expression, with `HOLE` for parts that are known only at run time."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=values):
            return "".join(text_of(each) or HOLE for each in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = text_of(left), text_of(right)
            return None if parts == (None, None) else "".join(part or HOLE for part in parts)
        case _:
            return None


def texts_of(node: ast.expr) -> Iterator[str]:
    """Yield the possible texts of an expression, for a conditional expression those of both branches."""
    if isinstance(node, ast.IfExp):
        yield from texts_of(node.body)
        yield from texts_of(node.orelse)
    elif (text := text_of(node)) is not None:
        yield text


def made(tree: ast.AST, *, in_errors: bool) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of every message in a module."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if MAKERS.fullmatch(name) or (in_errors and name == "__init__"):
            for argument in (*node.args, *(each.value for each in node.keywords)):
                yield from ((argument.lineno, text) for text in texts_of(argument))


def in_python() -> Iterator[tuple[str, str]]:
    """Yield the messages of the Python sources, with their places."""
    for path in sorted(SOURCES.rglob("*.py")):
        name = str(path.relative_to(SOURCES))
        tree = ast.parse(path.read_text(encoding="utf-8"))
        yield from (
            (f"{name}:{line}", text) for line, text in made(tree, in_errors=path.parent.name == "errors")
        )


def in_the_core() -> Iterator[tuple[str, str]]:
    """Yield the texts of the compiled sources, with their places; adjacent literals are one text."""
    for path in sorted((SOURCES / "_core").glob("*.pyx")):
        run: list[tokenize.TokenInfo] = []
        with path.open(encoding="utf-8") as file:
            for token in tokenize.generate_tokens(file.readline):
                if token.type in {tokenize.NL, tokenize.COMMENT}:
                    continue
                if token.type == tokenize.STRING and token.string.startswith(('"', 'f"')):
                    run.append(token)
                    continue
                if run and not run[0].string.startswith('"""'):
                    text = "".join(each.string.removeprefix("f").strip('"') for each in run)
                    text = re.sub(r"\{[^{}]*(\{[^{}]*\}[^{}]*)*\}", HOLE, text)
                    if " " in text.strip() and not text.startswith(("<", "(")):
                        yield f"_core/{path.name}:{run[0].start[0]}", text
                run = []


@cache
def messages() -> tuple[tuple[str, str], ...]:
    """Return all messages, with their places."""
    return (*in_python(), *in_the_core())


def faults_of(text: str) -> list[str]:
    """Return the rules that a message breaks."""
    shown = text.removeprefix(next((each for each in NAMES if text.startswith(f"{each} ")), "")).strip()
    return [rule for rule, pattern in RULES.items() if pattern.search(shown)]


def test_every_message_follows_the_rules() -> None:
    found = [f"{place}: {rule}: {text!r}" for place, text in messages() for rule in faults_of(text)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("module", ["_checks.py", "proxy.py", "errors/http1.py", "_core/http1_heads.pyx"])
def test_messages_of_every_kind_of_module_are_found(module: str) -> None:
    assert any(place.startswith(f"{module}:") for place, _ in messages())


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("port must be  a number", "two spaces in a row"),
        ("port must be a number.", "a full stop at the end"),
        ("port must be a number!", "an exclamation mark"),
        ("port can't be negative", "a contraction"),
        ("it's not a number", "a contraction"),
        ("\N{LEFT DOUBLE QUOTATION MARK}port\N{RIGHT DOUBLE QUOTATION MARK}", "a typographic character"),
        ("Port must be a number", "a capital letter at the beginning"),
        ("the port stands before the host", "private jargon"),
        ("headers want pairs", "private jargon"),
    ],
)
def test_each_rule_is_broken_by_an_example(text: str, rule: str) -> None:
    assert faults_of(text) == [rule]


def test_texts_are_found_in_every_kind_of_expression() -> None:
    source = """
raise ValueError("one" if broken else f"two {x}")
raise errors.TLSFailed("three" + " " + y)
raise Unexpected(name="four") from None
super().__init__("five")
print("six")
"""
    found = {text for _, text in made(ast.parse(source), in_errors=True)}
    assert found == {"one", "two {}", "three {}", "four", "five"}
    assert found - {text for _, text in made(ast.parse(source), in_errors=False)} == {"five"}
