# The responses an engine returns, and the Step that carries them.


cdef class RequestRef:
    cdef readonly unsigned long long connection   # identity of the connection, random unless given
    cdef readonly long long number                # which request of the connection; negative for pings


cdef class Informational:
    cdef readonly RequestRef ref
    cdef readonly int status          # 100 to 199, never 101
    cdef readonly tuple headers       # of (name, value) pairs, names lower-case


cdef class Status:
    cdef readonly RequestRef ref
    cdef readonly int status          # 101, or 200 to 999


cdef class StatusReason:
    cdef readonly RequestRef ref
    cdef readonly str reason


cdef class Headers:
    cdef readonly RequestRef ref
    cdef readonly tuple headers


cdef class Data:
    cdef readonly RequestRef ref
    cdef readonly bytes data          # never empty


cdef class Trailers:
    cdef readonly RequestRef ref
    cdef readonly tuple headers


cdef class Done:
    cdef readonly RequestRef ref


cdef class Failed:
    cdef readonly RequestRef ref
    cdef readonly object fault        # a Fault


cdef class Pong:
    cdef readonly RequestRef ref


cdef class PushPromise:
    cdef readonly RequestRef ref
    cdef readonly RequestRef promised_ref
    cdef readonly tuple headers


# Responses about the connection, which have no ref and are optional.

cdef class Origins:
    cdef readonly tuple origins       # of str


cdef class AltSvc:
    cdef readonly str value
    cdef readonly str origin          # None: the origin of the request
    cdef readonly RequestRef request  # None: the frame was not on a stream


cdef class GoAway:
    cdef readonly int last_stream
    cdef readonly long long code
    cdef readonly str error           # the name of the code
    cdef readonly bytes debug


cdef class ServerSettings:
    cdef readonly tuple settings      # of (name, value) pairs


cdef enum:                            # which of them are enabled
    EVENT_ORIGIN = 1
    EVENT_ALT_SVC = 2
    EVENT_GOAWAY = 4
    EVENT_SETTINGS = 8
    EVENTS_ALL = 15


cdef enum:
    END_KEEP = 0         # the link stays as it is
    END_SHUT_WRITE = 1   # shut down writing after the output is written
    END_CLOSE = 2        # close the link after the output is written


cdef class Note:
    cdef readonly bint outgoing
    cdef readonly str text            # one line of limited length, secrets redacted


cdef class Step:
    cdef readonly object state        # the successor; the same state if nothing changed
    cdef readonly list responses      # oldest first
    cdef readonly tuple output        # of bytes, to be written in order
    cdef readonly object fault        # a Fault or None
    cdef readonly object cause        # another Fault that was found before it in the same input, or None
    cdef readonly object ref          # the RequestRef of the new request, or None
    cdef readonly int end             # an END_ value
    cdef readonly tuple notes         # of Note; empty unless tracing
    cdef readonly bint alone          # a request was made while no other was open (HTTP/1)
    cdef readonly bint timed          # the successor needs the time


# The frequent methods of a state as C functions. A stand-in for a state is called through its Python methods.
cdef class StateMethods:
    cdef Step (*feed)(object state, bytes data)
    cdef Step (*request)(object state, object method, object target, object headers, tuple body,
                         bint streaming)
    cdef Step (*stream_body)(object state, RequestRef ref, bytes data)


cdef Step step(object state, list responses=*, tuple output=*, object fault=*, object ref=*,
               int end=*, tuple notes=*)
