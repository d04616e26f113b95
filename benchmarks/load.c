/* The load generator: one thread that keeps a WebSocket server as busy as possible.

It implements neither masking nor compression: the request and one masked frame are read from
standard input, and answers are delimited by their lengths alone. It runs on Linux and needs only
libc.

    load echo       PORT REQUEST FRAME CONNECTIONS IN_FLIGHT WARM_UP SECONDS
    load fan-out    PORT REQUEST FRAME CONNECTIONS WARM_UP SECONDS
    load handshakes PORT REQUEST FRAME CONCURRENCY WARM_UP SECONDS
    load hold       PORT REQUEST FRAME CONNECTIONS

REQUEST and FRAME are the lengths in bytes of the request and the frame on standard input. The
result is one line of JSON. A failure is one line on standard error and the exit status 1. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_SIZE = 256 << 10,  /* most bytes of one read, and about those of one write */
    HEAD_SIZE = 8 << 10,    /* the longest response head */
    EVENTS = 1024,
    OPENING = 64,           /* concurrent handshakes: a full backlog costs a second */
    PER_ADDRESS = 20000,    /* connections per source address: ports are limited */
    ADDRESSES = 64,         /* source addresses in rotation, since closed ports stay in use */
    DEADLINE = 20,          /* seconds without progress */
};

typedef struct {
    int fd;
    bool open;           /* the response head is complete */
    bool blocked;        /* epoll also waits until the socket is writable */
    size_t sent;         /* bytes sent of the first frame that is due */
    uint64_t due;        /* frames to write; the first may be partly written */
    char *response;      /* the received part of the response head; NULL once complete */
    size_t response_size;
    uint8_t head[10];    /* header of the incoming frame */
    unsigned head_size;
    bool in_payload;
    uint64_t left;       /* remaining bytes of its payload */
    uint64_t message;    /* payload bytes of its message so far */
    uint64_t *times;     /* ring of the times at which the frames in flight were sent */
    uint64_t first, last;
} Connection;

