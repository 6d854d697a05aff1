/* What the programs share: reading the work, the clock of this process's CPU, the loop that times. */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    const uint8_t *octets;
    size_t size;
} piece;

typedef struct {
    piece *pieces;
    size_t count;
} work;

static inline uint32_t number(const uint8_t *at) {
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static work read_work(const char *name) {
    FILE *file = fopen(name, "rb");
    if (!file) { perror(name); exit(1); }
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file), count = 0;
    rewind(file);
    uint8_t *all = malloc(size + 1);
    if (fread(all, 1, size, file) != size) exit(1);
    fclose(file);
    for (size_t at = 0; at < size; at += 4 + number(all + at)) count++;
    work out = {malloc((count + 1) * sizeof(piece)), count};
    size_t at = 0;
    for (size_t n = 0; n < count; n++) {
        out.pieces[n] = (piece){all + at + 4, number(all + at)};
        at += 4 + out.pieces[n].size;
    }
    return out;
}

static double cpu(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* One pass over the work; with `show`, print the results. Return the number of operations, and add the
   measured seconds to *spent. */
typedef size_t (*pass)(const work *, int show, double *spent);

static int run(pass one, const char *verb, const char *file, const char *budget) {
    work todo = read_work(file);
    double spent = 0;
    if (strcmp(verb, "check") == 0) {
        one(&todo, 1, &spent);
        return 0;
    }
    double most = atof(budget), began = cpu();
    size_t operations = 0;
    do operations += one(&todo, 0, &spent);
    while (spent < most && cpu() - began < 10 * most);
    printf("%.12g\n", spent / (double)operations);
    return 0;
}

#endif
