"""The tests of mint. They are a package, so that all modules can import the helpers."""