static struct {
    enum { ECHO, FAN_OUT, HANDSHAKES, HOLD } mode;
    uint16_t port;
    int epoll;
    char *request, *frame, *batch;     /* batch: several copies of the frame */
    size_t request_size, frame_size, batch_size;
    bool deflate, exact;               /* exact: an answer must have the message's length */
    uint64_t payload_size;
    Connection *connections;
    uint64_t count, in_flight, started, opened, waiting;
    double warm_up, seconds;
    bool counting;
    uint64_t messages, bytes;
    uint64_t histogram[64 * 64];       /* nanoseconds; 64 buckets for each power of two */
    uint8_t buffer[READ_SIZE];
} load;

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static void *allocate(size_t size) {
    void *memory = calloc(1, size ? size : 1);
    if (!memory) fail("no memory for %zu bytes", size);
    return memory;
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static double cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Latencies --------------------------------------------------------------------------------- */

/* The top seven bits of a latency select its bucket: the error is at most 1/128. */
static void record(uint64_t nanoseconds) {
    unsigned power = nanoseconds < 64 ? 0 : 57 - (unsigned)__builtin_clzll(nanoseconds);
    load.histogram[power * 64 + (nanoseconds >> power)]++;
}

static double percentile(double share) {
    uint64_t total = 0, seen = 0;
    for (int i = 0; i < 64 * 64; i++) total += load.histogram[i];
    for (unsigned i = 0; i < 64 * 64; i++) {
        seen += load.histogram[i];
        if (seen && (double)seen >= share * (double)total) {
            unsigned power = i < 128 ? 0 : i / 64 - 1;
            double low = (double)((uint64_t)(i - power * 64) << power);
            return (low + (double)(1ull << power) / 2) / 1e9;
        }
    }
    return 0;
}

/* Writing ----------------------------------------------------------------------------------- */

static void watch(Connection *c, int operation, bool for_writing) {
    struct epoll_event event = {.events = EPOLLIN | (for_writing ? EPOLLOUT : 0), .data.ptr = c};
    if (epoll_ctl(load.epoll, operation, c->fd, &event)) fail("epoll_ctl: %s", strerror(errno));
    c->blocked = for_writing;
}

/* Write the frames that are due, as far as the socket accepts them. */
static void flush(Connection *c) {
    bool full = false;
    while (c->due && !full) {
        uint64_t size = c->due * load.frame_size - c->sent;
        if (size > load.batch_size - c->sent) size = load.batch_size - c->sent;
        ssize_t n = send(c->fd, load.batch + c->sent, size, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) fail("write: %s", strerror(errno));
        full = n < (ssize_t)size;
        if (n > 0) c->sent += (size_t)n;
        c->due -= c->sent / load.frame_size;
        c->sent %= load.frame_size;
    }
    if (full != c->blocked) watch(c, EPOLL_CTL_MOD, full);
}

static void send_frames(Connection *c, uint64_t frames, uint64_t time) {
    for (uint64_t i = 0; i < frames; i++) c->times[c->last++ % load.in_flight] = time;
    c->due += frames;
    flush(c);
}

/* Reading ----------------------------------------------------------------------------------- */

/* Parse a frame's header at p; return the start of its payload, or NULL if it is incomplete. */
static const uint8_t *read_header(Connection *c, const uint8_t *p, const uint8_t *end) {
    for (;;) {
        unsigned size = 2;
        if (c->head_size >= 2) {
            if (c->head[1] & 0x80) fail("a server's frame is masked");
            size = c->head[1] < 126 ? 2 : c->head[1] == 126 ? 4 : 10;
        }
        if (c->head_size >= 2 && c->head_size == size) break;
        if (p == end) return NULL;
        c->head[c->head_size++] = *p++;
    }
    c->left = 0;
    if (c->head_size == 2) c->left = c->head[1];
    for (unsigned i = 2; i < c->head_size; i++) c->left = c->left << 8 | c->head[i];
    c->in_payload = true;
    unsigned opcode = c->head[0] & 15;
    if (opcode == 8) fail("the server closed a connection (after %llu messages)",
                          (unsigned long long)load.messages);
    if (opcode < 8) c->message += c->left;
    return p;
}

/* A frame is complete: return whether its message is complete too. */
static bool ends_message(Connection *c) {
    bool ends = (c->head[0] & 0x80) && (c->head[0] & 15) < 8;
    c->head_size = 0;
    c->in_payload = false;
    if (!ends) return false;
    if (load.exact && c->message != load.payload_size)
        fail("an answer of %llu bytes to a message of %llu", (unsigned long long)c->message,
             (unsigned long long)load.payload_size);
    c->message = 0;
    return true;
}

static uint64_t count_messages(Connection *c, const uint8_t *p, const uint8_t *end) {
    uint64_t messages = 0;
    while (c->in_payload || p < end) {
        if (!c->in_payload && !(p = read_header(c, p, end))) break;
        uint64_t taken = (uint64_t)(end - p) < c->left ? (uint64_t)(end - p) : c->left;
        p += taken;
        c->left -= taken;
        if (c->left) break;
        messages += ends_message(c);
    }
    return messages;
}

static void answer(Connection *c, uint64_t messages, uint64_t time) {
    if (load.counting) load.messages += messages;
    if (load.mode == ECHO) {
        if (messages > c->last - c->first) fail("more answers than messages");
        for (uint64_t i = 0; i < messages; i++) {
            uint64_t sent = c->times[c->first++ % load.in_flight];
            if (load.counting) record(time - sent);
        }
        send_frames(c, messages, time);
    } else if (load.mode == FAN_OUT) {
        if (messages > load.waiting) fail("more copies than connections");
        load.waiting -= messages;
        if (load.waiting) return;
        Connection *sender = load.connections;
        if (load.counting) record(time - sender->times[sender->first % load.in_flight]);
        sender->first++;
        load.waiting = load.count;
        send_frames(sender, 1, time);
    }
}

static ssize_t read_some(Connection *c) {
    ssize_t n = recv(c->fd, load.buffer, READ_SIZE, 0);
    if (n == 0) fail("the server ended a connection (after %llu messages)",
                     (unsigned long long)load.messages);
    if (n < 0 && errno != EAGAIN) fail("read: %s", strerror(errno));
    return n;
}

/* Opening ----------------------------------------------------------------------------------- */

static void start(Connection *c) {
    uint64_t number = load.started++;
    unsigned address = 1 + (unsigned)(number / PER_ADDRESS);
    if (load.mode == HANDSHAKES) address = 1 + (unsigned)(number % ADDRESSES);
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000 + address)};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons(load.port)};
    int yes = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    /* Choose the port on connect: it then only has to be free for this destination. */
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&from, sizeof from)) fail("bind: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS)
        fail("cannot connect to port %u: %s", load.port, strerror(errno));
    uint64_t *times = c->times;
    memset(c, 0, sizeof *c);
    c->fd = fd;
    c->times = times ? times : allocate(load.in_flight * sizeof *times);
    c->times[0] = now();
    c->response = allocate(HEAD_SIZE);
    watch(c, EPOLL_CTL_ADD, true);
}

