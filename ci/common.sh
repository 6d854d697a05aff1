# Sourced by the scripts in this folder: the root, Pythons, virtual environments, skipped checks.
#
# A step that cannot run on this machine calls `skip REASON`. It then ends with status 77, or fails if
# MINT_CI_STRICT=1 forbids skipping. `note_skip REASON` does the same for a part of a step.
# The scripts share the environment .venv-ci, in which mint is built in place; ci/test creates it once.

set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"
unset PYTHONPATH PYTHONHOME PYTHONOPTIMIZE VIRTUAL_ENV
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
export PIP_NO_WARN_SCRIPT_LOCATION=1 PYRIGHT_PYTHON_IGNORE_WARNINGS=1
export LC_ALL=C.UTF-8
JOBS=${MINT_CI_JOBS:-$(getconf _NPROCESSORS_ONLN)}
CACHE=$ROOT/.cache
mkdir -p "$CACHE"
# For the tests that need neither other programs as servers nor the rest of the repository.
UNIT=(-m 'not integration' --ignore tests/integration --ignore tests/ci --ignore tests/docs)
# Tests that read mint's sources, which a wheel does not have.
OF_SOURCES=(--ignore tests/fuzz --ignore tests/core/test_secrets_unindexed.py
    --deselect tests/errors/test_errors.py::test_every_reason_of_the_engines_has_an_error
    --deselect tests/errors/test_errors.py::test_something_says_every_reason
    --deselect tests/errors/test_errors.py::test_the_places_that_are_named_for_a_new_reason_exist
    --deselect tests/errors/test_errors.py::test_every_cause_of_a_value_that_is_refused_has_words
    --ignore tests/errors/test_wording.py)
# Tests that raise an exception at every bytecode or allocation: too slow with a tracer or a sanitizer, and the same
# everywhere.
EVERY_STEP=(--ignore-glob 'tests/*/test_*interrupts*.py' --ignore-glob 'tests/*/test_*memory_errors*.py'
    --ignore tests/fuzz/test_harnesses.py)
# With `python -O`, pytest rewrites the asserts of the tests, so these still work, and warns about all others.
OPTIMIZED=(-W 'ignore:assertions not in test modules:pytest.PytestConfigWarning')
# Tests that run the same code a thousand times, or code of other projects.
AT_LENGTH=(--ignore tests/simulation --ignore tests/kit)

say() { printf '== %s\n' "$*"; }

note_skip() {
    if [ "${MINT_CI_STRICT:-}" = 1 ]; then
        printf 'FAILED (nothing may be skipped here): %s\n' "$*"
        exit 1
    fi
    printf 'SKIPPED: %s\n' "$*"
}

skip() {
    note_skip "$@"
    exit 77
}

# Succeeds for a CPython >= 3.11 that can create virtual environments and compile extension modules.
is_usable() {
    "$1" -c '
import ensurepip, os, sys, sysconfig, venv
header = os.path.join(sysconfig.get_path("include"), "Python.h")
sys.exit(not (sys.version_info >= (3, 11) and sys.implementation.name == "cpython"
              and os.path.exists(header)))' >/dev/null 2>&1
}

# Prints every Python of this machine: MINT_PYTHON, the PATH, pyenv. Some appear twice, and some may not run.
mentioned() {
    [ -z "${MINT_PYTHON:-}" ] || echo "$MINT_PYTHON"
    type -ap python3 || true
    local version
    for version in 11 12 13 14 15 16; do
        type -ap "python3.$version" "python3.${version}t" || true
    done
    ls -d "${PYENV_ROOT:-${HOME:-/root}/.pyenv}"/versions/*/bin/python 2>/dev/null || true
}

# Prints those that can build mint; of a virtual environment, the Python from which it was created.
candidates() {
    local python
    while read -r python; do
        if is_usable "$python"; then
            "$python" -c 'import os, sys; print(os.path.realpath(sys._base_executable))'
        fi
    done < <(mentioned)
}

# Prints the first of them, with which the whole suite runs.
first_python() {
    local found
    mapfile -t found < <(candidates)
    if [ "${#found[@]}" = 0 ]; then
        echo 'mint needs CPython 3.11 or newer with its headers, venv and ensurepip' \
            '(Debian: apt-get install python3-dev python3-venv), or MINT_PYTHON=/path/to/python' >&2
        return 1
    fi
    echo "${found[0]}"
}

# make_venv FOLDER PYTHON PIP-ARGUMENTS...: create an environment, unless there is one from the same inputs.
make_venv() {
    local folder=$ROOT/$1 python=$2 stamp
    shift 2
    stamp=$("$python" - "$ROOT" "$@" <<'END'
import hashlib, sys, tomllib
project = tomllib.load(open("pyproject.toml", "rb"))
made_from = [sys.version, sys.executable, sys.argv, project["build-system"], project["dependency-groups"],
             project["project"]["dependencies"], project["project"]["optional-dependencies"]]
print(hashlib.sha256(repr(made_from).encode()).hexdigest())
END
    )
    if [ "$(cat "$folder/made-from" 2>/dev/null)" = "$stamp" ]; then
        return
    fi
    rm -rf "$folder"
    # Callers test the result, and `set -e` has no effect in a function whose result is tested.
    "$python" -m venv "$folder" &&
        "$folder/bin/python" -m pip install -qq --upgrade pip &&
        "$folder/bin/python" -m pip install -qq "$@" &&
        echo "$stamp" > "$folder/made-from"
}

# Prints the requirements for building and running mint, with every extra, as pip arguments, one on each line.
requirements() {
    "$1" - <<'END'
import itertools, tomllib
project = tomllib.load(open("pyproject.toml", "rb"))
extras = itertools.chain(*project["project"]["optional-dependencies"].values())
print(*project["build-system"]["requires"], *project["project"]["dependencies"], *extras, sep="\n")
END
}

# install_in_place VENV: compile in this tree what changed, and make the environment import mint from here. (An
# editable installation would compile everything again each time.)
install_in_place() {
    local python=$ROOT/$1/bin/python
    CFLAGS="${CFLAGS:--O2 -g0}" "$python" ci/build_inplace.py --jobs "$JOBS" &&
        echo "$ROOT" > "$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/mint-in-place.pth"
}

# Sets PYTHON to the interpreter of .venv-ci. Creates the environment and builds mint, unless ci/test has done so.
prepare() {
    PYTHON=$ROOT/.venv-ci/bin/python
    if [ "${MINT_CI_PREPARED:-}" = "$ROOT" ]; then
        return
    fi
    local base needed
    base=$(first_python)
    mapfile -t needed < <(requirements "$base")
    if ! type -p node >/dev/null; then
        needed+=('pyright[nodejs]')
    fi
    say "environment of $("$base" -V) in .venv-ci"
    make_venv .venv-ci "$base" "${needed[@]}" \
        --group lint --group test --group coverage --group package
    install_in_place .venv-ci
    export MINT_CI_PREPARED=$ROOT PATH=$ROOT/.venv-ci/bin:$PATH
}
