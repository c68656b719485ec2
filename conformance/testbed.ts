// A cluster with Sallyport in it as users install it: its image from the Dockerfile, the CRDs of the Gateway API, the chart by
// helm. Suites that judge the controller and its proxies stand on it.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { eventually } from "@sallyport/testkit/eventually";
import { tellEnd } from "./controller-log.ts";
import { type Cluster, findCluster, startCluster } from "./cluster/cluster.ts";
import { findRecord, pathsOf } from "./cluster/state.ts";
import { assembleImage } from "./gateway-api/image.ts";
import { buildEcho, findCrds } from "./gateway-api/programs.ts";
import { buildHelm, CHART } from "./helm/helm.ts";

const run = promisify(execFile);
const repository = dirname(import.meta.dirname);
const IMAGE = "sallyport.test/sallyport";

/** Dozens of Gateways with several proxies each ask for no more than a small machine has; the kubelet enforces nothing here. */
const SMALL = { requests: { cpu: "5m", memory: "16Mi" } };

const CONTROLLER_LOG = "controller.log";
/** The namespace of the release. */
export const SYSTEM_NAMESPACE = "sallyport-system";
/** Name of the controller's account, as the API server knows it. */
export const CONTROLLER_USER = `system:serviceaccount:${SYSTEM_NAMESPACE}:sallyport-controller`;
/** The echo server of the official suite, for pods of any suite. */
export const ECHO_IMAGE = "registry.k8s.io/gateway-api/echo-basic";

/** What to bring up. */
export interface TestbedOptions {
  /** Name of the cluster. One that is up already is used, and stays. */
  readonly name: string;
  /** `keep`: a cluster that this brings up stays, too. */
  readonly afterwards: "down" | "keep";
  /** How many controllers, and proxies of each Gateway. */
  readonly replicas: { readonly controllers: number; readonly proxies: number };
  readonly say: (line: string) => void;
}

/** A cluster with Sallyport. */
export interface Testbed extends AsyncDisposable {
  readonly cluster: Cluster;
}

/** Brings it up; resolves when the GatewayClass is accepted. */
export async function openTestbed(options: TestbedOptions): Promise<Testbed> {
  const testbed = await openBareTestbed(options);
  try {
    await installSallyport(testbed.cluster, options);
    return testbed;
  } catch (error) {
    await keepLogs(testbed.cluster, join(repository, "conformance/report/install"));
    await testbed[Symbol.asyncDispose]();
    throw error;
  }
}

/** The same without Sallyport: the cluster, the CRDs of the Gateway API, and the echo server's image. */
export async function openBareTestbed({ name, afterwards, say }: TestbedOptions): Promise<Testbed> {
  const wasUp = findRecord(pathsOf(name)) !== undefined;
  const stays = wasUp || afterwards === "keep";
  const began = performance.now();
  const cluster = wasUp
    ? findCluster(name)
    : await startCluster({ name, say, lifetime: stays ? "background" : "process" });
  say(`cluster ${name}: ${wasUp ? "was up" : `up in ${seconds(began)}`}`);
  await cluster.addImage(ECHO_IMAGE, {
    files: { "/echo-basic": { copy: await buildEcho(say) } },
    entrypoint: ["/echo-basic"],
  });
  await cluster.kubectl(["apply", "--server-side", ...(await findCrds()).flatMap((file) => ["-f", file])]);
  return {
    cluster,
    [Symbol.asyncDispose]: async () => {
      if (!stays) await cluster.down();
    },
  };
}

async function installSallyport(cluster: Cluster, { replicas, say }: TestbedOptions): Promise<void> {
  const began = performance.now();
  const tag = await addImage(cluster);
  const values = {
    image: { repository: IMAGE, tag },
    controller: { replicas: replicas.controllers, resources: SMALL },
    gatewayClass: { parameters: await addParameters(cluster, replicas.proxies) },
  };
  const helm = await buildHelm(say);
  const release = ["upgrade", "--install", "sallyport", CHART, "--namespace", SYSTEM_NAMESPACE, "--create-namespace"];
  const waiting = ["--wait", "--timeout", "600s"];
  const argv = [helm, ...release, ...waiting, "--values", "-"];
  const { code, stdout, stderr } = await cluster.runInside(argv, { input: JSON.stringify(values) });
  if (code !== 0) throw new Error(`helm cannot install the chart: ${stderr.trim() || stdout.trim()}`);
  await cluster.kubectl(["wait", "--for=condition=Accepted", "--timeout=180s", "gatewayclass/sallyport"]);
  say(`sallyport: image ${tag}, chart installed in ${seconds(began)}`);
}

