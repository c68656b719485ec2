/** A shop that is started to try a mechanism: services and gateway on free ports, and all that scenarios do with them. */
import { setTimeout } from "node:timers/promises";
import { cli } from "../demo.ts";
import { ask, type Answered, type Asking } from "./client.ts";
import { Configuration } from "./configuration.ts";
import { type ClusterView, type EndpointView, readClusters, readMetric, toList } from "./operator.ts";
import { freePorts, startNode, type Started } from "./processes.ts";
import { PORTS, serviceNames, type ServiceName, toCommand } from "./services.ts";

const POLL_MS = 20;
const PATIENCE_MS = 20_000;

/** How many requests the instances of a service got since the start, and how many hang in them now. */
export interface Seen {
  readonly requests: number;
  readonly held: number;
}

interface Ports {
  readonly gateway: number;
  readonly admin: number;
  readonly metrics: number;
}

interface Parts {
  readonly ports: Ports;
  /** Where its instances are, by the ports that the example's files name. */
  readonly moved: ReadonlyMap<number, number>;
  readonly say: (text: string) => void;
}

/** A running shop. */
export class Shop {
  readonly ports: Ports;
  readonly #say: (text: string) => void;
  readonly #configuration: Configuration;
  readonly #gateway: Started;
  readonly #services: readonly Started[];
  /** Ports of instances by their name, and of back doors by that of their service. */
  readonly #places: ReadonlyMap<string, number>;

