/* A client's HTTP/2 core in C, without sockets: libnghttp2 with callbacks in C.
   The floor of the end-to-end rows; Python calls it through ctypes, a few times a batch. */
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 16 << 20 };

typedef struct {
    int status;
    size_t size;
    uint8_t body[512];
} response;

typedef struct {
    nghttp2_session *session;
    response done[256];
    size_t count;     /* responses in `done` */
    uint8_t out[1 << 18];
} core;

static int on_header(nghttp2_session *s, const nghttp2_frame *f, const uint8_t *name, size_t count,
                     const uint8_t *value, size_t size, uint8_t flags, void *user) {
    (void)flags, (void)user, (void)size;
    response *one = nghttp2_session_get_stream_user_data(s, f->hd.stream_id);
    if (count == 7 && memcmp(name, ":status", 7) == 0) one->status = atoi((const char *)value);
    return 0;
}

static int on_data(nghttp2_session *s, uint8_t flags, int32_t id, const uint8_t *at, size_t size,
                   void *user) {
    (void)flags, (void)user;
    response *one = nghttp2_session_get_stream_user_data(s, id);
    if (one->size + size <= sizeof one->body) memcpy(one->body + one->size, at, size);
    one->size += size;
    return 0;
}

static int on_close(nghttp2_session *s, int32_t id, uint32_t code, void *user) {
    (void)code;
    core *all = user;
    response *one = nghttp2_session_get_stream_user_data(s, id);
    all->done[all->count++ & 255] = *one;
    free(one);
    return 0;
}

core *core_new(void) {
    core *all = calloc(1, sizeof *all);
    nghttp2_session_callbacks *callbacks;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_client_new(&all->session, callbacks, all);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_settings_entry entries[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW}};
    nghttp2_submit_settings(all->session, 0, entries, 2);
    nghttp2_session_set_local_window_size(all->session, 0, 0, WINDOW);
    return all;
}

/* `packed` holds name, value, name, value ..., each ended by a NUL. */
int core_get(core *all, const char *packed, size_t size) {
    nghttp2_nv fields[64];
    size_t count = 0;
    for (const char *at = packed; at < packed + size && count < 64; count++) {
        size_t name = strlen(at), value = strlen(at + name + 1);
        fields[count] = (nghttp2_nv){(uint8_t *)at, (uint8_t *)at + name + 1, name, value, 0};
        at += name + value + 2;
    }
    return nghttp2_submit_request(all->session, NULL, fields, count, NULL,
                                  calloc(1, sizeof(response)));
}

/* Write octets to send to `out`, as many as fit. */
size_t core_out(core *all, const uint8_t **at) {
    size_t used = 0;
    const uint8_t *piece;
    ssize_t size;
    while (used < sizeof all->out / 2 &&
           (size = nghttp2_session_mem_send(all->session, &piece)) > 0) {
        memcpy(all->out + used, piece, (size_t)size);
        used += (size_t)size;
    }
    *at = all->out;
    return used;
}

/* Feed octets; return how many responses are complete. `core_take` returns them. */
long core_feed(core *all, const uint8_t *at, size_t size) {
    all->count = 0;
    if (nghttp2_session_mem_recv(all->session, at, size) != (ssize_t)size) return -1;
    return (long)all->count;
}

int core_take(core *all, size_t which, const uint8_t **body, size_t *size) {
    *body = all->done[which].body;
    *size = all->done[which].size;
    return all->done[which].status;
}
