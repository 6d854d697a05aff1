/* HPACK by libnghttp2: `inflate` takes blocks; `deflate` takes lists, each as a piece that holds pieces
   (name, value, name, value ...). A pass is one connection: it begins with empty tables. */
#include <nghttp2/nghttp2.h>

#include "work.h"

static size_t inflate(const work *todo, int show, double *spent) {
    nghttp2_hd_inflater *inflater;
    double start = cpu();
    nghttp2_hd_inflate_new(&inflater);
    for (size_t n = 0; n < todo->count; n++) {
        const uint8_t *at = todo->pieces[n].octets, *end = at + todo->pieces[n].size;
        for (;;) {
            nghttp2_nv field;
            int flags = 0;
            ssize_t taken =
                nghttp2_hd_inflate_hd2(inflater, &field, &flags, at, (size_t)(end - at), 1);
            if (taken < 0) exit(1);
            at += taken;
            if (flags & NGHTTP2_HD_INFLATE_EMIT && show)
                printf("%.*s:%.*s\n", (int)field.namelen, field.name, (int)field.valuelen,
                       field.value);
            if (flags & NGHTTP2_HD_INFLATE_FINAL) break;
        }
        nghttp2_hd_inflate_end_headers(inflater);
        if (show) putchar('\n');
    }
    nghttp2_hd_inflate_del(inflater);
    *spent += cpu() - start;
    return todo->count;
}

static nghttp2_nv *lists;
static size_t *sizes;

static void unpack(const work *todo) {
    size_t fields = 0;
    lists = malloc(todo->count * 64 * sizeof *lists);
    sizes = malloc(todo->count * sizeof *sizes);
    for (size_t n = 0; n < todo->count; n++) {
        const uint8_t *at = todo->pieces[n].octets, *end = at + todo->pieces[n].size;
        for (sizes[n] = 0; at < end; sizes[n]++) {
            nghttp2_nv *one = lists + fields++;
            one->flags = NGHTTP2_NV_FLAG_NONE;
            one->namelen = number(at);
            one->name = (uint8_t *)at + 4;
            at += 4 + one->namelen;
            one->valuelen = number(at);
            one->value = (uint8_t *)at + 4;
            at += 4 + one->valuelen;
        }
    }
}

static size_t deflate(const work *todo, int show, double *spent) {
    static uint8_t block[1 << 16];
    if (!lists) unpack(todo);
    nghttp2_hd_deflater *deflater;
    const nghttp2_nv *list = lists;
    double start = cpu();
    nghttp2_hd_deflate_new(&deflater, 4096);
    for (size_t n = 0; n < todo->count; list += sizes[n++]) {
        ssize_t size = nghttp2_hd_deflate_hd(deflater, block, sizeof block, list, sizes[n]);
        if (size < 0) exit(1);
        if (show) {
            uint8_t length[4] = {size & 255, size >> 8 & 255, size >> 16 & 255, size >> 24};
            fwrite(length, 1, 4, stdout);
            fwrite(block, 1, (size_t)size, stdout);
        }
    }
    nghttp2_hd_deflate_del(deflater);
    *spent += cpu() - start;
    return todo->count;
}

int main(int count, char **words) {
    if (count < 4) return 2;
    pass one = strcmp(words[1], "inflate") == 0 ? inflate : deflate;
    return run(one, words[2], words[3], count > 4 ? words[4] : "0");
}
