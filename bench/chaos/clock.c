/* A wrong clock for one process: preloaded, it adds the seconds in the file FORETICK_CHAOS_CLOCK_FILE to the time of
   day. Every other clock, and so every sleep and timeout, goes on as it did. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset_s(void) {
    static long known, read_at = -1;
    struct timespec now;
    const char *path = getenv("FORETICK_CHAOS_CLOCK_FILE");
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    if (path == NULL || now.tv_sec == read_at)
        return known;
    read_at = now.tv_sec;
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        long found;
        if (fscanf(file, "%ld", &found) == 1)
            known = found;
        fclose(file);
    }
    return known;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int failed = (int)syscall(SYS_clock_gettime, clock, time);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        time->tv_sec += offset_s();
    return failed;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    int failed = (int)syscall(SYS_gettimeofday, time, zone);
    if (!failed)
        time->tv_sec += offset_s();
    return failed;
}

time_t time(time_t *place) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (place != NULL)
        *place = now.tv_sec;
    return now.tv_sec;
}