  private constructor(services: readonly StartedService[], { ports, moved, say }: Parts) {
    this.ports = ports;
    this.#say = say;
    this.#services = services.map(({ process }) => process);
    this.#places = new Map(services.flatMap(({ places }) => places));
    this.#configuration = new Configuration(moved);
    this.#gateway = startNode([
      ...[cli, "run", this.#configuration.directory, "--bind", "127.0.0.1", "--port-map", `8080=${ports.gateway}`],
      ...["--admin", `127.0.0.1:${ports.admin}`, "--metrics", `127.0.0.1:${ports.metrics}`, "--zone", "a"],
      ...["--access-log", "off", "--min-drain", "0", "--max-drain", "1"],
    ]);
  }

  /** Starts one; `say` gets what is done and seen in it, line by line. */
  static async open(say: (text: string) => void): Promise<Shop> {
    const expected = serviceNames().flatMap((service) => PORTS[service]);
    const [gateway = 0, admin = 0, metrics = 0, ...places] = await freePorts(3 + expected.length);
    const moved = new Map(expected.map((port, index) => [port, places[index] ?? 0]));
    const services = serviceNames().map((service) => startService(service, moved));
    const shop = new Shop(services, { ports: { gateway, admin, metrics }, moved, say });
    try {
      await Promise.all(services.map(({ process }) => process.until(/back door on \d+\n/)));
      await shop.until("the gateway to be ready", () => {
        if (shop.#gateway.hasEnded()) throw new Error(`the gateway ended; it printed:\n${shop.output()}`);
        return isReady(metrics);
      });
      return shop;
    } catch (error) {
      await shop.close();
      throw error;
    }
  }

  /** Tells what is done, or seen. */
  say(text: string): void {
    this.#say(text);
  }

  /** Says what is documented where it holds; else the scenario ends with it. */
  expect(holds: boolean, documented: string): void {
    if (!holds) throw new Error(`should be, but is not: ${documented}`);
    this.#say(`  as it should: ${documented}`);
  }

  /** Sends a request through the gateway. */
  ask(path: string, asking: Asking = {}): Promise<Answered> {
    return ask(this.ports.gateway, path, asking);
  }

  /** So many of them, one after the other. */
  async askInTurn(times: number, path: string, asking: Asking = {}): Promise<readonly Answered[]> {
    const answers: Answered[] = [];
    for (let i = 0; i < times; i++) answers.push(await this.ask(path, asking));
    return answers;
  }

  /** So many of them at once. */
  askAtOnce(times: number, path: string, asking: Asking = {}): readonly Promise<Answered>[] {
    return Array.from({ length: times }, () => this.ask(path, asking));
  }

  /** So many of them, ten at a time, where the order does not matter. */
  async askMany(times: number, path: string, asking: Asking = {}): Promise<readonly Answered[]> {
    const lanes = Array.from({ length: 10 }, () => this.askInTurn(times / 10, path, asking));
    return (await Promise.all(lanes)).flat();
  }

  /** Makes an instance, or all of a service, behave so: `failing`, or `slow&ms=500`. */
  async behave(who: string, how: string): Promise<void> {
    await this.#tell(who, `/behave?be=${how}`);
  }

  /** Lets what hangs in an instance or service be answered, as usual or with this status; more goes on to hang. */
  async release(who: string, status?: number): Promise<void> {
    await this.#tell(who, status === undefined ? "/release?" : `/release?status=${status}`);
  }

  /** What an instance, or all of a service, has seen. */
  async seen(who: string): Promise<Seen> {
    const [service = ""] = who.split("-");
    const { text } = await ask(this.#place(service), "/");
    const instances: unknown = JSON.parse(text);
    const sum = { requests: 0, held: 0 };
    for (const { name, requests, held } of toList(instances)) {
      if (who !== service && who !== name) continue;
      sum.requests += Number(requests);
      sum.held += Number(held);
    }
    return sum;
  }

  /** A cluster as /clusters shows it. */
  async cluster(key: string): Promise<ClusterView> {
    const found = (await readClusters(this.ports.admin)).find((cluster) => cluster.key === key);
    if (found === undefined) throw new Error(`/clusters shows no cluster ${key}`);
    return found;
  }

  /** What /clusters says of an instance as an endpoint of its Service. */
  async endpoint(instance: string): Promise<EndpointView | undefined> {
    const [service = ""] = instance.split("-");
    const { endpoints } = await this.cluster(`shop/${service}:80`);
    return endpoints.find(({ address }) => address.endsWith(`:${this.#place(instance)}`));
  }

  /** Waits until /clusters says that this is the health of an instance. */
  async untilHealth(instance: string, health: string): Promise<void> {
    await this.until(`${instance} to be ${health}`, async () => (await this.endpoint(instance))?.health === health);
  }

  /** Sum of the series of a metric that have all of these labels, as `outcome="success"`. */
  metric(name: string, ...labels: readonly string[]): Promise<number> {
    return readMetric(this.ports.metrics, name, labels);
  }

  /** Waits for what announces itself by nothing. */
  async until(what: string, probe: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!(await probe())) {
      if (performance.now() > deadline) throw new Error(`waited ${PATIENCE_MS} ms in vain for ${what}`);
      await setTimeout(POLL_MS);
    }
  }

  /** Puts the objects of a mechanism into the configuration, and waits until they are in force. */
  async add(mechanism: string): Promise<void> {
    const text = this.#configuration.mechanism(mechanism);
    await this.#change(() => this.#configuration.write(`${mechanism}.yaml`, text));
  }

  /** Edits a file of the configuration, and waits until the change is in force. */
  async edit(file: string, change: (text: string) => string): Promise<void> {
    await this.#change(() => this.#configuration.write(file, change(this.#configuration.read(file))));
  }

  /** Ends a mechanism: its objects go, what was edited is as before, and all instances are well. */
  async remove(mechanism: string): Promise<void> {
    for (const service of serviceNames()) await this.behave(service, "well");
    for (const file of this.#configuration.changed()) await this.edit(file, () => this.#configuration.original(file));
    await this.#change(() => this.#configuration.remove(`${mechanism}.yaml`));
  }

  /** Where everything is, for people. */
  describe(): string {
    const doors = serviceNames().map((service) => `${service} http://localhost:${this.#place(service)}`);
    return [
      `the shop          http://localhost:${this.ports.gateway}/`,
      `its configuration ${this.#configuration.directory}`,
      `back doors        ${doors.join(", ")}`,
      `the gateway       http://127.0.0.1:${this.ports.admin}/clusters, http://localhost:${this.ports.metrics}/metrics`,
      "Stop: Ctrl-C",
    ].join("\n");
  }

  /** What the gateway said about objects that it cannot serve as they are; `from` leaves out what it printed earlier. */
  problems(from = 0): readonly string[] {
    return this.output()
      .slice(from)
      .split("\n")
      .filter((line) => /[:"] ?(?:error|warning): |configuration refused/.test(line));
  }

  /** All that the gateway printed. */
  output(): string {
    return this.#gateway.output();
  }

  /** Ends all of it. */
  async close(): Promise<void> {
    await Promise.all([this.#gateway, ...this.#services].map((process) => process.stop()));
    this.#configuration.close();
  }

  async #tell(who: string, what: string): Promise<void> {
    const [service = ""] = who.split("-");
    const meant = who === service ? "" : `&instance=${who}`;
    const { status, text } = await ask(this.#place(service), `${what}${meant}`, { method: "POST" });
    if (status !== 200) throw new Error(`the back door of ${service} answered ${status}: ${text}`);
  }

  /** Every change makes a new epoch, once all workers have it. */
  async #change(make: () => void): Promise<void> {
    const before = await this.metric("sallyport_config_epoch");
    const printed = this.output().length;
    make();
    await this.until("the configuration to be in force", async () => {
      const wrong = this.problems(printed);
      if (wrong.length > 0) throw new Error(`the gateway has something to say about the objects:\n${wrong.join("\n")}`);
      return (await this.metric("sallyport_config_epoch")) > before;
    });
  }

  #place(name: string): number {
    const port = this.#places.get(name);
    if (port === undefined) throw new Error(`the shop has no ${name}`);
    return port;
  }
}

interface StartedService {
  readonly process: Started;
  readonly places: readonly (readonly [string, number])[];
}

function startService(service: ServiceName, moved: ReadonlyMap<number, number>): StartedService {
  const ports = PORTS[service].map((port) => moved.get(port) ?? 0);
  const places = ports.map((port, index) => [index === 0 ? service : `${service}-${index}`, port] as const);
  return { process: startNode(toCommand(service, ports)), places };
}

function isReady(metricsPort: number): Promise<boolean> {
  return ask(metricsPort, "/ready").then(
    ({ status }) => status === 200,
    () => false,
  );
}
