# Flow control arithmetic (RFC 9113 5.2, 6.9), inline. Windows are stored relative to the initial size, so
# that a SETTINGS change moves all of them at once (9113-6.9.2-a) and a credit is exactly the octets used.

cdef enum:
    MAX_WINDOW = 0x7FFFFFFF           # octets (9113-6.9.1-b)
    DEFAULT_WINDOW = 65535


cdef struct Receipt:                  # what the peer may still send to us
    int extra                         # octets by which the caller enlarged the window
    int used                          # octets received, including padding, and not credited yet


cdef inline long long window_left(long long initial, long long moved) noexcept nogil:
    """Return the octets that may be sent; negative if the peer reduced its initial size (9113-6.9.2-b)."""
    return initial + moved


cdef inline bint overflows(long long window, long long increment) noexcept nogil:
    return window + increment > MAX_WINDOW


cdef inline long long receive_left(long long initial, Receipt receipt) noexcept nogil:
    return initial + receipt.extra - receipt.used


cdef inline bint violates(long long allowed, Receipt receipt, long long octets) noexcept nogil:
    """Whether a frame is larger than the window allows (9113-6.9.1-c)."""
    return octets > 0 and octets > receive_left(allowed, receipt)


cdef inline int credit_due(long long initial, Receipt receipt, long long threshold) noexcept nogil:
    """Return the increment of the WINDOW_UPDATE to send now: all that was used, once little is left; or 0.

    A window smaller than twice the threshold is refilled when half of it is used, so that tiny frames do not
    each cause a WINDOW_UPDATE (9113-6.9-e).
    """
    cdef long long size = initial + receipt.extra
    cdef long long low = threshold if threshold < size // 2 else size // 2
    if receipt.used > 0 and size - receipt.used <= low:
        return receipt.used
    return 0
