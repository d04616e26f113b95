/* The echo server for the measurements of clients: one thread, as little work as possible.

    echo_server

It prints its port on 127.0.0.1 and serves until the end of standard input. Payloads are unmasked
and sent back as they arrive, without waiting for the end of the frame. Compressed payloads are not
inflated. This requires messages without context takeover, which the server negotiates with
permessage-deflate. It runs on Linux and needs only libc. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_SIZE = 256 << 10,
    HEAD_SIZE = 8 << 10,   /* the longest request head */
    EVENTS = 1024,
};

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define AGREED "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

typedef struct {
    int fd;
    bool open;            /* the request is answered */
    bool closing;         /* a Close frame has been or is being echoed */
    bool blocked;         /* epoll also waits until the socket is writable */
    char *request;        /* the received part of the request head */
    size_t request_size;
    uint8_t head[14];     /* header of the incoming frame */
    unsigned head_size;
    bool in_payload;
    uint64_t left;        /* remaining bytes of its payload */
    uint64_t mask;        /* its masking key twice, rotated to the next byte */
    char *unsent;         /* data the socket has not accepted; at most what is in flight */
    size_t unsent_size, unsent_capacity, unsent_begin;
} Connection;

static int poller;
static uint8_t in[READ_SIZE], out[READ_SIZE + 64];

