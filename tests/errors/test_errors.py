"""Errors are data: typed, comparable, picklable, escaped and bounded."""

from __future__ import annotations

import errno
import importlib
import inspect
import pickle
import re
import socket
from pathlib import Path

import pytest

import mint
from mint import errors
from mint._connections import failures
from mint._core.faults import Fault
from mint._core.fields import SENSITIVE
from mint.errors import causes
from mint.errors.base import shown
from mint.errors.http2 import code_name
from mint.errors.table import from_fault, reasons
from mint.errors.transport import system_error

CORE = Path(mint.__file__).parent / "_core"
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "errors.md"
FAULT = re.compile(r"\b\w*(?:fault|refusal|Fault|refuse)\w*\(\s*\"([a-z0-9_]+)\"")
CHOSEN = re.compile(r"\bcdef str (?:invalid|reason) = \"([a-z0-9_]+)\" if \w+ else \"([a-z0-9_]+)\"")
"""A reason that depends on something, in a variable."""


def classes() -> list[type[errors.MintError]]:
    found = [each for each in vars(errors).values() if inspect.isclass(each)]
    return [each for each in found if issubclass(each, errors.MintError)]


def examples() -> list[errors.MintError]:
    by_fault: list[errors.MintError] = [
        from_fault(Fault(reason, name="n", value="v", size=3, limit=2, code=1))
        for reason in sorted(reasons())
    ]
    return [
        *by_fault,
        errors.StaleConnectionError(),
        errors.TunnelTimeout(),
        errors.UnexpectedProxyStatus(407, (("a", "b"),), b"body"),
        errors.ProxyFailed(errors.TransportClosed()),
        errors.TransportTimeout("connecting"),
        errors.ConnectionRefused("127.0.0.1:1"),
        errors.NameNotResolved("nowhere.test"),
        errors.Unreachable("no route"),
        errors.TLSFailed("bad record"),
        errors.CertificateNotPinned("it has none of the pinned fingerprints"),
        errors.CertificateRejected("self-signed"),
        errors.HostnameRejected("it is for another name"),
        errors.ProtocolNotNegotiated(),
        errors.BadALPNProtocol("h3"),
        errors.UnknownCoding("br"),
        errors.TooManyCodings(5),
        errors.ContentTooLarge(10),
        errors.CompressionRatioExceeded(200),
        errors.InvalidContent("gzip", "incorrect header check"),
        errors.TruncatedContent("zstd"),
        errors.PoolClosed(),
        errors.InadequateSecurity("TLSv1.1 is older than TLS 1.2"),
    ]


def test_every_reason_of_the_engines_has_an_error() -> None:
    sources = [source.read_text() for source in CORE.glob("*.pyx")]
    said = {reason for text in sources for reason in FAULT.findall(text)}
    chosen = {reason for text in sources for pair in CHOSEN.findall(text) for reason in pair}
    assert said
    assert chosen
    said |= chosen
    missing = said - reasons()
    assert not missing, without_error(missing)


def without_error(missing: set[str]) -> str:
    """Return the message that says where to add reasons which have no error class."""
    return (
        f"mint/_core says {sorted(missing)}: add them to _MAKERS in mint/errors/table.py. An error class "
        "that is new also belongs in a module of mint/errors, in mint/errors/__init__.py and in "
        "docs/reference/errors.md"
    )


def test_the_places_that_are_named_for_a_new_reason_exist() -> None:
    said = without_error({"new_reason"})
    assert "new_reason" in said
    places = re.findall(r"\b(?:mint|docs)/[a-z_/.]*[a-z_]", said)
    assert len(places) == 5
    missing = [place for place in places if not (PAGE.parents[2] / place).exists()]
    assert not missing or not PAGE.is_file(), missing


def test_every_cause_of_a_value_that_is_refused_has_words() -> None:
    """The numbers of the compiled core are indices of the table in `mint.errors.causes`."""
    numbers = re.findall(r"\bWHY_\w+ = (\d+)", (CORE / "fields.pxd").read_text())
    assert [int(number) for number in numbers] == list(range(len(causes._MEANINGS)))
    assert not causes._MEANINGS[0]
    assert all(causes._MEANINGS[1:])


