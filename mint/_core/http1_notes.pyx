# cython: language_level=3, boundscheck=False, wraparound=False, auto_pickle=False, autotestdict=False, freethreading_compatible=True
"""Notes for logs and transcripts: one bounded line for each head line or body piece, without secrets."""

from .events cimport (Data, Done, Failed, Headers, Informational, Note, Status, StatusReason,
                      Trailers)
from .fields cimport name_is_sensitive, shown_target

cdef enum:
    LONGEST = 400     # characters of a note
    MOST = 128        # notes of one step


cdef Note note(bint outgoing, str text):
    cdef Note made = Note.__new__(Note)
    made.outgoing = outgoing
    # 9110-5.5: a note must stay one line, whatever the peer sends.
    text = text if text.isprintable() else ascii(text).strip("\'\"")
    made.text = text if len(text) <= LONGEST else text[:LONGEST] + "..."
    return made


cdef Note field_note(bint outgoing, str name, str value, frozenset secret):
    cdef str lower = name.lower()
    if name_is_sensitive(lower) or lower in secret:
        value = "(redacted)"
    elif lower == "host":
        value = shown_target(value)
    return note(outgoing, f"{name}: {value}")


cdef tuple notes_of_output(tuple output, bint is_head, frozenset secret):
    cdef list made = []
    cdef long long total = 0
    cdef bytes head = b""
    for piece in output:
        total += len(<bytes>piece)
    if is_head:
        head, _, _ = (<bytes>output[0]).partition(b"\r\n\r\n")
        for line in head.decode("latin-1").split("\r\n")[:MOST]:
            name, colon, value = line.partition(": ")
            if made and colon:
                made.append(field_note(True, name, value, secret))
            else:
                method, blank, rest = line.partition(" ")
                target, end, version = rest.rpartition(" ")
                made.append(note(True, f"{method}{blank}{shown_target(target)}{end}{version}"))
        total -= len(head) + 4
    if total > 0:
        made.append(note(True, f"({total} octets of body)"))
    return tuple(made)


cdef tuple notes_of_responses(list responses, frozenset secret):
    cdef list made = []
    for response in responses:
        if len(made) >= MOST:
            break
        if isinstance(response, Status):
            made.append(note(False, f"HTTP/1.1 {(<Status>response).status}"))
        elif isinstance(response, StatusReason):
            made.append(note(False, f"reason: {(<StatusReason>response).reason}"))
        elif isinstance(response, Informational):
            made.append(note(False, f"HTTP/1.1 {(<Informational>response).status}"))
            for name, value in (<Informational>response).headers[:MOST]:
                made.append(field_note(False, name, value, secret))
        elif isinstance(response, Headers):
            for name, value in (<Headers>response).headers[:MOST]:
                made.append(field_note(False, name, value, secret))
        elif isinstance(response, Trailers):
            for name, value in (<Trailers>response).headers[:MOST]:
                made.append(field_note(False, name, value, secret))
        elif isinstance(response, Data):
            made.append(note(False, f"({len((<Data>response).data)} octets of body)"))
        elif isinstance(response, Done):
            made.append(note(False, "(response complete)"))
        elif isinstance(response, Failed):
            made.append(note(False, f"(failed: {(<Failed>response).fault.reason})"))
    return tuple(made)


cdef tuple notes_of_skipped(list lines):
    """Return notes about skipped lines, which are not fields; they are made even without tracing."""
    return tuple([note(False, f"passed over a line that is not a field: {line}")
                  for line in lines[:MOST]])
