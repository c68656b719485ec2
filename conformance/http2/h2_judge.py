"""Python's h2 and hpack as a client of the gateway: random fields and bodies go through it to a backend that gives them back.

    python h2_judge.py PORT SEED COUNT

Sends COUNT requests over a few connections, several at once, while the size of the header table that is announced changes. Every
answer must have exactly the fields, path and body of its request. Prints a line for each difference; the last line counts.
"""

import random
import re
import socket
import sys

import h2.config
import h2.connection
import h2.events
import h2.settings

VISIBLE = "".join(map(chr, range(33, 127)))
VALUE = VISIBLE + " \t" + "".join(map(chr, range(0xA0, 0x100)))
TABLE_SIZES = [0, 100, 300, 4096, 65536]


def text(dice, units, longest):
    return "".join(dice.choice(units) for _ in range(dice.randrange(longest)))


def field(dice, known):
    """Often one that came before, so that tables matter."""
    if known and dice.random() < 0.6:
        return dice.choice(known)
    name = "x-echo-" + text(dice, "abcdefghijklmnopqrstuvwxyz0123456789-", 20) + "z"
    value = text(dice, dice.choice([VALUE, VISIBLE, "0123456789", "abc"]), dice.choice([4, 40, 400])).strip(" \t\xa0")
    pair = (name, value)
    known.append(pair)
    del known[:-40]
    return pair


class Client:
    def __init__(self, port, dice):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        config = h2.config.H2Configuration(client_side=True, header_encoding=None)
        self.connection = h2.connection.H2Connection(config)
        self.connection.initiate_connection()
        self.dice = dice
        self.known = []
        self.answers = {}
        # h2 takes each acknowledgement for that of the settings it has not seen acknowledged, so they go one after the other
        self.unacknowledged = 1
        self.flush()

    def flush(self):
        self.socket.sendall(self.connection.data_to_send())

    def ask(self):
        dice = self.dice
        stream = self.connection.get_next_available_stream_id()
        fields = [field(dice, self.known) for _ in range(dice.randrange(12))]
        names = set()
        fields = [pair for pair in fields if not (pair[0] in names or names.add(pair[0]))]
        path = re.sub("/+", "/", "/" + text(dice, "abc/?=&", 60) + "z")
        body = bytes(dice.randrange(256) for _ in range(dice.choice([0, 0, 1, 300, 20000])))
        head = [(":method", "POST"), (":scheme", "http"), (":authority", "a.test"), (":path", path)]
        pairs = [(name.encode(), value.encode("latin1")) for name, value in head + fields]
        self.connection.send_headers(stream, pairs, end_stream=not body)
        while body:
            size = min(len(body), self.connection.local_flow_control_window(stream), 16384)
            if size == 0:
                self.flush()
                self.read()
                continue
            self.connection.send_data(stream, body[:size])
            self.answers.setdefault(stream, [None, b"", False, None])
            self.answers[stream][3] = (self.answers[stream][3] or b"") + body[:size]
            body = body[size:]
            if not body:
                self.connection.end_stream(stream)
        self.answers.setdefault(stream, [None, b"", False, b""])
        if self.unacknowledged == 0 and dice.random() < 0.2:
            self.unacknowledged = 1
            self.connection.update_settings({h2.settings.SettingCodes.HEADER_TABLE_SIZE: dice.choice(TABLE_SIZES)})
        self.flush()
        return stream, path, fields

    def read(self):
        data = self.socket.recv(65536)
        if not data:
            raise SystemExit("the gateway ended the connection")
        for event in self.connection.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                self.answers[event.stream_id][0] = event.headers
            elif isinstance(event, h2.events.DataReceived):
                self.answers[event.stream_id][1] += event.data
                self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.SettingsAcknowledged):
                self.unacknowledged = 0
            elif isinstance(event, h2.events.StreamEnded):
                self.answers[event.stream_id][2] = True
            elif isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
                raise SystemExit(f"the gateway gave up: {event}")
        self.flush()


def differences(client, stream, path, fields):
    headers, body, _, sent = client.answers.pop(stream)
    pairs = [(name.decode("latin1"), value.decode("latin1")) for name, value in headers]
    if pairs[0] != (":status", "200"):
        yield f"status {pairs[0]}"
        return
    if ("x-target", path) not in pairs:
        yield f"path {path!r} came back as {pairs}"
    got = sorted(pair for pair in pairs if pair[0].startswith("x-echo-"))
    if got != sorted(fields):
        yield f"fields {sorted(fields)} came back as {got}"
    if body != sent:
        yield f"a body of {len(sent)} bytes came back as {len(body)}"


def main():
    port, seed, count = map(int, sys.argv[1:4])
    dice = random.Random(seed)
    passed = failed = 0
    client = Client(port, dice)
    while passed + failed < count:
        if dice.random() < 0.02:
            client.socket.close()
            client = Client(port, dice)
        asked = [client.ask() for _ in range(dice.randrange(1, 8))]
        while not all(client.answers[stream][2] for stream, _, _ in asked):
            client.read()
        for stream, path, fields in asked:
            found = list(differences(client, stream, path, fields))
            for line in found:
                if failed < 10:
                    print(f"request {passed + failed} of seed {seed}: {line[:500]}")
            passed, failed = (passed, failed + 1) if found else (passed + 1, failed)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
