// Registers instances one request each through /v1/catalog/register, over 5,000 nodes and 1,000
// services, and prints the rate of each chunk, so that a fall shows.
//
// Usage: registrations PORT COUNT CONNECTIONS CHUNK SECONDS
// Prints one line per chunk: registrations done so far, rate of the chunk in 1/s. Stops after
// SECONDS.

#include "http.h"

struct connection {
    int fd;
    struct answer answer;
};

static long sent, done;

static void ask(struct connection *connection) {
    char body[512], request[1024];
    long i = sent++;
    long node = i % 5000;
    int size = snprintf(
        body, sizeof body,
        "{\"Node\":\"node-%ld\",\"Address\":\"10.0.%ld.%ld\",\"Service\":{\"ID\":\"i-%ld\","
        "\"Service\":\"service-%ld\",\"Port\":%ld,\"Tags\":[\"v1\",\"primary\"],"
        "\"Meta\":{\"version\":\"1.0.0\"}}}",
        node, node / 256, node % 256, i, (i / 7) % 1000, 1024 + i % 60000);
    int length = snprintf(
        request, sizeof request,
        "PUT /v1/catalog/register HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%s",
        size, body);
    answer_reset(&connection->answer);
    send_all(connection->fd, request, length);
}

int main(int argc, char **argv) {
    if (argc != 6) {
        return fprintf(stderr, "usage: registrations PORT COUNT CONNECTIONS CHUNK SECONDS\n"), 2;
    }
    int port = atoi(argv[1]), count = atoi(argv[3]);
    long total = atol(argv[2]), chunk = atol(argv[4]);
    double limit = now_seconds() + atof(argv[5]), chunk_start = now_seconds();
    int epoll = epoll_create1(0);
    struct connection *all = calloc(count, sizeof *all);
    struct epoll_event events[256];
    for (int i = 0; i < count; i++) {
        all[i].fd = connect_local(port);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event);
        ask(&all[i]);
    }
    while (done < total && now_seconds() < limit) {
        int ready = epoll_wait(epoll, events, 256, 5000);
        if (ready == 0) return fprintf(stderr, "no answer in five seconds\n"), 1;
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!answer_read(&connection->answer, connection->fd)) continue;
            if (connection->answer.status != 200) {
                return fprintf(stderr, "status %d\n", connection->answer.status), 1;
            }
            if (++done % chunk == 0) {
                double now = now_seconds();
                printf("%ld %.0f\n", done, chunk / (now - chunk_start));
                fflush(stdout);
                chunk_start = now;
            }
            if (sent < total) ask(connection);
        }
    }
    return 0;
}
