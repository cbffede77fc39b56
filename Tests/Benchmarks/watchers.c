// Parks many blocking queries on one service, changes the service, and measures from just before
// the write is sent until each watcher has its whole answer.
//
// Usage: watchers PORT WATCHERS ROUNDS INDEX      (the service is "web"; INDEX its current index)
// Prints per round: milliseconds to the middle watcher, milliseconds to the last one.

#include <pthread.h>

#include "http.h"

enum { THREADS = 2 };

struct watcher {
    int fd;
    struct answer answer;
    double done;
};

struct worker {
    struct watcher *watchers;
    int count;
    int epoll;
};

static int watcher_count, rounds;
static long change_index;
static pthread_barrier_t barrier;
static struct watcher *all;

static void ask(struct watcher *watcher) {
    char request[256];
    int length = snprintf(
        request, sizeof request,
        "GET /v1/health/service/web?index=%ld&wait=60s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        change_index);
    answer_reset(&watcher->answer);
    watcher->done = 0;
    send_all(watcher->fd, request, length);
}

static void *work(void *argument) {
    struct worker *worker = argument;
    struct epoll_event events[512];
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < worker->count; i++) ask(&worker->watchers[i]);
        pthread_barrier_wait(&barrier);
        for (int left = worker->count; left > 0;) {
            int ready = epoll_wait(worker->epoll, events, 512, 70000);
            if (ready == 0) {
                fprintf(stderr, "%d watchers never woke\n", left);
                exit(1);
            }
            for (int i = 0; i < ready; i++) {
                struct watcher *watcher = events[i].data.ptr;
                if (watcher->done || !answer_read(&watcher->answer, watcher->fd)) continue;
                if (watcher->answer.status != 200) {
                    fprintf(stderr, "status %d\n", watcher->answer.status);
                    exit(1);
                }
                watcher->done = now_seconds();
                left--;
            }
        }
        pthread_barrier_wait(&barrier);  // All are done: the main thread reads the times …
        pthread_barrier_wait(&barrier);  // … before the next round begins.
    }
    return NULL;
}

static void put(int fd, int round) {
    char body[512], request[1024];
    int size = snprintf(
        body, sizeof body,
        "{\"Node\":\"node-0\",\"Address\":\"10.0.0.1\",\"Service\":{\"ID\":\"web-0\","
        "\"Service\":\"web\",\"Port\":%d,\"Tags\":[\"v1\",\"primary\"],"
        "\"Meta\":{\"version\":\"1.0.0\"}}}", 2000 + round);
    int length = snprintf(
        request, sizeof request,
        "PUT /v1/catalog/register HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%s",
        size, body);
    send_all(fd, request, length);
}

static void wait_for_answer(int fd) {
    struct answer answer;
    answer_reset(&answer);
    while (!answer_read(&answer, fd)) usleep(50);
}

static long index_of(const struct answer *answer) {
    const char *found = strcasestr(answer->head, "\r\nx-consul-index:");
    return found ? atol(found + 17) : 0;
}

static int by_time(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

int main(int argc, char **argv) {
    if (argc != 5) return fprintf(stderr, "usage: watchers PORT WATCHERS ROUNDS INDEX\n"), 2;
    int port = atoi(argv[1]);
    watcher_count = atoi(argv[2]), rounds = atoi(argv[3]);
    change_index = atol(argv[4]);
    raise_file_limit();
    all = calloc(watcher_count, sizeof *all);
    double *times = calloc(watcher_count, sizeof *times);
    pthread_barrier_init(&barrier, NULL, THREADS + 1);
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    for (int t = 0; t < THREADS; t++) {
        int first = (long)watcher_count * t / THREADS;
        int last = (long)watcher_count * (t + 1) / THREADS;
        workers[t] = (struct worker){all + first, last - first, epoll_create1(0)};
        for (int i = first; i < last; i++) {
            all[i].fd = connect_local(port);
            struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
            epoll_ctl(workers[t].epoll, EPOLL_CTL_ADD, all[i].fd, &event);
        }
    }
    int writer = connect_local(port);
    for (int t = 0; t < THREADS; t++) pthread_create(&threads[t], NULL, work, &workers[t]);
    for (int round = 0; round < rounds; round++) {
        pthread_barrier_wait(&barrier);
        usleep(1500000);  // All queries have arrived and are parked.
        double start = now_seconds();
        put(writer, round);
        wait_for_answer(writer);
        pthread_barrier_wait(&barrier);
        for (int i = 0; i < watcher_count; i++) times[i] = (all[i].done - start) * 1000;
        change_index = index_of(&all[0].answer);
        qsort(times, watcher_count, sizeof *times, by_time);
        printf("%.1f %.1f\n", times[watcher_count / 2], times[watcher_count - 1]);
        fflush(stdout);
        pthread_barrier_wait(&barrier);
    }
    return 0;
}
