// How the open-loop client opens a connection: plain, or over TLS.
import { connect, type Socket } from "node:net";
import { connect as connectSecurely } from "node:tls";
import { benchHost } from "../requests.ts";
import { pinnedContext } from "../tls/negotiation.ts";
import type { HttpVersion } from "./dialect.ts";

/** Opens connections of one kind to one port. */
export interface Opener {
  /** The socket's event after which it may be written to. */
  readonly openEvent: "connect" | "secureConnect";
  /** `receive` gets the bytes of the connection; they are valid during the call only. */
  open(receive: (bytes: Buffer) => void): Socket;
}

/** Over TLS where the proxy's certificate is given; HTTP/2 is offered by ALPN and nothing else with it. */
export function openerFor(port: number, certificate: Buffer | undefined, version: HttpVersion = "1.1"): Opener {
  return certificate === undefined ? plainOpener(port) : secureOpener(port, certificate, version);
}

function plainOpener(port: number): Opener {
  // One buffer for all: each read is taken before the next one.
  const buffer = Buffer.allocUnsafeSlow(65_536);
  return {
    openEvent: "connect",
    open(receive) {
      const callback = (length: number): boolean => {
        receive(buffer.subarray(0, length));
        return true;
      };
      const onread = { buffer, callback };
      return connect({ port, host: "127.0.0.1", noDelay: true, onread });
    },
  };
}

function secureOpener(port: number, certificate: Buffer, version: HttpVersion): Opener {
  const offer = version === "2" ? { ALPNProtocols: ["h2"] } : {};
  const secureContext = pinnedContext(certificate);
  return {
    openEvent: "secureConnect",
    open(receive) {
      const socket = connectSecurely({ port, host: "127.0.0.1", secureContext, servername: benchHost, ...offer });
      socket.setNoDelay(true);
      socket.on("data", receive);
      return socket;
    },
  };
}
