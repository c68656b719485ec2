/**
 * One history by its seed: clients of HTTP/2, a gateway (server role, exchanges, policies, cluster, client role), backends of HTTP/2, all
 * in one process and without a network. What must hold whatever they do is in judgement.ts.
 */
import assert from "node:assert/strict";
import { below, pick, seeded } from "@sallyport/testkit/random";
import { PooledCluster } from "../../../src/cluster/cluster.ts";
import type { OpenOptions, UpstreamConnection } from "../../../src/cluster/contract.ts";
import type { ExchangeDependencies } from "../../../src/exchange/dependencies.ts";
import { RequestIds } from "../../../src/head/request-id.ts";
import { ClientConnection } from "../../../src/http2/client-connection.ts";
import { Http2Server } from "../../../src/http2/server.ts";
import { KeptBodies } from "../../../src/retry/kept-bodies.ts";
import type { CompiledRule } from "../../../src/router/contract.ts";
import { CLIENT_CONNECTION } from "../../client-connection.ts";
import { FakeOutside } from "../../cluster/fakes.ts";
import { toOneRoute, toOneRouteRuntime } from "../../http1/rig.ts";
import { toRecorder, toRecorderCounts, type SeenRecord } from "../../http1/seen-record.ts";
import { TurnedTime } from "../../retries/turned-time.ts";
import { AdverseBackend, HONEST, type Malice } from "./adverse-backend.ts";
import { COPY, drawCluster, drawRule, drawServer, MAIN, type Plot, REQUEST_TIMEOUT } from "./plot.ts";
import { AdverseClient, type Asked, type Wish } from "./adverse-client.ts";
import { Truth } from "./truth.ts";
import { Wire } from "./wire.ts";

/** One history. */
export class History {
  readonly random: () => number;
  readonly time = new TurnedTime();
  readonly truth = new Truth();
  /** What backends of copies saw. */
  readonly copied = new Truth();
  readonly clients: AdverseClient[] = [];
  readonly records: SeenRecord[] = [];
  readonly counts = toRecorderCounts();
  readonly bugs: string[] = [];
  readonly kept: KeptBodies;
  readonly clusters: readonly PooledCluster[];
  readonly servers: Http2Server[] = [];
  readonly dependencies: ExchangeDependencies;
  readonly isNonIdempotent: boolean;
  readonly wires = new Set<Wire>();
  readonly outside = new FakeOutside();
  opened = 0;
  readonly #plot: Plot;
  readonly #rule: Partial<CompiledRule>;
  #asked = 0;

