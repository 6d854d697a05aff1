/* HTTP/2 sessions by libnghttp2, in memory, with the work the Python contenders do.
   Pieces: the server's preface; the requests (pieces of pieces: name, value, name, value ...); reads.
   `session MODE OPEN EACH ROUNDS`: see bench/streams.py for what the numbers mean. */
#include <nghttp2/nghttp2.h>

#include "work.h"

enum { WINDOW = 16 << 20, LISTS = 1024, FIELDS = 32 };

static nghttp2_nv lists[LISTS][FIELDS];
static size_t sizes[LISTS], known;
static long open_streams, each, rounds, clients = 1;
static const char *mode;
static int showing, collecting;
static uint64_t sum_in;

static void unpack(const piece *all) {
    const uint8_t *at = all->octets, *end = at + all->size;
    for (known = 0; at < end && known < LISTS; known++) {
        const uint8_t *stop = at + 4 + number(at);
        for (at += 4, sizes[known] = 0; at < stop; sizes[known]++) {
            nghttp2_nv *one = &lists[known][sizes[known]];
            *one = (nghttp2_nv){(uint8_t *)at + 4, NULL, number(at), 0, NGHTTP2_NV_FLAG_NONE};
            at += 4 + one->namelen;
            one->value = (uint8_t *)at + 4;
            one->valuelen = number(at);
            at += 4 + one->valuelen;
        }
    }
}

/* A response in the form to which every contender converts it: status, fields and content in memory of
   its own. `text` contains name, value, name, value ..., each after its length. */
typedef struct {
    uint8_t *text, *body;
    size_t used, room, size, space, fields;
} response;

static void append(uint8_t **to, size_t *used, size_t *room, const uint8_t *at, size_t size) {
    if (*used + size > *room) *to = realloc(*to, *room = 2 * (*used + size) + 256);
    memcpy(*to + *used, at, size);
    *used += size;
}

static void text(response *one, const uint8_t *at, size_t size) {
    uint8_t length[4] = {size & 255, size >> 8 & 255, size >> 16 & 255, size >> 24};
    append(&one->text, &one->used, &one->room, length, 4);
    append(&one->text, &one->used, &one->room, at, size);
}

static int on_header(nghttp2_session *s, const nghttp2_frame *f, const uint8_t *name, size_t count,
                     const uint8_t *value, size_t size, uint8_t flags, void *user) {
    (void)flags, (void)user;
    response *one = nghttp2_session_get_stream_user_data(s, f->hd.stream_id);
    text(one, name, count);
    text(one, value, size);
    one->fields++;
    return 0;
}

static int on_data(nghttp2_session *s, uint8_t flags, int32_t id, const uint8_t *at, size_t size,
                   void *user) {
    (void)flags, (void)user;
    response *one = nghttp2_session_get_stream_user_data(s, id);
    if (showing)
        for (size_t n = 0; n < size; n++) sum_in += at[n];
    if (one->size > 1 << 16) one->size = 0; /* a long body is handed on piece by piece */
    append(&one->body, &one->size, &one->space, at, size);
    return 0;
}

static int on_close(nghttp2_session *s, int32_t id, uint32_t code, void *user) {
    (void)user;
    response *one = nghttp2_session_get_stream_user_data(s, id);
    if (!one) return 0;
    if (showing) {
        const uint8_t *at = one->text;
        for (size_t n = 0; n < 2 * one->fields; at += 4 + number(at), n++)
            printf("%.*s%c", (int)number(at), at + 4, n % 2 ? '\n' : ':');
        printf("%d %u %llu\n", (int)id, code, (unsigned long long)sum_in);
        sum_in = 0;
    }
    free(one->text);
    free(one->body);
    free(one);
    return 0;
}

static size_t drain(nghttp2_session *session, int show) {
    const uint8_t *at;
    ssize_t size;
    size_t all = 0;
    while ((size = nghttp2_session_mem_send(session, &at)) > 0) {
        all += (size_t)size;
        if (show) fwrite(at, 1, (size_t)size, stdout);
    }
    return all;
}

static void feed(nghttp2_session *session, const piece *read) {
    if (nghttp2_session_mem_recv(session, read->octets, read->size) != (ssize_t)read->size) exit(1);
}

static nghttp2_session_callbacks *callbacks;

static nghttp2_session *opened(void) {
    nghttp2_session *session;
    nghttp2_settings_entry entries[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW}};
    nghttp2_session_client_new(&session, callbacks, NULL);
    nghttp2_submit_settings(session, 0, entries, 2);
    nghttp2_session_set_local_window_size(session, 0, 0, WINDOW);
    return session;
}