/* Connected: write the request, which fits into the empty buffer of the socket. */
static void request(Connection *c) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) fail("cannot connect to port %u: %s", load.port, strerror(error));
    if (send(c->fd, load.request, load.request_size, MSG_NOSIGNAL) != (ssize_t)load.request_size)
        fail("the request could not be written: %s", strerror(errno));
    watch(c, EPOLL_CTL_MOD, false);
}

/* Add bytes to the response; return whether its head is complete. Fail if it is wrong. */
static bool read_response(Connection *c, size_t size) {
    if (c->response_size + size >= HEAD_SIZE) fail("the response head is too long");
    memcpy(c->response + c->response_size, load.buffer, size);
    c->response_size += size;
    char *end = strstr(c->response, "\r\n\r\n");
    if (!end) return false;
    if (strncmp(c->response, "HTTP/1.1 101 ", 13))
        fail("refused: %.*s", (int)strcspn(c->response, "\r\n"), c->response);
    if (end + 4 != c->response + c->response_size) fail("the server sent a frame first");
    if ((strcasestr(c->response, "permessage-deflate") != NULL) != load.deflate)
        fail("permessage-deflate is %s", load.deflate ? "refused" : "on without an offer");
    free(c->response);
    c->response = NULL;
    return true;
}

static void opened(Connection *c) {
    load.opened++;
    if (load.mode != HANDSHAKES) {
        c->open = true;
        if (load.started < load.count) start(load.connections + load.started);
        return;
    }
    if (load.counting) {
        load.messages++;
        record(now() - c->times[0]);
    }
    close(c->fd);
    start(c);
}

/* Running ----------------------------------------------------------------------------------- */

static void handle(Connection *c, uint32_t events) {
    if (!c->open) {
        if (c->blocked) {
            request(c);
        } else {
            ssize_t n = read_some(c);
            if (n > 0 && read_response(c, (size_t)n)) opened(c);
        }
        return;
    }
    if (events & EPOLLOUT) flush(c);
    if (!(events & ~(uint32_t)EPOLLOUT)) return;
    ssize_t n = read_some(c);
    if (n <= 0) return;
    if (load.counting) load.bytes += (uint64_t)n;
    uint64_t messages = count_messages(c, load.buffer, load.buffer + n);
    if (messages) answer(c, messages, now());
}

/* Wait for events until the time `until` at most, and handle them. */
static void turn(uint64_t until) {
    static struct epoll_event events[EVENTS];
    uint64_t time = now();
    int left = until > time ? (int)((until - time + 999999) / 1000000) : 0;
    int n = epoll_wait(load.epoll, events, EVENTS, left);
    if (n < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < n; i++) handle(events[i].data.ptr, events[i].events);
}

/* Start the first connections; each one that opens starts another. */
static void open_all(void) {
    uint64_t first = load.count < OPENING ? load.count : OPENING;
    for (uint64_t i = 0; i < first; i++) start(load.connections + i);
    while (load.opened < load.count) {
        uint64_t before = load.opened;
        uint64_t until = now() + DEADLINE * 1000000000ull;
        while (load.opened == before && now() < until) turn(until);
        if (load.opened == before) fail("no answer to the request in %d seconds", DEADLINE);
    }
}

static void run_for(double seconds) {
    uint64_t until = now() + (uint64_t)(seconds * 1e9);
    while (now() < until) turn(until);
}

