/*
 * A small HTTP/1.1 server on a listener that the manifest grants. One thread and one poll() serve all
 * connections; nothing blocks but poll() itself. GET / answers a sentence, GET /count the number of
 * requests so far, POST /stop ends the server; connections are kept alive.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTENER_DEFAULT 3
#define CONNECTIONS_MAX 4096
#define REQUEST_BYTES_MAX 8192
#define RESPONSE_BYTES_MAX 512

struct connection {
  int fd;
  size_t received;
  size_t to_send;
  size_t sent;
  int closing;
  char request[REQUEST_BYTES_MAX];
  char response[RESPONSE_BYTES_MAX];
};

static struct connection *connections[CONNECTIONS_MAX];
static size_t connection_count;
static unsigned long request_count;
static int stopping;

/* FD_NAMES holds the names of the descriptors in order, joined by colons. */
static int find_listener(void) {
  const char *names = getenv("FD_NAMES");
  for (int fd = 0; names && *names; fd++) {
    size_t length = strcspn(names, ":");
    if (length == 4 && strncmp(names, "http", length) == 0) return fd;
    names += length + (names[length] == ':');
  }
  return LISTENER_DEFAULT;
}

static void respond(struct connection *c, int status, const char *reason, const char *body) {
  c->to_send = (size_t)snprintf(c->response, sizeof c->response,
      "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n%s\r\n%s", status, reason,
      strlen(body), c->closing ? "Connection: close\r\n" : "", body);
  c->sent = 0;
}

static void handle(struct connection *c, const char *request) {
  char body[64];
  request_count++;
  if (strcasestr(request, "\r\nConnection: close")) c->closing = 1;
  if (strncmp(request, "GET / ", 6) == 0) {
    respond(c, 200, "OK", "Hello from inside a Keep.\n");
  } else if (strncmp(request, "GET /count ", 11) == 0) {
    snprintf(body, sizeof body, "%lu\n", request_count);
    respond(c, 200, "OK", body);
  } else if (strncmp(request, "POST /stop ", 11) == 0) {
    stopping = c->closing = 1;
    respond(c, 200, "OK", "Stopping.\n");
  } else {
    respond(c, 404, "Not Found", "Nothing here.\n");
  }
}

/* Takes one whole request off the buffer, if there is one. Requests here carry no body. */
static void take_request(struct connection *c) {
  c->request[c->received] = '\0';
  char *end = strstr(c->request, "\r\n\r\n");
  if (!end) {
    if (c->received == REQUEST_BYTES_MAX - 1) {
      c->closing = 1;
      respond(c, 431, "Request Header Fields Too Large", "");
    }
    return;
  }
  size_t length = (size_t)(end - c->request) + 4;
  end[2] = '\0';
  handle(c, c->request);
  c->received -= length;
  memmove(c->request, c->request + length, c->received);
}

static int must_wait(void) { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

/* Answers 0 when the connection is over. */
static int receive(struct connection *c) {
  ssize_t n = recv(c->fd, c->request + c->received, REQUEST_BYTES_MAX - 1 - c->received, 0);
  if (n <= 0) return n < 0 && must_wait();
  c->received += (size_t)n;
  take_request(c);
  return 1;
}

static int transmit(struct connection *c) {
  ssize_t n = send(c->fd, c->response + c->sent, c->to_send - c->sent, 0);
  if (n < 0) return must_wait();
  c->sent += (size_t)n;
  if (c->sent < c->to_send) return 1;
  c->to_send = 0;
  if (c->closing) return 0;
  take_request(c); /* the next one may already be here */
  return 1;
}

static void accept_all(int listener) {
  while (connection_count < CONNECTIONS_MAX) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) {
      if (!must_wait()) perror("accept");
      return;
    }
    struct connection *c = calloc(1, sizeof *c);
    if (!c || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
      close(fd);
      free(c);
      continue;
    }
    c->fd = fd;
    connections[connection_count++] = c;
  }
}

static void drop(size_t index) {
  struct connection *c = connections[index];
  shutdown(c->fd, SHUT_WR);
  close(c->fd);
  free(c);
  connections[index] = connections[--connection_count];
}

static int serve_once(int listener) {
  static struct pollfd polled[CONNECTIONS_MAX + 1];
  size_t count = connection_count;
  int listening = !stopping && count < CONNECTIONS_MAX;
  polled[0] = (struct pollfd){.fd = listener, .events = POLLIN};
  for (size_t i = 0; i < count; i++) {
    polled[i + 1] = (struct pollfd){.fd = connections[i]->fd, .events = connections[i]->to_send ? POLLOUT : POLLIN};
  }
  /* A server that is full or stopping looks only at the connections it has. */
  if (poll(polled + !listening, count + (size_t)listening, -1) < 0 && errno != EINTR) {
    perror("poll");
    return 0;
  }
  for (size_t i = count; i-- > 0;) {
    struct connection *c = connections[i];
    short ready = polled[i + 1].revents;
    int alive = 1;
    if (ready & POLLOUT) alive = transmit(c);
    else if (ready & (POLLIN | POLLHUP)) alive = receive(c);
    else if (ready) alive = 0;
    if (!alive || (stopping && !c->to_send)) drop(i);
  }
  if (listening && polled[0].revents & POLLIN) accept_all(listener);
  return !stopping || connection_count > 0;
}

int main(void) {
  int listener = find_listener();
  if (fcntl(listener, F_SETFL, O_NONBLOCK) != 0) {
    perror("http-server: no listener was granted");
    return 1;
  }
  fprintf(stderr, "http-server: ready on descriptor %d\n", listener);
  while (serve_once(listener)) continue;
  fprintf(stderr, "http-server: %lu requests\n", request_count);
  return 0;
}
