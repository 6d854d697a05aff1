"""The record of a vendored copy, VENDORED.md: the version, the parts that were left out, a hash of each file.

Hashes ignore whether lines end in LF or CRLF: version control may change that when it checks files out.
"""

import hashlib
import os
import re
import subprocess
import tomllib
from collections.abc import Collection
from pathlib import Path, PurePosixPath

NAME = "VENDORED.md"
NOTHING = "nothing"
"""What stands in the record, and may be given to --without, if no part is left out."""

OF_A_FILE = re.compile(r"([0-9a-f]{64})  (.+)")
OF_ITSELF = re.compile(r"(?m)^this file: ([0-9a-f]{64})$")


class Refused(Exception):  # noqa: N818  # it is a message to a person, not a failure of the program
    """The copy was not changed, for the reason in the message."""


def read(path: Path) -> bytes:
    """Return the contents of a text file, with lines that end in LF."""
    return path.read_bytes().replace(b"\r\n", b"\n")


def digest(octets: bytes) -> str:
    """Return the hash of a file, as it is written in the record."""
    return hashlib.sha256(octets).hexdigest()


def text_of(target: Path) -> str:
    """Return the record of a copy; raises `Refused` if it cannot be read."""
    try:
        return read(target / NAME).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{target / NAME} cannot be read: {error}") from error


def hashes(target: Path) -> dict[str, str]:
    """Return the hash of each file by its path; raises `Refused` if the record is damaged."""
    blocks = re.findall(r"(?ms)^```\n(.*?)^```$", text_of(target))
    found: dict[str, str] = {}
    for line in blocks[1].splitlines() if len(blocks) > 1 else ():
        match = OF_A_FILE.fullmatch(line)
        if match is None or not is_inside(match[2]):
            raise Refused(f"{target / NAME} is damaged: {line!r} is not the hash and the path of a file")
        found[match[2]] = match[1]
    if not found:
        raise Refused(f"{target / NAME} is damaged: it lists no files")
    return found


def is_inside(name: str) -> bool:
    """Whether a path leads to a file within the copy."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name and ":" not in name


def left_out(target: Path, known: Collection[str]) -> frozenset[str]:
    """Return the parts that were left out; raises `Refused` if the record does not say so in known parts."""
    found = re.search(r"(?m)^left out: (.+)$", text_of(target))
    if found is None:
        raise Refused(f"{target / NAME} is damaged: it does not say what was left out; use --without")
    parts = frozenset(found[1].split(", ")) - {NOTHING}
    if unknown := parts - frozenset(known):
        raise Refused(
            f"{target / NAME} says that {', '.join(sorted(unknown))} was left out, which is no part of this "
            "version; use --without"
        )
    return parts


def is_changed(target: Path) -> bool:
    """Whether the record differs from what was written; an old record does not show it."""
    text = text_of(target)
    found = OF_ITSELF.search(text)
    return found is not None and found[1] != own_digest(text)


def own_digest(text: str) -> str:
    """Return the hash of a record without its own hash."""
    return digest(OF_ITSELF.sub("this file: ", text).encode())


def commit(root: Path) -> str:
    """Return the commit of a checkout, and whether files differ from it; in an sdist it is not known.

    An sdist may have been unpacked in the repository of another project, and git may run this as a hook of
    one.
    """
    outside = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=root, check=True, capture_output=True, text=True, env=outside
        )
        return done.stdout.strip()

    try:
        if not Path(git("rev-parse", "--show-toplevel")).samefile(root):
            return "unknown"
        changed = git("status", "--porcelain", "mint", "stubs")
        return git("rev-parse", "HEAD") + (" with changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def write(root: Path, files: dict[str, bytes], without: Collection[str]) -> str:
    """Return the text of the record of a copy from a checkout of mint."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    build = ", ".join(f"`{need}`" for need in project["build-system"]["requires"])
    python, needs = project["project"]["requires-python"], ", ".join(project["project"]["dependencies"])
    listed = "\n".join(f"{digest(octets)}  {name}" for name, octets in sorted(files.items()))
    text = f"""# mint, vendored

This folder is a copy of mint. `python ci/vendor.py FOLDER --check`, in a checkout of mint, says what was
changed here and what that version of mint would change.

```
version: {project["project"]["version"]}
commit: {commit(root)}
left out: {", ".join(sorted(without)) or NOTHING}
this file: {"0" * 64}
```

To compile it: CPython {python} with its headers, a C compiler and {build}; then
`cythonize -i mint/_core/*.pyx`. To run it: `{needs}`, on systems without certificates of their own.

Each file and its SHA-256:

```
{listed}
```
"""
    return OF_ITSELF.sub(f"this file: {own_digest(text)}", text)
