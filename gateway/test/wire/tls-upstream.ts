/** A TLS server that notes what it gets, and attempts to reach it as the gateway does. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { createServer, type TlsOptions, type TLSSocket } from "node:tls";
import { eventually } from "@sallyport/testkit/eventually";
import type { UpstreamTlsSettings } from "../../src/cluster/contract.ts";
import { Inlet } from "../../src/wire/inlet.ts";
import { connectUpstream, type UpstreamSocket, type UpstreamTarget } from "../../src/wire/upstream-socket.ts";

/** One connection as the server sees it once its handshake is done. */
export interface SeenConnection {
  readonly socket: TLSSocket;
  readonly serverName: string | false | null;
  readonly protocol: string | false | null;
  readonly reused: boolean;
  /** Subject of the client's certificate; "" where it showed none. */
  readonly client: string;
  /** What came inside of TLS. */
  received: string;
}

/** The server. */
export class TlsUpstream {
  readonly seen: SeenConnection[] = [];
  port = 0;
  /** What every piece is answered with; undefined: itself. */
  reply: string | undefined = undefined;

  /** Echoes what it gets. `greeting` is sent as soon as the handshake is done. */
  static async open(t: TestContext, options: TlsOptions, greeting = ""): Promise<TlsUpstream> {
    const upstream = new TlsUpstream();
    const open = new Set<TLSSocket>();
    const server = createServer({ allowHalfOpen: false, ...options }, (socket) => {
      open.add(socket);
      const { subject } = socket.getPeerCertificate();
      const one: SeenConnection = {
        socket,
        serverName: socket.servername,
        protocol: socket.alpnProtocol,
        reused: socket.isSessionReused(),
        client: String(subject?.CN ?? ""),
        received: "",
      };
      upstream.seen.push(one);
      socket.on("data", (bytes: Buffer) => {
        one.received += bytes.toString("latin1");
        socket.write(upstream.reply ?? bytes);
      });
      socket.on("error", () => undefined);
      if (greeting !== "") socket.write(greeting);
    });
    server.on("tlsClientError", () => undefined);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    // a listening TCP server's address is never a string or null
    upstream.port = (server.address() as AddressInfo).port;
    t.after(async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    });
    return upstream;
  }

  /** Everything that came inside of TLS, over all connections. */
  get received(): string {
    return this.seen.map(({ received }) => received).join("");
  }
}

/** What became of an attempt. */
export interface Attempt {
  readonly outcome: "up" | "connect-failure" | "upstream-tls-failure";
  readonly detail: string;
  readonly upstream: UpstreamSocket;
  /** Warnings in the log. */
  readonly warnings: readonly Readonly<Record<string, unknown>>[];
  received: string;
}

/** Connects and waits for what comes of it. */
export function attempt(
  t: TestContext,
  port: number,
  tls: UpstreamTlsSettings | undefined,
  more: Partial<UpstreamTarget> = {},
): Promise<Attempt> {
  const warnings: Readonly<Record<string, unknown>>[] = [];
  const inlet = new Inlet();
  const target: UpstreamTarget = {
    cluster: "test/main:80",
    endpoint: { address: "127.0.0.1", port, label: `127.0.0.1:${port}` },
    tls,
    applicationProtocols: ["http/1.1"],
    log: { warn: (_message, fields) => void warnings.push(fields) },
    ...more,
  };
  return new Promise((resolve) => {
    const settle = (outcome: Attempt["outcome"], detail: string): void => {
      const made = { outcome, detail, upstream, warnings, received: "" };
      inlet.deliverTo({ onBytes: (bytes, from, to) => void (made.received += bytes.toString("latin1", from, to)) });
      resolve(made);
    };
    const upstream = connectUpstream(target, inlet, {
      onUp: () => settle("up", ""),
      onUpFailed: settle,
    });
    upstream.socket.on("error", () => undefined);
    upstream.socket.on("close", () => inlet.close());
    t.after(() => upstream.socket.destroy());
  });
}

/** Sends text over an attempt that is up and waits until it is echoed. */
export async function echo(made: Attempt, text: string): Promise<void> {
  made.upstream.socket.write(text, "latin1");
  await eventually(() => made.received.endsWith(text), { what: `${text} echoed` });
}
