#!/bin/bash -eu
# Build the core with the flags of OSS-Fuzz (CC, CFLAGS: sanitizer and coverage) and pack each harness.

# libFuzzer is in the preloaded runtime, which does not export the symbols for stack depth.
export CFLAGS="$CFLAGS -fno-sanitize-coverage=stack-depth"
export LDSHARED="$CC -shared"
python3 ci/build_inplace.py
export PYTHONPATH="$PWD:$PWD/fuzz"    # PyInstaller imports packages to list their modules

launchers=$(mktemp -d)
for harness in fuzz/fuzz_*.py; do
    name=$(basename "$harness" .py)
    short=${name#fuzz_}
    # OSS-Fuzz puts statements before the first line of a program whose coverage it measures, but nothing may come
    # before `from __future__`. So the program only starts the harness. It is in a folder of its own, because
    # harnesses import each other.
    mkdir "$launchers/$name"
    launcher=$launchers/$name/$name.py
    printf 'from fuzz.%s import one\nfrom support import fuzz\n\nfuzz(one)\n' "$name" > "$launcher"
    # The harnesses share modules of fuzz/, and mint imports its errors only when they are first used.
    compile_python_fuzzer "$launcher" --paths "$PWD" --paths "$PWD/fuzz" --collect-submodules mint
    if [ -d "fuzz/corpus/$short" ]; then
        (cd "fuzz/corpus/$short" && zip -q -r "$OUT/${name}_seed_corpus.zip" .)
    fi
    if [ -f "fuzz/$short.dict" ]; then
        cp "fuzz/$short.dict" "$OUT/$name.dict"
    fi
    printf '[libfuzzer]\nlen_control = 0\nmax_len = 1024\n' > "$OUT/$name.options"
done
