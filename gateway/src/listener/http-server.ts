/** The codecs of client connections as a port sees them: made alike, fed alike, let go alike. */
import type { TLSSocket } from "node:tls";
import type { AcceptedSocket, ServerPort } from "../exchange/server-port.ts";
import { Http1Server } from "../http1/server.ts";
import { Http2Server } from "../http2/server.ts";

/** One client connection, whatever version it speaks. */
export type HttpServer = Http1Server | Http2Server;

/** The versions that are spoken. */
export type HttpVersion = "http1" | "http2";

/** Serves a connection. */
export function openHttpServer(accepted: AcceptedSocket, port: ServerPort, version: HttpVersion): HttpServer {
  const server = version === "http2" ? openHttp2(accepted, port) : new Http1Server(accepted, port);
  accepted.inlet.deliverTo(server);
  return server;
}

/**
 * The version that a handshake ended with. Inside TLS it is never guessed from bytes (RFC 9113 section 3.2): a client without ALPN
 * speaks HTTP/1.1.
 */
export function toHttpVersion({ alpnProtocol }: TLSSocket): HttpVersion {
  return alpnProtocol === "h2" ? "http2" : "http1";
}

/** Answers of HTTP/1.1 say that a port drains; in HTTP/2 it is the connection that does. */
function openHttp2(accepted: AcceptedSocket, port: ServerPort): Http2Server {
  const server = new Http2Server(accepted, port);
  if (port.draining) server.drain();
  return server;
}
