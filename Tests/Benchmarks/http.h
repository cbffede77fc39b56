// The little of HTTP/1.1 that the load programs need: sending, and seeing where an answer ends.

#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_BYTES = 2048 };

// What is known of the answer that a connection is reading.
struct answer {
    char head[HEAD_BYTES];  // The header, and the last bytes of a chunked body after it.
    int head_length;
    int head_complete;
    int chunked;
    long body_left;  // Bytes of a body with a length that are still to come.
    char tail[5];    // The last five bytes of a chunked body.
    int status;
};

static inline void die(const char *what) {
    perror(what);
    exit(1);
}

static inline double now_seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static inline void raise_file_limit(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

// Connects to a port of this machine; later reads do not block.
static inline int connect_local(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) die("socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static inline void send_all(int fd, const char *data, size_t length) {
    while (length > 0) {
        ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) die("send");
        if (sent > 0) data += sent, length -= sent;
    }
}

static inline void answer_reset(struct answer *answer) {
    answer->head_length = answer->head_complete = answer->chunked = answer->status = 0;
    answer->body_left = 0;
    memset(answer->tail, 0, sizeof answer->tail);
}

static inline void read_head(struct answer *answer) {
    answer->head_complete = 1;
    answer->status = atoi(answer->head + 9);
    answer->chunked = strcasestr(answer->head, "\r\ntransfer-encoding: chunked") != NULL;
    const char *length = strcasestr(answer->head, "\r\ncontent-length:");
    answer->body_left = length ? atol(length + 17) : 0;
}

static inline void keep_tail(struct answer *answer, const char *data, size_t length) {
    size_t room = sizeof answer->tail;
    if (length >= room) {
        memcpy(answer->tail, data + length - room, room);
    } else {
        memmove(answer->tail, answer->tail + length, room - length);
        memcpy(answer->tail + room - length, data, length);
    }
}

// Takes bytes of an answer; true once it is complete. One request is under way at a time.
static inline int answer_take(struct answer *answer, const char *data, size_t length) {
    size_t used = 0;
    while (!answer->head_complete && used < length) {
        if (answer->head_length == HEAD_BYTES - 1) {
            fprintf(stderr, "an answer's header is too long\n");
            exit(1);
        }
        answer->head[answer->head_length++] = data[used++];
        answer->head[answer->head_length] = 0;
        if (answer->head_length >= 4
            && memcmp(answer->head + answer->head_length - 4, "\r\n\r\n", 4) == 0) {
            read_head(answer);
        }
    }
    if (!answer->head_complete) return 0;
    if (answer->chunked) {
        keep_tail(answer, data + used, length - used);
        return memcmp(answer->tail, "0\r\n\r\n", 5) == 0;
    }
    answer->body_left -= length - used;
    return answer->body_left <= 0;
}

// Reads what there is on a connection; true once the answer is complete.
static inline int answer_read(struct answer *answer, int fd) {
    static __thread char buffer[256 * 1024];
    ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (got <= 0) {
        fprintf(stderr, "the server closed a connection\n");
        exit(1);
    }
    return answer_take(answer, buffer, got);
}
