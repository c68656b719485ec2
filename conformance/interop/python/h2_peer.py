"""The peer of hyper's h2 (Python): `h2_peer.py server` or `h2_peer.py client HOST PORT AUTHORITY CA`, over plain sockets.

The server answers every request with what came: method, path, length and SHA-256 of the body, and its trailers. The client
sends bodies larger than any window and prints what came back, one JSON object a line.
"""

import hashlib
import json
import socket
import ssl
import sys
import threading

import h2.config
import h2.connection
import h2.events
import h2.exceptions

LARGE = 3 * 1024 * 1024


class Sender:
    """Sends a body as windows allow, then trailers."""

    def __init__(self, connection, stream, body, trailers):
        self.connection = connection
        self.stream = stream
        self.body = memoryview(body)
        self.trailers = trailers
        self.done = False

    def go_on(self):
        while not self.done:
            window = self.connection.local_flow_control_window(self.stream)
            size = min(window, self.connection.max_outbound_frame_size, len(self.body))
            if len(self.body) > 0 and size <= 0:
                return
            if size > 0:
                self.connection.send_data(self.stream, bytes(self.body[:size]), pad_length=7 if size + 8 <= min(window, self.connection.max_outbound_frame_size) else None)
                self.body = self.body[size:]
            if len(self.body) == 0:
                self.connection.send_headers(self.stream, self.trailers, end_stream=True)
                self.done = True


class Message:
    """What came of one message."""

    def __init__(self, headers):
        self.headers = dict(headers)
        self.hash = hashlib.sha256()
        self.length = 0
        self.trailers = {}

    def add(self, data):
        self.hash.update(data)
        self.length += len(data)


def text(fields):
    return [(as_text(name), as_text(value)) for name, value in fields]


def as_text(value):
    return value.decode("latin1") if isinstance(value, bytes) else value


def say(value):
    print(json.dumps(value), flush=True)


def serve():
    listener = socket.create_server(("127.0.0.1", 0))
    say({"port": listener.getsockname()[1]})
    while True:
        peer, _ = listener.accept()
        threading.Thread(target=serve_one, args=(peer,), daemon=True).start()


def serve_one(peer):
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    connection.initiate_connection()
    messages, senders = {}, {}

    def on_event(event):
        if isinstance(event, h2.events.RequestReceived):
            messages[event.stream_id] = Message(text(event.headers))
        elif isinstance(event, h2.events.DataReceived):
            messages[event.stream_id].add(event.data)
            connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            messages[event.stream_id].trailers = dict(text(event.headers))
        elif isinstance(event, h2.events.StreamEnded):
            senders[event.stream_id] = answer(connection, event.stream_id, messages.pop(event.stream_id))
        elif isinstance(event, h2.events.StreamReset):
            messages.pop(event.stream_id, None)
            senders.pop(event.stream_id, None)

    run(peer, connection, on_event, senders, lambda: False)


def answer(connection, stream, message):
    headers = message.headers
    told = {
        "method": headers[":method"],
        "path": headers[":path"],
        "authority": headers.get(":authority"),
        "length": message.length,
        "digest": message.hash.hexdigest(),
        "trailers": message.trailers,
    }
    connection.send_headers(stream, [(":status", "200"), ("x-backend", "python-h2"), ("content-type", "application/json")])
    return Sender(connection, stream, json.dumps(told).encode(), [("x-echoed", message.trailers.get("x-checksum", "none"))])


def run(peer, connection, on_event, senders, is_over):
    """Moves bytes until the peer ends or all is over."""
    try:
        while not is_over():
            for stream, sender in list(senders.items()):
                sender.go_on()
                if sender.done:
                    del senders[stream]
            peer.sendall(connection.data_to_send())
            data = peer.recv(65536)
            if not data:
                return
            for event in connection.receive_data(data):
                on_event(event)
    except (ConnectionError, h2.exceptions.ProtocolError) as error:
        print(repr(error), file=sys.stderr, flush=True)
        raise
    finally:
        peer.close()


def ask(host, port, authority, ca):
    peer = socket.create_connection((host, int(port)))
    if ca:
        context = ssl.create_default_context(cafile=ca)
        context.set_alpn_protocols(["h2"])
        peer = context.wrap_socket(peer, server_hostname=authority)
        if peer.selected_alpn_protocol() != "h2":
            raise SystemExit("h2 was not chosen")
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    connection.initiate_connection()
    answers, senders, ended = {}, {}, []
    for index in range(20):
        stream = connection.get_next_available_stream_id()
        pseudo = [(":method", "POST"), (":scheme", "https" if ca else "http"), (":authority", authority), (":path", f"/echo?{index}")]
        connection.send_headers(stream, pseudo + [("te", "trailers"), ("trailer", "x-checksum")])
        body = bytes([index]) * (LARGE if index == 0 else index * 1000)
        senders[stream] = Sender(connection, stream, body, [("x-checksum", f"sum-{index}")])

    def on_event(event):
        if isinstance(event, h2.events.ResponseReceived):
            answers[event.stream_id] = Message(text(event.headers))
        elif isinstance(event, h2.events.DataReceived):
            answers[event.stream_id].add(event.data)
            connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            answers[event.stream_id].trailers = dict(text(event.headers))
        elif isinstance(event, h2.events.StreamEnded):
            ended.append(event.stream_id)
        elif isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
            raise SystemExit(f"unexpected: {event!r}")

    run(peer, connection, on_event, senders, lambda: len(ended) == 20)
    for stream, message in sorted(answers.items()):
        say({"status": message.headers[":status"], "length": message.length, "digest": message.hash.hexdigest(), "trailers": message.trailers})


if __name__ == "__main__":
    if sys.argv[1] == "server":
        serve()
    else:
        ask(*sys.argv[2:])