/** Built anew; the tag is a hash of its bundle, so that another bundle makes other pods. */
async function addImage(cluster: Cluster): Promise<string> {
  await run(process.execPath, [join(repository, "scripts/build.ts")], { cwd: repository });
  const rootfs = join(repository, ".cache/image");
  const { entrypoint, user } = assembleImage(rootfs);
  const tag = hashOf(join(repository, "dist"));
  await cluster.addImage(`${IMAGE}:${tag}`, { directory: rootfs, entrypoint, user: `${user.uid}:${user.gid}` });
  rmSync(rootfs, { recursive: true, force: true });
  return tag;
}

/** For the GatewayClass: so many proxies for each Gateway. Its CRD is the chart's own. */
async function addParameters(cluster: Cluster, replicas: number): Promise<Readonly<Record<string, string>>> {
  await cluster.kubectl(["apply", "--server-side", "--force-conflicts", "-f", join(CHART, "crds")]);
  const metadata = { name: "testbed", namespace: SYSTEM_NAMESPACE };
  const spec = { deployment: { replicas, resources: SMALL } };
  const objects = [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: SYSTEM_NAMESPACE } },
    { apiVersion: "sallyport.io/v1alpha1", kind: "GatewayParameters", metadata, spec },
  ];
  for (const object of objects) {
    // The API server serves a kind, and tells of it, some time after it took the CRD.
    await eventually(() => cluster.kubectl(["apply", "-f", "-"], { input: JSON.stringify(object) }), {
      within: 180_000,
      what: `an API server that knows ${object.kind}`,
    });
  }
  return metadata;
}

/** Writes the logs of controllers and proxies, and what they are, to a folder; prints the end of the controllers' own. */
export async function keepLogs(cluster: Cluster, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const tell = async (name: string, ...args: readonly string[]): Promise<void> => {
    const text = await cluster.kubectl(args).catch((error: unknown) => String(error));
    await writeFile(join(folder, name), text);
  };
  const all = ["--prefix", "--tail=-1", "--max-log-requests=100", "--ignore-errors"];
  await tell(CONTROLLER_LOG, "-n", SYSTEM_NAMESPACE, "logs", "-l", "app.kubernetes.io/component=controller", ...all);
  console.log(`all logs are in ${folder}; ${tellEnd(await readFile(join(folder, CONTROLLER_LOG), "utf8"))}`);
  const namespaces = await cluster
    .kubectl([
      "get",
      "pods",
      "-A",
      "-l",
      "gateway.networking.k8s.io/gateway-name",
      "-o",
      "jsonpath={.items[*].metadata.namespace}",
    ])
    .catch(() => "");
  for (const namespace of new Set(namespaces.split(" ").filter((name) => name !== ""))) {
    const label = "gateway.networking.k8s.io/gateway-name";
    await tell(`proxies-${namespace}.log`, "-n", namespace, "logs", "-l", label, ...all);
  }
  await tell("pods.txt", "get", "pods", "-A", "-o", "wide");
  await tell("events.txt", "get", "events", "-A", "--sort-by=.lastTimestamp");
  await tell("gateways.yaml", "get", "gateways,gatewayclasses,services", "-A", "-o", "yaml");
}

function hashOf(folder: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(folder).toSorted()) {
    if (name.endsWith(".mjs")) hash.update(name).update(readFileSync(join(folder, name)));
  }
  return hash.digest("hex").slice(0, 12);
}

function seconds(began: number): string {
  return `${((performance.now() - began) / 1000).toFixed(1)} s`;
}
