"""Sphinx configuration; `ci/docs` builds the pages with warnings as errors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mint import ClientSettings, HTTP1Options, HTTP2Options, MintError, TCPOptions, TLSOptions, __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "mint"
author = "The mint developers"
project_copyright = "2026, the mint developers. MIT licence"
release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
html_theme = "furo"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["mint.css"]
html_title = f"mint {__version__}"
# The copy button leaves out the prompts of a console.
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
exclude_patterns = ["performance/tables.md"]  # a part of performance.md
myst_heading_anchors = 3

autodoc_typehints = "signature"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
python_maximum_signature_line_length = 100
python_use_unqualified_type_names = True
# `name` in a docstring becomes a link if there is an object with this name, and code otherwise.
default_role = "py:obj"
# Names of mint must resolve. The pages are built without the inventories of other projects.
nitpicky = True
# `Response` and `Origin` in annotations are ambiguous, as mint.testing has both, too; the first is linked.
suppress_warnings = ["ref.python"]
nitpick_ignore = [  # type variables, and private classes in annotations
    ("py:class", "mint.testing.peer.T"),
    ("py:class", "mint.testing.memory.ConnectionT"),
    ("py:class", "mint.testing.http2._OfStream"),
    ("py:class", "mint._transcripts.recorder.Track"),  # what sinks are given
    ("py:class", "mint.pool._asynchronous.AsyncPool"),  # what the pools of asyncio and trio are
]
nitpick_ignore_regex = [("py:.*", r"(?!mint\.).*")]

_DEFAULTS = (HTTP1Options(), HTTP2Options(), ClientSettings(), TCPOptions(), TLSOptions())


def name_defaults(
    _app: Sphinx,
    _what: str,
    name: str,
    _object: object,
    _options: object,
    signature: str | None,
    returns: str,
) -> tuple[str, str] | None:
    """Show default options as a user would write them, not the private names that the source uses."""
    if signature is None:
        return None
    for made in _DEFAULTS:
        signature = signature.replace(repr(made), f"{type(made).__name__}()")
    signature = signature.replace(": Mailbox", f": {name.rpartition('.')[0]}.Mailbox")  # there are three
    return re.sub(r"(\w+) = _[A-Z0-9]+", r"\1 = \1()", signature), returns


def add_reason(
    _app: Sphinx, what: str, _name: str, described: object, _options: object, lines: list[str]
) -> None:
    """Add the `reason` to the description of each error."""
    if what == "exception" and isinstance(described, type) and issubclass(described, MintError):
        lines += ["", f"Its `reason` is ``{described.reason}``."]


def setup(app: Sphinx) -> None:
    """Connect the handlers."""
    app.connect("autodoc-process-signature", name_defaults)
    app.connect("autodoc-process-docstring", add_reason)