def test_every_error_class_has_a_reason_of_its_own() -> None:
    families = {errors.MintError, errors.HTTPError, errors.TransportError}
    named = [each.reason for each in classes() if each not in families]
    # "closed" is the reason of two classes; their base class distinguishes them.
    assert {reason for reason in named if named.count(reason) > 1} <= {"closed"}
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", reason) for reason in named)


def test_every_reason_makes_the_class_that_declares_it() -> None:
    of_transport = {fault: reason for reason, fault in failures._FAULTS.items()}
    for said in reasons():
        made = from_fault(Fault(said, name="n", value="v", size=3, limit=2, code=1))
        reason = of_transport.get(said, said)
        assert made.reason == reason
        assert sum(each.reason == reason for each in classes()) == 1 + (reason == "closed")


def test_something_says_every_reason() -> None:
    sources = [*CORE.glob("*.pyx"), *CORE.parent.rglob("*.py")]
    text = "\n".join(path.read_text() for path in sources if path.parent.name != "errors")
    unsaid = {reason for reason in reasons() if f'"{reason}"' not in text}
    assert not unsaid, f"mint/errors/table.py has {unsaid}, but nothing in mint says so"


def test_every_class_of_an_error_is_exported() -> None:
    modules = [
        importlib.import_module(f"mint.errors.{path.stem}")
        for path in (CORE.parent / "errors").glob("*.py")
        if path.stem != "__init__"
    ]
    defined = {
        each
        for module in modules
        for each in vars(module).values()
        if inspect.isclass(each) and issubclass(each, errors.MintError)
    }
    missing = sorted(each.__name__ for each in defined - set(classes()))
    assert not missing, f"export {missing} from mint/errors/__init__.py"


def test_something_makes_every_error() -> None:
    made = {type(from_fault(Fault(reason, name="n", value="v", size=3, limit=2))) for reason in reasons()}
    paths = [path for path in CORE.parent.rglob("*.py") if path.name not in {"__init__.py", "table.py"}]
    text = "\n".join(path.read_text() for path in paths)
    bases = {base for each in classes() for base in each.__bases__}
    # A class counts if it is called, raised or assigned; being imported or caught is not enough.
    used = {
        name
        for line in re.findall(r"(?:\braise|=) .*|(?<!class )\b[A-Z]\w+\(", text)
        for name in re.findall(r"\w+", line)
    }
    unmade = sorted(each.__name__ for each in set(classes()) - made - bases if each.__name__ not in used)
    assert not unmade, (
        f"nothing makes {unmade}: add a row to _MAKERS in mint/errors/table.py, or raise them in mint"
    )


@pytest.mark.skipif(not PAGE.is_file(), reason="a wheel is tested without the pages")
def test_the_reference_describes_every_error_once() -> None:
    described = re.findall(r"autoexception:: mint\.(?:errors\.)?(\w+)", PAGE.read_text())
    assert sorted(described) == sorted(each.__name__ for each in set(classes()))


@pytest.mark.parametrize("error", examples(), ids=repr)
def test_errors_are_data(error: errors.MintError) -> None:
    assert str(error)
    assert str(error).isprintable()
    assert repr(error).startswith(type(error).__name__ + "(")
    ref = mint.RequestRef(1, 2)
    error.marked(local=False, processed=mint.Processed.YES, responses=(mint.Done(ref),), successor=object())
    again = pickle.loads(pickle.dumps(error))
    assert again == error
    assert hash(again) == hash(error)
    assert again.successor is None
    assert again.responses == (mint.Done(ref),)
    assert again.processed is mint.Processed.YES
    assert again != again.marked(local=True, processed=mint.Processed.NO) or again.local
    assert error != ValueError("other")
    assert type(error).__doc__


def test_errors_compare_by_type_and_fields() -> None:
    assert errors.InvalidHeaderName("a") == errors.InvalidHeaderName("a")
    assert errors.InvalidHeaderName("a") != errors.InvalidHeaderName("b")
    assert errors.InvalidHeaderName("a") != errors.InvalidRequestMethod("a")
    assert errors.InvalidHeaderName("a") != errors.InvalidHeaderName("a").marked(local=True)


