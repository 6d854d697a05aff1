/* llhttp: parse responses and note where names, values and bodies are. */
#include <ctype.h>
#include <llhttp.h>

#include "work.h"

enum { NAME, VALUE, BODY, DONE };

typedef struct {
    const char *at;
    size_t size;
    int what;
} span;

static span spans[1 << 16];
static size_t used;

static int note(llhttp_t *parser, const char *at, size_t size, int what) {
    (void)parser;
    if (used < sizeof spans / sizeof *spans) spans[used++] = (span){at, size, what};
    return 0;
}
static int on_name(llhttp_t *p, const char *at, size_t size) { return note(p, at, size, NAME); }
static int on_value(llhttp_t *p, const char *at, size_t size) { return note(p, at, size, VALUE); }
static int on_body(llhttp_t *p, const char *at, size_t size) { return note(p, at, size, BODY); }
static int on_done(llhttp_t *p) { return note(p, NULL, p->status_code, DONE); }

static void print(void) {
    for (size_t n = 0; n < used; n++) {
        const span *one = spans + n;
        if (one->what == DONE) {
            printf("\n%zu\n", one->size);
            continue;
        }
        for (size_t k = 0; k < one->size; k++)
            putchar(one->what == NAME ? tolower((unsigned char)one->at[k]) : one->at[k]);
        if (one->what != BODY) putchar(one->what == NAME ? ':' : '\n');
    }
}

static size_t parse(const work *todo, int show, double *spent) {
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_header_field = on_name;
    settings.on_header_value = on_value;
    settings.on_body = on_body;
    settings.on_message_complete = on_done;
    llhttp_t parser;
    llhttp_init(&parser, HTTP_RESPONSE, &settings);
    size_t done = 0;
    double start = cpu();
    for (size_t n = 0; n < todo->count; n++) {
        used = 0;
        if (llhttp_execute(&parser, (const char *)todo->pieces[n].octets, todo->pieces[n].size))
            exit(1);
        for (size_t k = used; k-- > 0 && !show;) done += spans[k].what == DONE;
        if (show) print();
    }
    *spent += cpu() - start;
    return done;
}

int main(int count, char **words) {
    return count < 3 ? 2 : run(parse, words[1], words[2], count > 3 ? words[3] : "0");
}