static nghttp2_session *started(const work *todo, int show) {
    nghttp2_session *session = opened();
    if (!known) unpack(todo->pieces + 1);
    drain(session, show);
    feed(session, todo->pieces);
    drain(session, show);
    return session;
}

static void get(nghttp2_session *session, size_t which, int show) {
    which %= known;
    response *one = collecting ? calloc(1, sizeof *one) : NULL;
    if (nghttp2_submit_request(session, NULL, lists[which], sizes[which], NULL, one) < 0) exit(1);
    drain(session, show);
}

static size_t opening(const work *todo, int show, double *spent) {
    (void)todo;
    double start = cpu();
    for (int n = 0; n < 100; n++) {
        nghttp2_session *session = opened();
        drain(session, show && n == 0);
        nghttp2_session_del(session);
    }
    *spent += cpu() - start;
    return 100;
}

static size_t getting(const work *todo, int show, double *spent) {
    nghttp2_session *all[64];
    size_t sent = 0;
    if (show) clients = 1;
    for (long c = 0; c < clients; c++) {
        all[c] = started(todo, show);
        for (long n = 0; n < open_streams; n++) get(all[c], (size_t)n, show);
    }
    for (long r = 0; r < rounds; r++) {
        double start = cpu();
        for (long c = 0; c < clients; c++)
            for (long n = 0; n < each; n++) get(all[c], (size_t)(open_streams + n), show), sent++;
        *spent += cpu() - start;
    }
    for (long c = 0; c < clients; c++) nghttp2_session_del(all[c]);
    return sent;
}

static size_t receiving(const work *todo, int show, double *spent) {
    nghttp2_session *session = started(todo, 0);
    for (long n = 0; n < open_streams; n++) get(session, (size_t)n, 0);
    showing = show;
    double start = cpu();
    for (long n = 0; n < each * rounds; n++) {
        feed(session, todo->pieces + 2 + n);
        drain(session, 0);
    }
    *spent += cpu() - start;
    nghttp2_session_del(session);
    return (size_t)(each * rounds);
}

static size_t exchanging(const work *todo, int show, double *spent) {
    nghttp2_session *session = started(todo, 0);
    showing = show;
    double start = cpu();
    for (size_t n = 2; n < todo->count; n++) {
        get(session, n - 2, 0);
        feed(session, todo->pieces + n);
        drain(session, 0);
    }
    *spent += cpu() - start;
    nghttp2_session_del(session);
    return todo->count - 2;
}

static size_t down(const work *todo, int show, double *spent) {
    nghttp2_session *session = started(todo, 0);
    get(session, 0, 0);
    showing = show;
    double start = cpu();
    for (size_t n = 2; n < todo->count; n++) {
        feed(session, todo->pieces + n);
        drain(session, 0);
    }
    *spent += cpu() - start;
    nghttp2_session_del(session);
    return 1;
}

typedef struct {
    const work *todo;
    size_t piece, at;
} source;

static ssize_t more(nghttp2_session *s, int32_t id, uint8_t *target, size_t room, uint32_t *flags,
                    nghttp2_data_source *from, void *user) {
    (void)s, (void)id, (void)user;
    source *body = from->ptr;
    const piece *now = body->todo->pieces + body->piece;
    size_t size = now->size - body->at < room ? now->size - body->at : room;
    memcpy(target, now->octets + body->at, size);
    body->at += size;
    if (body->at == now->size) body->at = 0, body->piece++;
    if (body->piece == body->todo->count) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)size;
}

static size_t up(const work *todo, int show, double *spent) {
    nghttp2_session *session = started(todo, show);
    source body = {todo, 2, 0};
    nghttp2_data_provider provider = {{.ptr = &body}, more};
    double start = cpu();
    if (nghttp2_submit_request(session, NULL, lists[0], sizes[0], &provider, NULL) < 0) exit(1);
    drain(session, show);
    *spent += cpu() - start;
    nghttp2_session_del(session);
    return 1;
}

int main(int count, char **words) {
    static const struct { const char *name; pass one; } modes[] = {
        {"opening", opening}, {"getting", getting}, {"receiving", receiving},
        {"exchanging", exchanging}, {"down", down}, {"up", up}};
    if (count < 8) return 2;
    mode = words[1];
    collecting = strcmp(mode, "getting") != 0;
    open_streams = atol(words[2]), each = atol(words[3]);
    rounds = atol(words[4]), clients = atol(words[5]);
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    for (size_t n = 0; n < sizeof modes / sizeof *modes; n++)
        if (strcmp(modes[n].name, mode) == 0)
            return run(modes[n].one, words[6], words[7], count > 8 ? words[8] : "0");
    return 2;
}