static void fail(const char *what) {
    fprintf(stderr, "echo_server: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* The opening handshake ---------------------------------------------------------------------- */

static uint32_t rotate(uint32_t x, unsigned n) { return x << n | x >> (32 - n); }

static void sha1_block(uint32_t h[5], const uint8_t *block) {
    uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < 80; i++) {
        if (i >= 16) w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        else w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
                    (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
        uint32_t f, k;
        if (i < 20) f = (b & c) | (~b & d), k = 0x5a827999;
        else if (i < 40) f = b ^ c ^ d, k = 0x6ed9eba1;
        else if (i < 60) f = (b & c) | (b & d) | (c & d), k = 0x8f1bbcdc;
        else f = b ^ c ^ d, k = 0xca62c1d6;
        uint32_t next = rotate(a, 5) + f + e + k + w[i];
        e = d, d = c, c = rotate(b, 30), b = a, a = next;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

/* Compute Sec-WebSocket-Accept from a key of 24 characters: 28 characters and a zero byte. */
static void accept_key(const char *key, char result[29]) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t blocks[128] = {0}, digest[21] = {0};
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    memcpy(blocks, key, 24);
    memcpy(blocks + 24, GUID, 36);
    blocks[60] = 0x80;
    blocks[126] = 480 >> 8, blocks[127] = 480 & 255;  /* the length in bits */
    sha1_block(h, blocks);
    sha1_block(h, blocks + 64);
    for (int i = 0; i < 20; i++) digest[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
    for (int i = 0; i < 7; i++) {
        uint32_t bits = (uint32_t)digest[3 * i] << 16 | (uint32_t)digest[3 * i + 1] << 8 |
                        digest[3 * i + 2];
        for (int j = 0; j < 4; j++) result[4 * i + j] = digits[bits >> (18 - 6 * j) & 63];
    }
    result[27] = '=';
    result[28] = 0;
}

/* Return the value of a header of the request; NULL if it is missing. */
static const char *field(const char *request, const char *name) {
    const char *found = strcasestr(request, name);
    if (!found) return NULL;
    found += strlen(name);
    return found + strspn(found, " \t");
}

/* Write the response to `out` and return its size; 0 if this is not an opening handshake. */
static size_t answer_request(const char *request) {
    const char *key = field(request, "\r\nSec-WebSocket-Key:");
    const char *extensions = field(request, "\r\nSec-WebSocket-Extensions:");
    if (!key || strcspn(key, " \t\r") != 24) return 0;
    char accept[29];
    accept_key(key, accept);
    const char *end = extensions ? strchr(extensions, '\r') : NULL;
    bool deflate = end && memmem(extensions, (size_t)(end - extensions), "permessage-deflate", 18);
    return (size_t)sprintf((char *)out,
                           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                           "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n", accept,
                           deflate ? "Sec-WebSocket-Extensions: " AGREED "\r\n" : "");
}

/* Writing ------------------------------------------------------------------------------------ */

static void watch(Connection *c, int operation, bool for_writing) {
    struct epoll_event event = {.events = EPOLLIN | (for_writing ? EPOLLOUT : 0), .data.ptr = c};
    if (epoll_ctl(poller, operation, c->fd, &event)) fail("epoll_ctl");
    c->blocked = for_writing;
}

static void keep(Connection *c, const uint8_t *data, size_t size) {
    if (c->unsent_begin > c->unsent_size / 2) {
        c->unsent_size -= c->unsent_begin;
        memmove(c->unsent, c->unsent + c->unsent_begin, c->unsent_size);
        c->unsent_begin = 0;
    }
    if (c->unsent_size + size > c->unsent_capacity) {
        c->unsent_capacity = 2 * (c->unsent_size + size);
        c->unsent = realloc(c->unsent, c->unsent_capacity);
        if (!c->unsent) fail("memory");
    }
    memcpy(c->unsent + c->unsent_size, data, size);
    c->unsent_size += size;
}

/* Send the data after earlier unsent data; return false if the client has gone. */
static bool write_all(Connection *c, const uint8_t *data, size_t size) {
    size_t sent = 0;
    if (!c->unsent_size && size) {
        ssize_t n = send(c->fd, data, size, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) return false;
        if (n > 0) sent = (size_t)n;
    }
    if (sent < size) keep(c, data + sent, size - sent);
    if (!c->blocked && c->unsent_size) watch(c, EPOLL_CTL_MOD, true);
    return true;
}

static bool flush(Connection *c) {
    size_t size = c->unsent_size - c->unsent_begin;
    ssize_t n = send(c->fd, c->unsent + c->unsent_begin, size, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN;
    c->unsent_begin += (size_t)n;
    if (c->unsent_begin < c->unsent_size) return true;
    c->unsent_begin = c->unsent_size = 0;
    watch(c, EPOLL_CTL_MOD, false);
    return true;
}

/* Frames ------------------------------------------------------------------------------------- */

/* XOR a part of a payload from p to q; rotate the key for the next part. */
static void unmask(Connection *c, uint8_t *q, const uint8_t *p, size_t size) {
    size_t i = 0;
    for (uint64_t eight; i + 8 <= size; i += 8) {
        memcpy(&eight, p + i, 8);
        eight ^= c->mask;
        memcpy(q + i, &eight, 8);
    }
    uint8_t key[8];
    memcpy(key, &c->mask, 8);
    unsigned rest = (unsigned)(size - i);
    for (unsigned j = 0; j < rest; j++) q[i + j] = p[i + j] ^ key[j];
    for (unsigned j = 0; j < 8; j++) ((uint8_t *)&c->mask)[j] = key[(j + rest) & 3];
}

/* The header of a masked frame is complete: write its echo to q; return the payload's place. */
static uint8_t *begin_frame(Connection *c, uint8_t *q) {
    unsigned size = c->head_size - 4, opcode = c->head[0] & 15;
    c->left = size == 2 ? c->head[1] & 127 : 0;
    for (unsigned i = 2; i < size; i++) c->left = c->left << 8 | c->head[i];
    memcpy(&c->mask, c->head + size, 4);
    memcpy((uint8_t *)&c->mask + 4, c->head + size, 4);
    c->in_payload = true;
    *q++ = opcode == 9 ? (uint8_t)(c->head[0] + 1) : c->head[0];  /* a Pong for a Ping */
    *q++ = c->head[1] & 127;
    memcpy(q, c->head + 2, size - 2);
    return q + size - 2;
}

/* Echo received data; return false if the client violated the protocol or has gone. */
static bool echo(Connection *c, const uint8_t *p, const uint8_t *end) {
    uint8_t *q = out;
    while ((p < end || c->in_payload) && !c->closing) {
        if (!c->in_payload) {
            c->head[c->head_size++] = *p++;
            if (c->head_size < 2) continue;
            if (!(c->head[1] & 0x80)) return false;  /* a client's frames must be masked */
            unsigned length = c->head[1] & 127;
            if (c->head_size < (length < 126 ? 6u : length == 126 ? 8u : 14u)) continue;
            if ((c->head[0] & 15) != 10) q = begin_frame(c, q);
            else return false;  /* a Pong, but no Ping was sent */
        }
        size_t size = (uint64_t)(end - p) < c->left ? (size_t)(end - p) : (size_t)c->left;
        unmask(c, q, p, size);
        p += size, q += size, c->left -= size;
        if (c->left) break;
        c->closing = (c->head[0] & 15) == 8;
        c->head_size = 0;
        c->in_payload = false;
    }
    return write_all(c, out, (size_t)(q - out));
}

/* Connections -------------------------------------------------------------------------------- */

static void accept_all(int listener) {
    for (;;) {
        int yes = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && errno == EAGAIN) return;
        if (fd < 0) fail("accept");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        Connection *c = calloc(1, sizeof *c);
        if (!c || !(c->request = calloc(1, HEAD_SIZE))) fail("memory");
        c->fd = fd;
        watch(c, EPOLL_CTL_ADD, false);
    }
}

static void end(Connection *c) {
    close(c->fd);
    free(c->request);
    free(c->unsent);
    free(c);
}

/* Add n bytes to the request; answer it if complete. Return false to end the connection. */
static bool open_connection(Connection *c, size_t n) {
    if (c->request_size + n >= HEAD_SIZE) return false;
    memcpy(c->request + c->request_size, in, n);
    c->request_size += n;
    const char *blank = strstr(c->request, "\r\n\r\n");
    if (!blank) return true;
    size_t answer = answer_request(c->request), head = (size_t)(blank + 4 - c->request);
    if (!answer || !write_all(c, out, answer)) return false;
    c->open = true;
    const uint8_t *rest = (const uint8_t *)c->request + head;
    return echo(c, rest, rest + c->request_size - head);
}

/* Handle the events of a connection; return false to end it. */
static bool serve(Connection *c, uint32_t events) {
    if ((events & EPOLLOUT) && !flush(c)) return false;
    if (events & ~(uint32_t)EPOLLOUT) {
        ssize_t n = recv(c->fd, in, READ_SIZE, 0);
        if (n < 0) return errno == EAGAIN;
        if (n == 0) return false;
        if (!(c->open ? echo(c, in, in + n) : open_connection(c, (size_t)n))) return false;
    }
    return !c->closing || c->unsent_size;  /* The server closes TCP first: RFC 6455, 7.1.1. */
}

int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    static struct epoll_event events[EVENTS];
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) ||
        listen(listener, 4096) || getsockname(listener, (struct sockaddr *)&address, &size))
        fail("cannot listen");
    poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event on_listener = {.events = EPOLLIN, .data.ptr = &listener};
    struct epoll_event on_input = {.events = EPOLLIN, .data.ptr = NULL};
    if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, listener, &on_listener) ||
        epoll_ctl(poller, EPOLL_CTL_ADD, 0, &on_input))
        fail("epoll");
    printf("%u\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int n = epoll_wait(poller, events, EVENTS, -1);
        if (n < 0 && errno != EINTR) fail("epoll_wait");
        for (int i = 0; i < n; i++) {
            void *source = events[i].data.ptr;
            if (!source) {
                if (read(0, in, READ_SIZE) <= 0) return 0;
            } else if (source == &listener) {
                accept_all(listener);
            } else if (!serve(source, events[i].events)) {
                end(source);
            }
        }
    }
}
