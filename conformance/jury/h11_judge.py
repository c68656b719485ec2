"""A judge: Python h11. Prints its port, then each complete request as a line of JSON, and answers 200."""

import hashlib
import json
import socketserver
import sys
import threading

import h11

NOT_COMPARED = {"x-request-id", "connection", "content-length", "transfer-encoding", "trailer", "host"}
OUTPUT = threading.Lock()


def sorted_fields(headers):
    pairs = [(name.decode("latin1").lower(), value.decode("latin1")) for name, value in headers]
    return sorted((pair for pair in pairs if pair[0] not in NOT_COMPARED), key=lambda pair: pair[0])


class Connection(socketserver.BaseRequestHandler):
    def handle(self):
        parser = h11.Connection(h11.SERVER, max_incomplete_event_size=256 * 1024)
        try:
            while self.one_request(parser):
                parser.start_next_cycle()
        except h11.RemoteProtocolError as error:
            self.refuse(parser, error)
        except OSError:
            return

    def next_event(self, parser):
        while True:
            event = parser.next_event()
            if event is not h11.NEED_DATA:
                return event
            if parser.they_are_waiting_for_100_continue:
                self.request.sendall(parser.send(h11.InformationalResponse(status_code=100, headers=[])))
            parser.receive_data(self.request.recv(65536))

    def one_request(self, parser):
        request = self.next_event(parser)
        if not isinstance(request, h11.Request):
            return False
        digest, length = hashlib.sha256(), 0
        while True:
            event = self.next_event(parser)
            if isinstance(event, h11.Data):
                digest.update(bytes(event.data))
                length += len(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self.report(request, event, digest, length)
                return self.answer(parser, request.method != b"HEAD")
            else:
                return False

    def report(self, request, end, digest, length):
        host = [value.decode("latin1") for name, value in request.headers if name == b"host"]
        line = json.dumps(
            {
                "method": request.method.decode("latin1"),
                "target": request.target.decode("latin1"),
                "host": host[0] if host else "",
                "fields": sorted_fields(request.headers),
                "trailers": sorted_fields(end.headers),
                "length": length,
                "sha256": digest.hexdigest(),
            }
        )
        with OUTPUT:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

    def answer(self, parser, with_body):
        head = [("Content-Length", "2"), ("X-Judge", "h11")]
        self.request.sendall(parser.send(h11.Response(status_code=200, headers=head)))
        if with_body:
            self.request.sendall(parser.send(h11.Data(data=b"ok")))
        self.request.sendall(parser.send(h11.EndOfMessage()))
        return parser.our_state is not h11.MUST_CLOSE

    def refuse(self, parser, error):
        body = str(error).encode("utf-8", "replace")
        head = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        try:
            self.request.sendall(head + body)
        except OSError:
            return


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128


with Server(("127.0.0.1", 0), Connection) as server:
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    server.serve_forever()
