"""What wrk cannot do: many readers in one instant, many event streams, a slow source.

Each prints one line of figures, times in milliseconds. Only the standard library.
"""

import resource
import select
import socket
import sys
import threading
import time
from urllib.parse import urlsplit


def raise_limit():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def connect(url):
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname, parts.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def head(method, url, fields, extra=""):
    parts = urlsplit(url)
    path = parts.path + ("?" + parts.query if parts.query else "")
    lines = [f"{method} {path} HTTP/1.1", f"Host: {parts.netloc}", *fields]
    return ("\r\n".join(lines) + "\r\n" + extra + "\r\n").encode()


def share(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


class Answer:
    """Reads one answer with a Content-Length or in chunks; remembers when it began and ended."""

    def __init__(self):
        self.begun = self.ended = None
        self.status = 0
        self.start = b""
        self.left = None

    def take(self, data, now):
        if self.begun is None:
            self.begun = now
        if self.left is None:
            self.start += data
            end = self.start.find(b"\r\n\r\n")
            if end < 0:
                return
            lines = self.start[:end].decode("latin-1").split("\r\n")
            self.status = int(lines[0].split()[1])
            fields = dict(line.lower().split(":", 1) for line in lines[1:])
            data = self.start[end + 4 :]
            if "content-length" in fields:
                self.left = int(fields["content-length"])
            else:
                self.left = -1
        if self.left >= 0:
            self.left -= len(data)
            if self.left == 0:
                self.ended = now
        elif data.endswith(b"0\r\n\r\n"):
            self.ended = now


def burst(count, fields, urls):
    """COUNT readers, connected before, ask in one instant; the URLs take turns.

    Prints: answers that were 200, p50, p99 and longest time to the last byte, longest to the first.
    """
    poll = select.epoll()
    readers = {}
    for index in range(count):
        url = urls[index % len(urls)]
        connection = connect(url)
        readers[connection.fileno()] = (connection, head("GET", url, fields), Answer())
        poll.register(connection.fileno(), select.EPOLLIN)
    time.sleep(0.3)
    asked = {}
    for descriptor, (connection, request, _) in readers.items():
        asked[descriptor] = time.monotonic()
        connection.sendall(request)
    buffer = bytearray(4 << 20)
    waiting = set(readers)
    end = time.monotonic() + 60
    while waiting and time.monotonic() < end:
        for descriptor, _ in poll.poll(1):
            connection, _, answer = readers[descriptor]
            size = connection.recv_into(buffer)
            now = time.monotonic()
            if size:
                answer.take(bytes(buffer[:size]) if answer.left is None else memoryview(buffer)[:size], now)
            if answer.ended or not size:
                waiting.discard(descriptor)
                poll.unregister(descriptor)
    answers = [(answer, asked[key]) for key, (_, _, answer) in readers.items()]
    good = [(a, t) for a, t in answers if a.status == 200 and a.ended]
    whole = [(a.ended - t) * 1000 for a, t in good] or [0]
    first = [(a.begun - t) * 1000 for a, t in good] or [0]
    print(
        len(good), *(f"{v:.1f}" for v in (share(whole, 0.5), share(whole, 0.99), max(whole), max(first)))
    )


def streams(count, fields, url, ask):
    """COUNT event streams of one key; then a refresh, asked for at ASK, until all were told.

    Prints: streams told, milliseconds from the asking to the first and to the last that was told,
    then waits for a line on standard input before it asks: "connected" says that all are there.
    """
    raise_limit()
    poll = select.epoll()
    readers = {}
    request = head("GET", url, fields)
    for _ in range(count):
        connection = connect(url)
        connection.sendall(request)
        readers[connection.fileno()] = connection
        poll.register(connection.fileno(), select.EPOLLIN)
    opened = set()
    while len(opened) < count:
        for descriptor, _ in poll.poll(30):
            data = readers[descriptor].recv(65536)
            if not data.startswith(b"HTTP/1.1 200"):
                sys.exit(f"not a stream: {data[:200]!r}")
            opened.add(descriptor)
            poll.unregister(descriptor)
    for descriptor in readers:
        poll.register(descriptor, select.EPOLLIN)
    print("connected", flush=True)
    for _ in sys.stdin:
        for _ in poll.poll(0):
            pass
        told = {}
        asker = connect(ask)
        began = time.monotonic()
        asker.sendall(head("POST", ask, fields, "Content-Length: 0\r\n"))
        while len(told) < count and time.monotonic() < began + 30:
            for descriptor, _ in poll.poll(1):
                data = readers[descriptor].recv(65536)
                if b"event: updated" in data and descriptor not in told:
                    told[descriptor] = time.monotonic()
        times = sorted((t - began) * 1000 for t in told.values()) or [0]
        print(len(told), f"{times[0]:.1f}", f"{times[-1]:.1f}", f"{times[-1] - times[0]:.1f}", flush=True)
        asker.close()


def pace(rate, seconds, fields, url):
    """POSTs to URL so many times a second. Prints: how many were answered 202."""
    connection = connect(url)
    request = head("POST", url, fields, "Content-Length: 0\r\n")
    taken = 0
    begin = time.monotonic()
    for index in range(int(rate * seconds)):
        time.sleep(max(0, begin + index / rate - time.monotonic()))
        connection.sendall(request)
        taken += connection.recv(65536).startswith(b"HTTP/1.1 202")
    print(taken)


def body(fields, url):
    """One reader of a large body. Prints: time to the first byte, and to the last."""
    connection = connect(url)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    buffer = bytearray(4 << 20)
    answer = Answer()
    begin = time.monotonic()
    connection.sendall(head("GET", url, fields))
    while not answer.ended:
        size = connection.recv_into(buffer)
        if not size:
            sys.exit("the connection was closed")
        part = memoryview(buffer)[:size]
        answer.take(bytes(part) if answer.left is None else part, time.monotonic())
    print(f"{(answer.begun - begin) * 1000:.1f} {(answer.ended - begin) * 1000:.1f}")


def delays(fields, urls):
    """Reads each URL once, on one connection. Prints: p50, p99, longest."""
    connection = connect(urls[0])
    times = []
    for url in urls:
        begin = time.monotonic()
        connection.sendall(head("GET", url, fields))
        answer = Answer()
        while not answer.ended:
            data = connection.recv(65536)
            if not data:
                sys.exit("the connection was closed")
            answer.take(data, time.monotonic())
        if answer.status != 200:
            sys.exit(f"status {answer.status}: {answer.start[-300:]!r}")
        times.append((time.monotonic() - begin) * 1000)
    print(*(f"{v:.1f}" for v in (share(times, 0.5), share(times, 0.99), max(times))))


def origin(port, log, delay):
    """A source that takes DELAY seconds; each call adds a line to the file LOG."""
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)

    def serve(connection):
        with connection:
            data = b""
            while True:
                while b"\r\n\r\n" not in data:
                    part = connection.recv(65536)
                    if not part:
                        return
                    data += part
                data = data.split(b"\r\n\r\n", 1)[1]
                with open(log, "a") as file:
                    file.write("call\n")
                time.sleep(delay)
                body = b'{"at":%d,"fill":"%s"}' % (time.monotonic_ns(), b"x" * 900)
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n" % len(body) + body
                )

    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


def main():
    name, *rest = sys.argv[1:]
    fields = []
    while rest and rest[0] == "-H":
        fields.append(rest[1])
        rest = rest[2:]
    if name == "burst":
        burst(int(rest[0]), fields, rest[1:])
    elif name == "streams":
        streams(int(rest[0]), fields, *rest[1:])
    elif name == "pace":
        pace(float(rest[0]), float(rest[1]), fields, rest[2])
    elif name == "delays":
        delays(fields, rest)
    elif name == "body":
        body(fields, rest[0])
    elif name == "origin":
        origin(int(rest[0]), rest[1], float(rest[2]))
    else:
        sys.exit(f"no {name}")


main()