static void measure(void) {
    if (load.mode == HANDSHAKES) {
        for (uint64_t i = 0; i < load.count; i++) start(load.connections + i);
    } else {
        open_all();
    }
    if (load.mode == ECHO)
        for (uint64_t i = 0; i < load.count; i++)
            send_frames(load.connections + i, load.in_flight, now());
    if (load.mode == FAN_OUT) {
        load.waiting = load.count;
        send_frames(load.connections, 1, now());
    }
    run_for(load.warm_up);
    load.counting = true;
    double cpu = cpu_seconds();
    uint64_t begin = now();
    run_for(load.seconds);
    double elapsed = (double)(now() - begin) / 1e9;
    cpu = cpu_seconds() - cpu;
    if (!load.messages) fail("no answer in %g seconds", elapsed);
    printf("{\"messages\": %llu, \"seconds\": %.6f, \"p50\": %.9f, \"p99\": %.9f, "
           "\"cpu_seconds\": %.6f, \"bytes\": %llu}\n",
           (unsigned long long)load.messages, elapsed, percentile(0.5), percentile(0.99), cpu,
           (unsigned long long)load.bytes);
}

static void hold(void) {
    open_all();
    printf("{\"connections\": %llu}\n", (unsigned long long)load.count);
    fflush(stdout);
    while (read(0, load.buffer, READ_SIZE) > 0) continue;
}

/* Starting ---------------------------------------------------------------------------------- */

static char *take(size_t size) {
    char *bytes = allocate(size + 1);
    for (size_t got = 0; got < size;) {
        ssize_t n = read(0, bytes + got, size - got);
        if (n <= 0) fail("standard input ended early");
        got += (size_t)n;
    }
    return bytes;
}

/* Repeat the frame, so that one write can send several. */
static void fill_batch(void) {
    uint64_t frames = load.frame_size ? READ_SIZE / load.frame_size : 1;
    if (frames > load.in_flight) frames = load.in_flight;
    if (!frames) frames = 1;
    load.batch_size = frames * load.frame_size;
    load.batch = allocate(load.batch_size);
    for (uint64_t i = 0; i < frames; i++)
        memcpy(load.batch + i * load.frame_size, load.frame, load.frame_size);
}

static void read_frame_header(void) {
    const uint8_t *frame = (const uint8_t *)load.frame;
    if (load.frame_size < 6) return;
    unsigned length = frame[1] & 127;
    load.payload_size = load.frame_size - (length < 126 ? 6 : length == 126 ? 8 : 14);
    load.exact = !(frame[0] & 0x40);  /* RSV1: compressed sizes differ between programs */
}

static void allow_files(uint64_t count) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (count + 16 > limit.rlim_cur)
        fail("%llu connections, but only %llu open files are allowed", (unsigned long long)count,
             (unsigned long long)limit.rlim_cur);
}

int main(int argc, char **argv) {
    static const char *names[] = {"echo", "fan-out", "handshakes", "hold"};
    static const int lengths[] = {9, 8, 8, 6};
    unsigned mode = 0;
    while (mode < 4 && argc > 1 && strcmp(argv[1], names[mode])) mode++;
    if (argc < 2 || mode == 4 || argc != lengths[mode]) fail("usage: see the top of load.c");
    load.mode = mode;
    load.port = (uint16_t)atoi(argv[2]);
    load.request_size = strtoull(argv[3], NULL, 10);
    load.frame_size = strtoull(argv[4], NULL, 10);
    load.count = strtoull(argv[5], NULL, 10);
    load.in_flight = mode == ECHO ? strtoull(argv[6], NULL, 10) : 1;
    load.warm_up = mode == HOLD ? 0 : strtod(argv[argc - 2], NULL);
    load.seconds = mode == HOLD ? 0 : strtod(argv[argc - 1], NULL);
    if (!load.count || !load.in_flight) fail("at least one connection and one in flight");
    load.request = take(load.request_size);
    load.frame = take(load.frame_size);
    load.deflate = strcasestr(load.request, "permessage-deflate") != NULL;
    read_frame_header();
    fill_batch();
    allow_files(load.count);
    load.connections = allocate(load.count * sizeof *load.connections);
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load.epoll < 0) fail("epoll: %s", strerror(errno));
    if (load.mode == HOLD) hold();
    else measure();
    return 0;
}
