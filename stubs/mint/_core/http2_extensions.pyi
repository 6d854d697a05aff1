# What the compiled modules offer each other.
__pyx_capi__: dict[str, object]
