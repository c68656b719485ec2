// Measures one controller: its start, edits, changes of endpoints, and what happens when it is killed.
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "@sallyport/testkit/eventually";
import { freePorts } from "@sallyport/testkit/process";
import { openTemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import type { RealApiServer } from "../controller/api-server.ts";
import { fieldOf, type KubeClient, type KubeObject } from "../kube-client.ts";
import { type FleetSize, NAMESPACE, routeName, toRoute, toSlice } from "./fleet.ts";
import { ControllerProcess, type Reading } from "./process.ts";
import { certify, ProxyFleet } from "./proxies.ts";

const GROUP = `${NAMESPACE}/gateway-0`;
const MINUTES = 600_000;
/** Of churn alone, in milliseconds. */
const CHURN_TIME = 10_000;

/** What is asked for besides the size. */
export interface ScaleOptions {
  readonly proxies: number;
  readonly edits: number;
  /** Changes of endpoints a second. */
  readonly churn: number;
  /** `bundle`, `source`, or a file. */
  readonly sallyport: string;
  /** A directory for CPU profiles; empty: none. */
  readonly profile: string;
  /** More options of the controller. */
  readonly options: readonly string[];
}

/** One run. */
export class Scale {
  readonly #server: RealApiServer;
  readonly #client: KubeClient;
  readonly #size: FleetSize;
  readonly #options: ScaleOptions;
  readonly #directory = openTemporaryDirectory();
  /** By route: the generation that its status was drawn from. */
  readonly #observed = new Map<string, number>();
  readonly #generations = new Map<string, number>();
  readonly #watch: Disposable;
  #ports: readonly number[] = [];
  #controller: ControllerProcess | undefined;
  #fleet: ProxyFleet | undefined;
  #onEvent: () => void = () => undefined;
  /** Versions of routes as the first proxy has them. */
  readonly #delivered = new Map<string, string>();

  constructor(server: RealApiServer, client: KubeClient, size: FleetSize, options: ScaleOptions) {
    this.#server = server;
    this.#client = client;
    this.#size = size;
    this.#options = options;
    const path = `/apis/gateway.networking.k8s.io/v1/namespaces/${NAMESPACE}/httproutes`;
    this.#watch = client.watch(path, (object) => this.#note(object));
  }

  async run(): Promise<void> {
    this.#ports = await freePorts(2);
    await this.#start();
    await this.#connect();
    await this.#measureEdits("edits, nothing else happening", 0);
    await this.#measureChurn();
    await this.#measureEdits(`edits, ${this.#options.churn} changes of endpoints a second`, this.#options.churn);
    await this.#measureStorm();
  }

  async close(): Promise<void> {
    this.#watch[Symbol.dispose]();
    this.#fleet?.close();
    await this.#controller?.stop("SIGTERM");
    this.#directory.close();
  }

  async #start(): Promise<void> {
    const controller = this.#open();
    const ready = await controller.ready;
    const { cpuMs } = await controller.read();
    say("start: first snapshot after", `${seconds(ready)}, ${seconds(cpuMs)} of CPU`);
    await this.#until(() => this.#observed.size >= this.#size.routes);
    const all = await controller.read();
    say("start: all statuses written after", `${seconds(controller.age)}, ${seconds(all.cpuMs)} of CPU`);
    say("start: requests to the API server", `${all.requests}, translations ${all.translations}`);
    await this.#settle();
    this.#tellMemory("memory after the start");
  }

  async #connect(): Promise<void> {
    const account = "gateway-0-sallyport";
    await eventually(async () => this.#server.kubectl(["-n", NAMESPACE, "get", "serviceaccount", account]), {
      within: MINUTES,
    });
    const address = `127.0.0.1:${this.#ports[0]}`;
    const place = await certify(this.#server, this.#directory, { address, group: GROUP, account });
    const fleet = new ProxyFleet(place, this.#options.proxies);
    this.#fleet = fleet;
    fleet.onTaken = () => this.#onEvent();
    fleet.onResource = (resource) => {
      if (resource.kind !== "http-route") return;
      const version = /"name":"x-version","value":"(\d+)"/.exec(JSON.stringify(resource))?.[1];
      const name = resource.key.split("/").find((part) => part.startsWith("route-")) ?? resource.key;
      this.#delivered.set(name, version ?? "");
    };
    await this.#measure(`${this.#options.proxies} proxies connect, holding nothing`, 1, () => this.#reconnect(fleet));
    this.#tellMemory("memory with the proxies");
  }

  async #reconnect(fleet: ProxyFleet): Promise<void> {
    fleet.connect();
    await this.#until(() => fleet.current === this.#options.proxies);
  }

  async #measureEdits(name: string, churn: number): Promise<void> {
    const edits = this.#options.edits;
    const toProxy: number[] = [];
    const toAll: number[] = [];
    const toStatus: number[] = [];
    const stop = new AbortController();
    const churning = this.#churn(churn, stop.signal);
    await this.#measure(name, edits, async () => {
      for (let edit = 0; edit < edits; edit++) {
        const times = await this.#edit(edit, `${churn + 1}${edit}`);
        toProxy.push(times.toProxy);
        toAll.push(times.toAll);
        toStatus.push(times.toStatus);
      }
      stop.abort();
      await churning;
    });
    say(`  until the first proxy has it`, spread(toProxy));
    // Proxies tell no change from another, so that those of endpoints would count.
    if (churn === 0) say(`  until all proxies have it`, spread(toAll));
    say(`  until its status is written`, spread(toStatus));
    await this.#settle();
  }

  /** Changes one route of the group; times in milliseconds from when the API server has it. */
  async #edit(edit: number, version: string): Promise<{ toProxy: number; toAll: number; toStatus: number }> {
    const index = (edit * this.#size.gateways * 7) % this.#size.routes;
    const name = routeName(index - (index % this.#size.gateways));
    const route = toRoute(index - (index % this.#size.gateways), this.#size, Number(version));
    const takenBefore = this.#fleet?.taken ?? 0;
    await this.#client.patch(route);
    const began = performance.now();
    const proxies = this.#options.proxies;
    const times = { toProxy: 0, toAll: 0, toStatus: 0 };
    const note = (what: keyof typeof times, hasCome: boolean): void => {
      if (times[what] === 0 && hasCome) times[what] = performance.now() - began;
    };
    await this.#until(() => {
      note("toProxy", this.#delivered.get(name) === version);
      const isThere = times.toProxy > 0;
      note("toAll", isThere && (this.#fleet?.taken ?? 0) - takenBefore >= proxies);
      note("toStatus", isThere && this.#observed.get(name) === this.#generations.get(name));
      return Object.values(times).every((time) => time > 0);
    });
    return times;
  }

  async #measureChurn(): Promise<void> {
    const rate = this.#options.churn;
    const stop = new AbortController();
    await this.#measure(`${rate} changes of endpoints a second, nothing else`, (CHURN_TIME / 1000) * rate, async () => {
      const churning = this.#churn(rate, stop.signal);
      await sleep(CHURN_TIME);
      stop.abort();
      await churning;
    });
    await this.#settle();
  }

  /** Flips the readiness of one endpoint after the other. */
  async #churn(rate: number, signal: AbortSignal): Promise<void> {
    if (rate === 0) return;
    const began = performance.now();
    const patches: Promise<void>[] = [];
    for (let change = 0; !signal.aborted; change++) {
      const due = began + (change * 1000) / rate;
      await sleep(Math.max(0, due - performance.now()));
      const index = (change * 13) % this.#size.slices;
      patches.push(this.#client.patch(toSlice(index, this.#size, change % 2 === 0 ? [change % 10] : [])));
    }
    await Promise.all(patches);
  }

  /** The controller dies and comes back, and with it all proxies. */
  async #measureStorm(): Promise<void> {
    const fleet = this.#fleet;
    if (fleet === undefined) return;
    const before = fleet.bytes;
    await this.#controller?.stop("SIGKILL");
    await this.#until(() => fleet.current === 0);
    const controller = this.#open();
    const ready = await controller.ready;
    const { cpuMs } = await controller.read();
    await this.#until(() => fleet.current === this.#options.proxies);
    const after = await controller.read();
    const times = `${seconds(controller.age - ready)} after it is ready (${seconds(ready)})`;
    say("restart: all proxies are back", `${times}, ${seconds(after.cpuMs - cpuMs)} of CPU`);
    say("restart: sent to each proxy", `${Math.round((fleet.bytes - before) / this.#options.proxies)} bytes`);
    this.#tellMemory("restart: memory");
    await this.#settle();
    const { requests } = await controller.read();
    say("restart: requests to the API server", String(requests));
  }

  #open(): ControllerProcess {
    const [port = 0, metricsPort = 0] = this.#ports;
    this.#controller = new ControllerProcess({
      program: this.#options.sallyport,
      kubeconfig: this.#server.kubeconfig,
      port,
      metricsPort,
      profile: this.#options.profile,
      options: this.#options.options,
    });
    return this.#controller;
  }

  /** What some work costs the controller, until it has nothing left to do. */
  async #measure(name: string, times: number, work: () => Promise<void>): Promise<void> {
    const controller = this.#controller;
    if (controller === undefined) return;
    const before = await controller.read();
    const began = performance.now();
    await work();
    const took = performance.now() - began;
    await this.#settle();
    const after = await controller.read();
    const each = (pick: (reading: Reading) => number): string => ((pick(after) - pick(before)) / times).toFixed(2);
    const costs = `${each(({ cpuMs }) => cpuMs)} ms of CPU, ${each(({ requests }) => requests)} requests, ${each(({ translations }) => translations)} translations`;
    say(name, `${seconds(took)}; ${times === 1 ? "" : "each "}${costs}`);
  }

  /** Until the controller spends hardly any time. */
  async #settle(): Promise<void> {
    const controller = this.#controller;
    for (let last = Number.NaN; controller !== undefined;) {
      const { cpuMs } = await controller.read();
      if (cpuMs - last < 15) return;
      last = cpuMs;
      await sleep(500);
    }
  }

  #tellMemory(name: string): void {
    const { now, peak } = this.#controller?.memory() ?? { now: 0, peak: 0 };
    say(name, `${now.toFixed(0)} MB, at most ${peak.toFixed(0)} MB`);
  }

  #note({ metadata: { name, generation }, status }: KubeObject): void {
    if (typeof generation !== "number") return;
    this.#generations.set(name, generation);
    const seen = fieldOf(status, "parents", 0, "conditions", 0, "observedGeneration");
    if (typeof seen === "number") this.#observed.set(name, seen);
    this.#onEvent();
  }

  /** Looks at `isDone` after every event. */
  async #until(isDone: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error("what was waited for did not come")), MINUTES);
    const look = (): void => void (isDone() && resolve());
    // Streams that end tell nobody.
    const interval = setInterval(look, 20);
    this.#onEvent = look;
    look();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      clearInterval(interval);
      this.#onEvent = () => undefined;
    }
  }
}

function spread(times: readonly number[]): string {
  const sorted = times.toSorted((left, right) => left - right);
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(0);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}

function seconds(millis: number): string {
  return `${(millis / 1000).toFixed(2)} s`;
}

/** Prints a line of the report. */
export function say(what: string, value: string): void {
  console.log(`${what.padEnd(56)} ${value}`);
}
