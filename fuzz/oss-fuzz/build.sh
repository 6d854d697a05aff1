#!/bin/bash -eu
# Build the core with the flags of OSS-Fuzz (CC, CFLAGS: sanitizer and coverage) and pack each harness.

# libFuzzer is in the preloaded runtime, which does not export the symbols for stack depth.
export CFLAGS="$CFLAGS -fno-sanitize-coverage=stack-depth"
export LDSHARED="$CC -shared"
python3 ci/build_inplace.py
export PYTHONPATH="$SRC/mint:$SRC/mint/fuzz"

for harness in fuzz/fuzz_*.py; do
    name=$(basename "$harness" .py)
    short=${name#fuzz_}
    # The harnesses share modules of fuzz/, and mint imports its errors only when they are first used.
    compile_python_fuzzer "$harness" --paths "$SRC/mint" --paths "$SRC/mint/fuzz" --collect-submodules mint
    if [ -d "fuzz/corpus/$short" ]; then
        (cd "fuzz/corpus/$short" && zip -q -r "$OUT/${name}_seed_corpus.zip" .)
    fi
    if [ -f "fuzz/$short.dict" ]; then
        cp "fuzz/$short.dict" "$OUT/$name.dict"
    fi
    printf '[libfuzzer]\nlen_control = 0\nmax_len = 1024\n' > "$OUT/$name.options"
done
