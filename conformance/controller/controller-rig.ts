// A cluster with a controller in it: the program of this work tree as a process in the cluster's network, and proxies that run it too.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { eventually } from "@sallyport/testkit/eventually";
import { type Cluster, startCluster } from "../cluster/cluster.ts";
import { tellEnd } from "../controller-log.ts";
import { findCrds } from "../gateway-api/programs.ts";

const repository = dirname(dirname(import.meta.dirname));
const PROGRAM = [process.execPath, join(repository, "cli/src/main.ts")] as const;
const IMAGE = "sallyport:test";
const NAMESPACE = "sallyport-system";
const PORT = 15_012;
/** Milliseconds until what must come has come, on any machine. */
const PATIENCE = 180_000;
/** The same of kubectl's own waits. */
const TIMEOUT = `--timeout=${PATIENCE / 1000}s`;

/** An object as kubectl prints it. */
export interface PrintedObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** A cluster of its own with the CRDs and a controller that leads. */
export class ControllerRig implements AsyncDisposable {
  readonly namespace = NAMESPACE;
  readonly cluster: Cluster;
  readonly #controller: RigController;

  private constructor(cluster: Cluster, controller: RigController) {
    this.cluster = cluster;
    this.#controller = controller;
  }

  /** Resolves when the controller reads the cluster. */
  static async start(): Promise<ControllerRig> {
    const cluster = await startCluster({ name: "provision" });
    try {
      const [program, ...args] = PROGRAM;
      await cluster.addImage(IMAGE, { onMachine: true, entrypoint: [program, ...args], user: "65532:65532" });
      await installKinds(cluster);
      await cluster.kubectl(["create", "namespace", NAMESPACE]);
      await leadToController(cluster);
      return new ControllerRig(cluster, await startController(cluster));
    } catch (error) {
      await cluster.down();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { process } = this.#controller;
    if (process.exitCode === null) {
      process.kill();
      await once(process, "exit");
    }
    await this.cluster.down();
  }

  /** The last of what the controller logged. */
  get said(): string {
    return this.#controller.said();
  }

  /** The very last of it, for those who read why a test failed. */
  get lastWords(): string {
    return tellEnd(this.said);
  }

  /** kubectl in the namespace of the tests. */
  kubectl(...args: readonly string[]): Promise<string> {
    return this.cluster.kubectl(["-n", "shop", ...args]);
  }

  /** Creates or changes objects. */
  async apply(yaml: string): Promise<void> {
    await this.cluster.kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], { input: yaml });
  }

  /** Waits until all objects are so (kubectl wait --for), one by one: several that are not there yet are not waited for. */
  async wait(what: string, ...args: readonly string[]): Promise<void> {
    const options = args.filter((arg) => !arg.includes("/"));
    for (const object of args.filter((arg) => arg.includes("/")))
      await this.kubectl("wait", `--for=${what}`, TIMEOUT, ...options, object);
  }

  /**
   * Does the work while a quota holds: from when it really does (it has no status at first, and what is asked then is refused for
   * that or let through) until the end, whatever comes of the work. The probe is a resource that the quota forbids to create.
   */
  async withQuota(hard: string, probe: readonly string[], work: () => Promise<void>): Promise<void> {
    await this.kubectl("create", "quota", "probed", `--hard=${hard}`);
    try {
      const holds = async (): Promise<boolean> => /exceeded quota: probed/.test(await this.#refusal(probe));
      await eventually(holds, { within: PATIENCE, what: `the quota ${hard} to hold` });
      await work();
    } finally {
      await this.kubectl("delete", "quota/probed");
    }
  }

  /** Why the API server would not create it; "" if it would. */
  async #refusal(what: readonly string[]): Promise<string> {
    try {
      await this.kubectl("create", ...what, "--dry-run=server");
      return "";
    } catch (error) {
      return String(error);
    }
  }

  /** Waits until a field of an object says so: messages go through others on their way. */
  async untilTold(object: string, path: string, pattern: RegExp): Promise<void> {
    const told = async (): Promise<boolean> => {
      assert.match(await this.read(object, path), pattern);
      return true;
    };
    await eventually(told, { within: PATIENCE, what: `${pattern} of ${object}` });
  }

  /** Waits until there is no object with a label any more. */
  async untilNone(kinds: string, selector: string): Promise<void> {
    const none = async (): Promise<boolean> => {
      assert.deepEqual(await this.list(kinds, selector), []);
      return true;
    };
    await eventually(none, { within: PATIENCE, what: `the end of all objects with ${selector}` });
  }

  /** A field of an object, as text. */
  read(object: string, path: string): Promise<string> {
    return this.kubectl("get", object, "-o", `jsonpath=${path}`);
  }

  /** Objects of some kinds with a label. */
  async list(kinds: string, selector: string): Promise<readonly PrintedObject[]> {
    const list: unknown = JSON.parse(await this.kubectl("get", kinds, "-l", selector, "-o", "json"));
    assert.ok(typeof list === "object" && list !== null && "items" in list && Array.isArray(list.items));
    return list.items as readonly PrintedObject[];
  }
}

async function installKinds(cluster: Cluster): Promise<void> {
  const files = [...(await findCrds()), join(repository, "charts/sallyport/crds")];
  await cluster.kubectl(["apply", "--server-side", ...files.flatMap((file) => ["-f", file])]);
  await cluster.kubectl(["wait", "--for=condition=Established", TIMEOUT, "crd", "--all"]);
}

/** Proxies find it by the name that its certificate has. */
async function leadToController(cluster: Cluster): Promise<void> {
  const address = await cluster.kubectl(["get", "nodes", "-o", "jsonpath={.items[0].status.addresses[0].address}"]);
  const metadata = `{ name: sallyport-controller, namespace: ${NAMESPACE}, labels: { kubernetes.io/service-name: sallyport-controller } }`;
  const input = `
apiVersion: v1
kind: Service
metadata: ${metadata}
spec: { ports: [{ port: ${PORT} }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: ${metadata}
addressType: IPv4
ports: [{ port: ${PORT} }]
endpoints: [{ addresses: [${address}] }]
`;
  await cluster.kubectl(["apply", "-f", "-"], { input });
}

interface RigController {
  readonly process: ChildProcess;
  readonly said: () => string;
}

async function startController(cluster: Cluster): Promise<RigController> {
  const options = [
    ...["--kubeconfig", cluster.kubeconfig, "--namespace", NAMESPACE, "--no-leader-elect"],
    ...["--listen", `0.0.0.0:${PORT}`, "--metrics", "127.0.0.1:15014", "--proxy-image", IMAGE],
  ];
  const [command, ...args] = cluster.commandFor("inside", [...PROGRAM, "controller", ...options]);
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-20_000);
    if (said.includes("proxies can have their configuration")) resolve();
  });
  child.on("exit", (code) => reject(new Error(`the controller ended (${code}): ${said}`)));
  await promise;
  return { process: child, said: () => said };
}