def test_fields_can_be_matched() -> None:
    match from_fault(Fault("max_header_list_size_exceeded", size=11, limit=10)):
        case errors.MaxHeaderListSizeExceeded(size, limit):
            assert (size, limit) == (11, 10)
        case _:
            pytest.fail("no match")


def test_processed_and_local_come_from_the_fault() -> None:
    for number, processed in enumerate(mint.Processed):
        assert from_fault(Fault("closed", processed=number)).processed is processed
    assert from_fault(Fault("closed", local=True)).local
    assert errors.TunnelTimeout().processed is mint.Processed.NO


def test_transport_errors_are_also_builtin_exceptions() -> None:
    assert isinstance(errors.TransportTimeout(), TimeoutError)
    assert isinstance(errors.TransportClosed(), ConnectionError)
    assert isinstance(errors.TransportReset(), ConnectionResetError)
    assert isinstance(errors.ConnectionRefused(), ConnectionRefusedError)
    assert isinstance(errors.TunnelTimeout(), TimeoutError)
    assert isinstance(errors.StaleConnectionError(), RuntimeError)
    assert issubclass(errors.CertificateRejected, errors.TLSFailed)


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (TimeoutError(), errors.TransportTimeout),
        (OSError(errno.ETIMEDOUT, "late"), errors.TransportTimeout),
        (ConnectionRefusedError(errno.ECONNREFUSED, "no"), errors.ConnectionRefused),
        (socket.gaierror(socket.EAI_NONAME, "who?"), errors.NameNotResolved),
        (OSError(errno.ECONNRESET, "reset"), errors.TransportReset),
        (OSError(errno.EPIPE, "pipe"), errors.TransportClosed),
        (OSError(errno.EHOSTUNREACH, "no way"), errors.Unreachable),
        (OSError("strange"), errors.Unreachable),
    ],
)
def test_which_error_a_system_error_becomes(raised: OSError, expected: type[errors.TransportError]) -> None:
    error = system_error(raised, doing="testing", address="a:1")
    assert type(error) is expected
    assert error.__cause__ is raised


def test_values_in_messages_are_escaped_and_cut() -> None:
    """Control characters are escaped, so a peer cannot forge lines of a log (CVE-2026-42507)."""
    assert shown("a\r\nb\x1b[31m") == r"'a\r\nb\x1b[31m'"
    assert len(shown("x" * 100_000)) < 200
    error = errors.InvalidStatusLine("\x1b]0;owned\x07\n" + "é" * 5_000)
    assert str(error).isascii()
    assert len(str(error)) < 600


def test_a_secret_value_is_not_repeated() -> None:
    conn = mint.http1.initiate(mint.transport.Memory(), scheme="http", hostname="example.org")
    for name in SENSITIVE:
        with pytest.raises(errors.InvalidHeaderValue) as caught:
            conn.request("GET", "/", [(name, "hunter2\n")])
        assert "hunter2" not in str(caught.value) + repr(caught.value)


def test_the_answer_of_a_proxy_is_shown_without_secrets_and_cut() -> None:
    told = (("Set-Cookie", "id=hunter2"), ("proxy-authenticate", "Digest nonce=hunter2"), ("via", "a"))
    error = errors.UnexpectedProxyStatus(407, told, b"x" * 65_536)
    assert error.headers == told
    assert "hunter2" not in repr(error)
    assert "('via', 'a')" in repr(error)
    assert len(repr(error)) < 400
    assert (
        repr(errors.UnexpectedProxyStatus(403)) == "UnexpectedProxyStatus(status=403, headers=(), body=b'')"
    )


def test_error_codes_have_names() -> None:
    """An unknown error code is shown as a number (RFC 9113 section 7)."""
    assert code_name(0) == "NO_ERROR"
    assert code_name(13) == "HTTP_1_1_REQUIRED"
    assert code_name(0xDEADBEEF) == "error code 0xdeadbeef"