  constructor(seed: number, plot: Plot) {
    const random = (this.random = seeded(seed));
    this.#plot = plot;
    this.isNonIdempotent = random() < 0.2;
    const room = plot.requests === "honest" ? 30_000_000 : 300_000;
    this.kept = new KeptBodies({ retry: room, whole: room });
    this.#rule = drawRule(random, { ...plot, isNonIdempotent: this.isNonIdempotent });
    this.dependencies = {
      recorder: toRecorder(this.records, this.counts),
      ids: new RequestIds(Buffer.alloc(9)),
      clocks: this.time.clocks,
      log: {
        error: (message, { error }) =>
          void this.bugs.push(`${message} ${error instanceof Error ? error.stack : String(error)}`),
        warn: () => undefined,
      },
      pressure: { stopKeepAlive: false, shed: false, draining: false },
      now: () => this.time.now,
      random,
      kept: this.kept,
      pool: [],
    };
    this.outside.draw = random;
    this.clusters = [
      this.#openCluster(MAIN, plot.malice, this.truth),
      ...(plot.copies === undefined ? [] : [this.#openCluster(COPY, plot.copies, this.copied)]),
    ];
  }

  /** All of it: requests come, and time goes by until they are over and everybody has left. */
  async run(): Promise<void> {
    const clients = 1 + below(this.random, 4);
    for (let n = 0; n < clients; n++) this.time.after(below(this.random, 200), () => this.#openClient(n));
    await this.pass(600);
    await this.#until(() => this.clients.every(({ isOver }) => isOver), 3 * REQUEST_TIMEOUT);
    for (const client of this.clients) client.openUp();
    await this.#until(() => this.clients.every(({ isOver }) => isOver), 400_000);
  }

  /** Everybody leaves. */
  async leave(): Promise<void> {
    for (const { wire } of this.clients) wire.end("fin");
    await this.pass(3000);
    for (const cluster of this.clusters) cluster.close();
    await this.#until(() => [...this.wires].every(({ isGone }) => isGone), 200_000);
    // copies have a long patience
    await this.pass(70_000);
  }

  /** Lets so many milliseconds go by. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.time.now + milliseconds;
    await this.#until(() => this.time.now >= end, milliseconds);
  }

  async #until(done: () => boolean, most: number): Promise<void> {
    const end = this.time.now + most;
    while (!done() && this.time.now < end) {
      this.time.turn();
      let isQuiet = true;
      for (const wire of this.wires) {
        wire.turn();
        isQuiet &&= wire.isQuiet;
        if (wire.isGone) this.wires.delete(wire);
      }
      // what is gathered in a turn leaves at its end
      if (!isQuiet || this.time.now % 64 === 0) await new Promise(setImmediate);
    }
  }

  #openClient(number: number): void {
    const { random } = this;
    const runtime = toOneRouteRuntime(this.#toRoute(), {}, (key) =>
      this.clusters.find((cluster) => cluster.key === key),
    );
    const bind = runtime.binds.get("test") ?? assert.fail();
    const wire = this.#openWire();
    const port = { dependencies: this.dependencies, draining: false, runtime: () => runtime, bindOf: () => bind };
    const accepted = { socket: wire.socket, inlet: wire.inlet, about: CLIENT_CONNECTION, ways: "documented" } as const;
    const server = new Http2Server(accepted, port);
    wire.inlet.deliverTo(server);
    wire.socket.on("error", () => undefined);
    wire.socket.on("close", () => server.onClosed());
    this.servers.push(server);
    const reads = random() < 0.5 ? "well" : "badly";
    const client = new AdverseClient(wire, this, reads);
    this.clients.push(client);
    for (let left = 1 + below(random, 10); left > 0; left--)
      this.time.after(below(random, 400), () => this.#ask(client, `${number}-${this.#asked++}`, reads));
    this.#misbehave(client);
  }

  #toRoute(): ReturnType<typeof toOneRoute> {
    const [cluster] = this.clusters;
    return toOneRoute(drawServer(this.random, this.#plot), { cluster, invalid: "", filters: [] }, this.#rule);
  }

  #ask(client: AdverseClient, name: string, reads: "well" | "badly"): void {
    const { random } = this;
    if (client.gone || client.lastTaken < Number.POSITIVE_INFINITY) return;
    const method = pick(random, ["GET", "PUT", "POST"]);
    const honest = this.#plot.requests === "honest" || random() < 0.3;
    const wish: Wish = {
      target: `/${name}${honest ? `-${HONEST}` : ""}`,
      method,
      length: method === "GET" ? 0 : pick(random, [0, 1, 500, 5000, 50_000]),
      reads: reads === "well" ? "well" : pick(random, ["slowly", "late"]),
    };
    client.ask(wish);
    const asked = client.asked.at(-1) ?? assert.fail();
    if (!honest && random() < 0.2) this.time.after(below(random, 300), () => client.leave(asked));
  }

  #misbehave(client: AdverseClient): void {
    const { random, time } = this;
    for (let left = below(random, 4); left > 0; left--)
      time.after(below(random, 600), () => {
        if (client.gone) return;
        if (random() < 0.5) client.chat();
        else if (client.asked.every(({ reads }) => reads !== "well")) client.resize();
      });
    if (this.#plot.requests === "any" && random() < 0.1) time.after(below(random, 600), () => client.wire.end("reset"));
  }

  #openWire(): Wire {
    const wire = new Wire(this.random);
    this.wires.add(wire);
    return wire;
  }

  #openCluster(key: string, malice: Malice, truth: Truth): PooledCluster {
    const { random, time, outside } = this;
    const config = drawCluster(random, key);
    const world = { random, time, truth, malice };
    const cluster = new PooledCluster(config, {
      ...outside.options,
      now: () => time.now,
      random,
      schedule: (milliseconds, run) => {
        let isDue = true;
        time.after(milliseconds, () => isDue && run());
        return () => void (isDue = false);
      },
      open: (options) => this.#connect(options, world),
    });
    const endpoints = Array.from({ length: 1 + below(random, 3) }, (_, at) => ({
      address: `10.0.${key === MAIN ? 0 : 1}.${at}`,
      port: 80,
      weight: 1,
      state: "ready" as const,
    }));
    cluster.update(config, { kind: "endpoints", key, endpoints }, undefined);
    return cluster;
  }

  #connect(options: OpenOptions, world: ConstructorParameters<typeof AdverseBackend>[2]): UpstreamConnection {
    const { random } = this;
    this.opened++;
    const wire = this.#openWire();
    const client = new ClientConnection(
      { socket: wire.socket, ways: "documented", inlet: wire.inlet },
      options,
      this.dependencies,
    );
    client.awaitSocket();
    const isWild = world.malice === "wild";
    const isDown = isWild && random() < 0.1;
    this.time.after(1 + below(random, isWild && random() < 0.1 ? 800 : 10), () => {
      if (isDown) client.onUpFailed("connect-failure", "");
      else if (!wire.socket.destroyed) {
        const backend = new AdverseBackend(wire, options.endpoint.label, world);
        client.onUp();
        if (isWild && random() < 0.05) backend.isMute = true;
      }
    });
    return client;
  }
}

/** All requests of a history. */
export function askedIn(history: History): readonly Asked[] {
  return history.clients.flatMap(({ asked }) => asked);
}
