// A client of the API server for suites: objects in, objects out, by the certificate of a kubeconfig.
import { readFileSync } from "node:fs";
import { request, Agent } from "node:https";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";

/** An object of any kind. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** Milliseconds between two looks at an object. */
const LOOK_EVERY = 50;
/** Milliseconds for which a connection is kept idle: less than the API server's 90 seconds, lest it be used just as it ends. */
const KEPT_IDLE = 60_000;

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
  readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
}

/** Plural names that are not the kind with an `s`. */
const PLURALS: Readonly<Record<string, string>> = {
  Ingress: "ingresses",
  IngressClass: "ingressclasses",
  GatewayClass: "gatewayclasses",
  BackendTrafficPolicy: "backendtrafficpolicies",
  ClientTrafficPolicy: "clienttrafficpolicies",
};
/** Kinds without a namespace. */
const CLUSTER_WIDE = new Set(["Namespace", "IngressClass", "GatewayClass", "CustomResourceDefinition", "ClusterRole"]);

/** One API server. Close it in the end. */
export class KubeClient implements Disposable {
  readonly #server: URL;
  readonly #agent: Agent;

  /** By the kubeconfig that the environment names, as the command of a suite sets it; throws, naming that, where none is. */
  static ofEnvironment(command: string): KubeClient {
    const kubeconfig = process.env["KUBECONFIG"];
    if (kubeconfig === undefined) throw new Error(`KUBECONFIG is not set; \`${command}\` sets it`);
    return new KubeClient(kubeconfig);
  }

  /** Reads a kubeconfig with one cluster and one user, which has a client certificate. */
  constructor(kubeconfig: string) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the cluster command wrote it
    const config = parse(readFileSync(kubeconfig, "utf8")) as Kubeconfig;
    const cluster = config.clusters[0]?.cluster ?? {};
    const user = config.users[0]?.user ?? {};
    this.#server = new URL(cluster["server"] ?? "");
    this.#agent = new Agent({
      keepAlive: true,
      timeout: KEPT_IDLE,
      ca: pem(cluster, "certificate-authority"),
      cert: pem(user, "client-certificate"),
      key: pem(user, "client-key"),
    });
  }

  /** Creates or changes it by server-side apply. */
  async apply(object: KubeObject): Promise<void> {
    const query = "?fieldManager=conformance&force=true";
    await this.#send("PATCH", pathOf(object) + query, { type: "application/apply-patch+yaml", body: object });
  }

  /** Creates it; throws where it is there already. */
  async create(object: KubeObject): Promise<void> {
    const path = pathOf(object);
    await this.#send("POST", path.slice(0, path.lastIndexOf("/")), { type: "application/json", body: object });
  }

  /** Merges into it. */
  async patch(object: KubeObject): Promise<void> {
    await this.#send("PATCH", pathOf(object), { type: "application/merge-patch+json", body: object });
  }

  /** The object as it is; undefined where there is none. */
  async read(object: KubeObject): Promise<KubeObject | undefined> {
    const { status, body } = await this.#ask("GET", pathOf(object), undefined);
    if (status === 404) return undefined;
    return toObject(expectSuccess("GET", pathOf(object), { status, body }));
  }

  /** Deletes it, and what it owns; nothing happens where there is none. */
  async remove(object: KubeObject): Promise<void> {
    const answer = await this.#ask("DELETE", `${pathOf(object)}?propagationPolicy=Background`, undefined);
    if (answer.status !== 404) expectSuccess("DELETE", pathOf(object), answer);
  }

  /** Text of any path: logs, metrics. */
  async text(path: string): Promise<string> {
    return expectSuccess("GET", path, await this.#ask("GET", path, undefined));
  }

  /** Items of a list. */
  async list(path: string): Promise<readonly KubeObject[]> {
    const { items } = toObject(await this.text(path));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- lists of the API server hold objects
    return (items ?? []) as readonly KubeObject[];
  }

  /** Tells of every object there is below a path, and of each change, until disposed of. */
  watch(path: string, onObject: (object: KubeObject) => void): Disposable {
    const url = new URL(`${path}?watch=true`, this.#server);
    const sent = request(url, { agent: this.#agent }, (response) => {
      response.on("error", () => undefined);
      const lines = createInterface({ input: response }).on("error", () => undefined);
      lines.on("line", (line) => {
        const { object } = toObject(line);
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- events of the API server hold objects
        onObject(object as KubeObject);
      });
    });
    sent.on("error", () => undefined);
    sent.end();
    return { [Symbol.dispose]: () => sent.destroy() };
  }

  /** Looks at the object until `judge` finds what it waits for; throws with the object where that does not come. */
  async waitFor<T>(
    object: KubeObject,
    what: string,
    judge: (live: KubeObject) => T | undefined,
    patience = 180_000,
  ): Promise<T> {
    const deadline = performance.now() + patience;
    for (;;) {
      const live = await this.read(object);
      const found = live === undefined ? undefined : judge(live);
      if (found !== undefined) return found;
      if (performance.now() > deadline) {
        throw new Error(`${what} did not come within ${patience / 1000} s; it is ${JSON.stringify(live)}`);
      }
      await sleep(LOOK_EVERY);
    }
  }

  /** Makes a namespace anew: a run before may have left things in it, or it is still on its way out. */
  async renewNamespace(name: string): Promise<void> {
    const namespace: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
    await this.remove(namespace);
    const deadline = performance.now() + 180_000;
    for (let live = await this.read(namespace); live !== undefined; live = await this.read(namespace)) {
      if (performance.now() > deadline) throw new Error(`the namespace stays: ${JSON.stringify(live)}`);
      await sleep(LOOK_EVERY);
    }
    await this.apply(namespace);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async #send(method: string, path: string, content: Content): Promise<string> {
    return expectSuccess(method, path, await this.#ask(method, path, content));
  }

  #ask(method: string, path: string, content: Content | undefined): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers = {
        accept: "application/json",
        ...(content === undefined ? {} : { "content-type": content.type }),
      };
      const options = { method, agent: this.#agent, headers };
      const sent = request(new URL(path, this.#server), options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") });
        });
      });
      sent.on("error", reject);
      sent.end(content === undefined ? undefined : JSON.stringify(content.body));
    });
  }
}

interface Content {
  readonly type: string;
  readonly body: unknown;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** The value at a path of keys, or undefined. */
export function fieldOf(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== "object" || found === null) return undefined;
    found = Reflect.get(found, key);
  }
  return found;
}

function pathOf({ apiVersion, kind, metadata: { name, namespace = "default" } }: KubeObject): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const plural = PLURALS[kind] ?? `${kind.toLowerCase()}s`;
  return `${root}${CLUSTER_WIDE.has(kind) ? "" : `/namespaces/${namespace}`}/${plural}/${encodeURIComponent(name)}`;
}

function expectSuccess(method: string, path: string, { status, body }: Answer): string {
  if (status < 200 || status > 299) throw new Error(`${method} ${path}: ${status} ${body.trim()}`);
  return body;
}

function toObject(body: string): KubeObject {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the API server answers is an object
  return JSON.parse(body) as KubeObject;
}

/** Inline, or in a file. */
function pem(fields: Readonly<Record<string, string>>, name: string): Buffer {
  const inline = fields[`${name}-data`];
  return inline === undefined ? readFileSync(fields[name] ?? "") : Buffer.from(inline, "base64");
}
