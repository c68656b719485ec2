/**
 * A bound UDP port: passes datagrams on, with a session for each client address that keeps one endpoint (after Envoy's
 * udp_proxy). The socket stays bound while the port is in the configuration, whatever else of it changes.
 *
 * Answers go only to who asked and come only from who was asked; that a client may have forged its address is for the
 * servers behind to consider, which are not made to answer more than they would without the gateway.
 */
import type { RemoteInfo, Socket } from "node:dgram";
import { toHostPort } from "@sallyport/model/listener";
import type { CompiledBind, Runtime } from "../router/contract.ts";
import { Alarm } from "../time/alarm.ts";
import { RepeatedWarning } from "./repeated-warning.ts";
import {
  type ClientAddress,
  type DatagramDependencies,
  Session,
  type SessionPort,
  type SocketBudget,
} from "./session.ts";
import { hasRoom, openDatagramSocket } from "./socket.ts";

/** What binding takes. */
export interface DatagramPortOptions {
  /** An IP literal; `::` takes IPv4 too. */
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Other threads bind the same port; the kernel keeps each client with one of them. */
  readonly reusePort: boolean;
  /** The key of this port in a runtime's binds. It must be there when the first datagram comes. */
  readonly bindKey: string;
  /** The configuration in force. */
  runtime(): Runtime;
  readonly dependencies: DatagramDependencies;
  /** Each session takes one place for its socket to the upstream. */
  readonly budget: SocketBudget;
  /** Sessions at once. Default 10 000. */
  readonly maxSessions?: number;
}

/** A port that receives; the same to its owner as one that accepts connections. */
export interface BoundDatagramPort {
  readonly port: number;
  /** Sessions now. */
  readonly connections: number;
  /** A no-op: clients cannot be told to go elsewhere, and sessions go on until the port is retired or closed. */
  drain(): void;
  /** Takes no new clients; resolves a second later, in which answers under way arrive, with the socket closed. */
  retire(): Promise<void>;
  /** Ends all sessions; resolves when the socket is closed. */
  close(): Promise<void>;
}

/** Binds; rejects with the system's error where that fails. */
export function openDatagramPort(options: DatagramPortOptions): Promise<BoundDatagramPort> {
  return new DatagramPort(options).open();
}

/**
 * More clients than that are not served: their datagrams are dropped, and the log says so. Sessions that are idle are not
 * given up for new ones, or a flood of forged addresses would end those of real clients.
 */
const MAX_SESSIONS = 10_000;
/** Asked of the kernel, which may grant less (net.core.rmem_max): bursts that come while the thread is busy. */
const RECEIVE_BUFFER = 4_194_304;
/** Milliseconds that answers under way have when the port goes. */
const GRACE = 1_000;

class DatagramPort implements BoundDatagramPort, SessionPort {
  readonly dependencies: DatagramDependencies;
  readonly budget: SocketBudget;
  readonly #options: DatagramPortOptions;
  readonly #socket: Socket;
  readonly #sessions = new Map<string, Session>();
  readonly #closed: Promise<void>;
  readonly #grace = new Alarm(() => this.#end());
  readonly #dropped: RepeatedWarning;
  readonly #errors: RepeatedWarning;
  #state: "open" | "retiring" | "closed" = "open";
  #port = 0;

  constructor(options: DatagramPortOptions) {
    const { address, reusePort, dependencies, budget } = options;
    this.#options = options;
    this.dependencies = dependencies;
    this.budget = budget;
    this.#dropped = new RepeatedWarning("a datagram of a new client was dropped: too many sessions", dependencies);
    this.#errors = new RepeatedWarning("cannot receive a datagram", dependencies);
    this.#socket = openDatagramSocket(address, { reusePort, recvBufferSize: RECEIVE_BUFFER });
    this.#closed = new Promise((resolve) => {
      this.#socket.once("close", resolve);
    });
  }

  open(): Promise<BoundDatagramPort> {
    const { address, port } = this.#options;
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        socket.close();
        reject(error);
      };
      socket.once("error", fail);
      socket.once("listening", () => {
        socket.off("error", fail);
        socket.on("error", (error) => this.#onError(error));
        socket.on("message", (datagram: Buffer, client: RemoteInfo) => this.#onDatagram(datagram, client));
        this.#port = socket.address().port;
        resolve(this);
      });
      socket.bind({ address, port, exclusive: true });
    });
  }

  get port(): number {
    return this.#port;
  }

  get connections(): number {
    return this.#sessions.size;
  }

  get local(): string {
    return toHostPort({ address: this.#options.address, port: this.#port });
  }

  runtime(): Runtime {
    return this.#options.runtime();
  }

  drain(): void {
    // sessions go on
  }

  retire(): Promise<void> {
    if (this.#state === "open") {
      this.#state = "retiring";
      if (this.#sessions.size === 0) this.#end();
      else this.dependencies.clocks.coarse.arm(this.#grace, GRACE);
    }
    return this.#closed;
  }

  close(): Promise<void> {
    this.#end();
    return this.#closed;
  }

  answer({ address, port }: ClientAddress, datagram: Buffer): void {
    // who sends from port 0 wants no answer (RFC 768), and Node throws at it
    if (port === 0) return;
    if (this.#state !== "closed" && hasRoom(this.#socket)) this.#socket.send(datagram, port, address);
  }

  onEnded(session: Session): void {
    this.#sessions.delete(session.key);
  }

  #onDatagram(datagram: Buffer, client: RemoteInfo): void {
    try {
      const runtime = this.#options.runtime();
      const key = `${client.address} ${client.port}`;
      let session = this.#sessions.get(key);
      if (session !== undefined && !session.isCurrent(runtime)) {
        session.end(undefined);
        session = undefined;
      }
      session ??= this.#begin(key, client, runtime);
      session?.receive(datagram);
    } catch (error) {
      this.dependencies.log.error("bug on a datagram port", { error, port: this.#port });
    }
  }

  #begin(key: string, { address, port }: RemoteInfo, runtime: Runtime): Session | undefined {
    const bind: CompiledBind | undefined = runtime.binds.get(this.#options.bindKey);
    // not in the configuration any more: about to be retired
    if (bind === undefined || this.#state !== "open") return undefined;
    if (this.#sessions.size >= (this.#options.maxSessions ?? MAX_SESSIONS)) {
      this.#dropped.note({ port: this.#port, sessions: this.#sessions.size });
      return undefined;
    }
    const session = new Session({ key, client: { address, port }, listener: bind.fallback, route: bind.stream }, this);
    this.#sessions.set(key, session);
    session.begin();
    return session;
  }

  /** Of receiving (a bind that failed was told to who asked for it): the socket goes on. */
  #onError({ message }: Error): void {
    this.#errors.note({ port: this.#port, error: message });
  }

  #end(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.dependencies.clocks.coarse.disarm(this.#grace);
    for (const session of this.#sessions.values()) session.end("draining");
    this.#socket.close();
  }
}
