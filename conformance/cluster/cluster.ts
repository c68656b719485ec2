// A Kubernetes of local processes: everything real but the images, in namespaces of its own, gone without a trace when it ends.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { BUILD_DIRECTORY, openLock } from "../go-program.ts";
import { Capsule } from "./capsule.ts";
import { type CommandOptions, type CommandResult, enter, kubectlCommand, type Place, runToEnd } from "./commands.ts";
import {
  apiOrders,
  auditPolicy,
  auditPolicyPath,
  certificateArguments,
  type ComponentContext,
  controlOrders,
  kubeletConfig,
  kubeletConfigPath,
  nodeOrders,
  runtimeOrder,
  runtimeSocket,
} from "./components.ts";
import { type ImageDescription, writeImage } from "./images.ts";
import { networkCommands, type NodePlan, planNodes } from "./network.ts";
import { buildPrograms, requireMachine } from "./programs.ts";
import { type CapsuleRecord, type ClusterPaths, DEFAULT_NAME, findRecord, pathsOf, removeCluster } from "./state.ts";

/** How to start a cluster. */
export interface ClusterOptions {
  /** Clusters of different names live side by side. */
  readonly name?: string;
  /** How many nodes, each in a zone of its own (zone-1, zone-2, ...). Default 1. */
  readonly nodes?: number;
  /** Whether it ends with this process, whatever becomes of it, or goes on. Default "process". */
  readonly lifetime?: "process" | "background";
  /** Hears what takes time. */
  readonly say?: (line: string) => void;
}

/** A running cluster. */
export interface Cluster extends AsyncDisposable {
  readonly name: string;
  /** Path of a kubeconfig with all rights; its server answers inside of the cluster's network only. */
  readonly kubeconfig: string;
  /** Where each component writes NAME.log. */
  readonly logs: string;
  /** Runs kubectl; resolves with what it prints, throws an Error with its message where it fails. */
  kubectl(args: readonly string[], options?: CommandOptions): Promise<string>;
  /** Runs a command of the machine in the network of the first node, with KUBECONFIG set. */
  runInside(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Runs a command of the machine in the network of the client outside. */
  runOutside(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** The command line for one that goes on, to be given to spawn. */
  commandFor(place: Place, argv: readonly string[]): readonly [string, ...string[]];
  /** Makes an image known, or replaces it for containers to come. */
  addImage(reference: string, image: ImageDescription): Promise<void>;
  /** Ends it with everything in it, and removes its files. */
  down(): Promise<void>;
}

/** The image of plain commands of this machine: whatever is installed, as files of containers. */
export const MACHINE_IMAGE = "machine";

const run = promisify(execFile);
/** Milliseconds until a cluster must be there; half a minute on two idle cores. */
const PATIENCE = 600_000;
/** Of each of kubectl's own waits meanwhile. */
const TIMEOUT = "--timeout=300s";
/** Milliseconds between two looks for what is not there yet. */
const PAUSE = 50;

/** Starts a cluster; throws an Error that says what is missing, or which component failed and what it said. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { name = DEFAULT_NAME, lifetime = "process", say = () => {} } = options;
  const paths = pathsOf(name);
  const nodes = planNodes(options.nodes ?? 1);
  requireMachine();
  const programs = await buildPrograms(say);
  await mkdir(dirname(paths.directory), { recursive: true });
  await using _lock = await openLock(paths.lock, () => say(`waiting for another command on the cluster ${name}`));
  if (findRecord(paths) !== undefined) throw new Error(`the cluster ${name} is up already`);
  await removeCluster(paths); // what a crash left
  const context: ComponentContext = { paths, programs, nodes, keep: [paths.directory, BUILD_DIRECTORY] };
  await writeFiles(context);
  const capsule = new Capsule({
    paths,
    runtime: programs.runtime,
    kubernetes: programs.kubernetes,
    hostname: nodes[0]?.name ?? name,
    keep: context.keep,
  });
  try {
    await withPatience(bringUp(capsule, context), paths);
    if (lifetime === "background") await capsule.detach();
  } catch (error) {
    await capsule.close();
    throw error;
  }
  return findCluster(name);
}

/** A cluster that is up; throws an Error where it is not. */
export function findCluster(name: string = DEFAULT_NAME): Cluster {
  const paths = pathsOf(name);
  const record = findRecord(paths);
  if (record === undefined)
    throw new Error(`there is no running cluster ${name}: npm run cluster -- up --name ${name}`);
  return openCluster(name, paths, record);
}

/** Ends a cluster if it is there, and removes its files; for one that crashed, what is left of it. */
export async function stopCluster(name: string = DEFAULT_NAME): Promise<void> {
  const paths = pathsOf(name);
  await mkdir(dirname(paths.directory), { recursive: true });
  await using _lock = await openLock(paths.lock, () => {});
  await removeCluster(paths);
}

function openCluster(name: string, paths: ClusterPaths, record: CapsuleRecord): Cluster {
  const { kubeconfig, logs } = paths;
  const withConfig = (options: CommandOptions = {}): CommandOptions => ({
    ...options,
    env: { KUBECONFIG: kubeconfig, ...options.env },
  });
  return {
    name,
    kubeconfig,
    logs,
    kubectl: (args, options) => kubectl(record, paths, args, options),
    runInside: (argv, options) => runToEnd(enter(record, "inside", argv), withConfig(options)),
    runOutside: (argv, options) => runToEnd(enter(record, "outside", argv), options),
    commandFor: (place, argv) => enter(record, place, argv),
    addImage: (reference, image) => writeImage(paths.images, reference, image),
    down: () => stopCluster(name),
    [Symbol.asyncDispose]: () => stopCluster(name),
  };
}

async function writeFiles(context: ComponentContext): Promise<void> {
  const { paths, programs, nodes } = context;
  for (const directory of [paths.images, paths.logs]) await mkdir(directory, { recursive: true });
  await run(programs.kubernetes, certificateArguments(context));
  await writeFile(auditPolicyPath(paths), JSON.stringify(auditPolicy()));
  for (const node of nodes)
    await writeFile(kubeletConfigPath(paths, node), JSON.stringify(kubeletConfig(context, node)));
  await writeImage(paths.images, "registry.k8s.io/coredns/coredns", {
    files: { "/coredns": { copy: programs.dns } },
    entrypoint: ["/coredns"],
  });
  await writeImage(paths.images, MACHINE_IMAGE, { onMachine: true, command: ["sleep", "infinity"] });
}

async function bringUp(capsule: Capsule, context: ComponentContext): Promise<void> {
  const { paths, programs, nodes } = context;
  await capsule.ready();
  for (const [namespace, lines] of networkCommands(nodes)) {
    const there = namespace === "" ? [] : ["-n", namespace];
    await capsule.run({ name: "network", argv: ["ip", ...there, "-batch", "-"], input: `${lines}\n` });
    const forward = ["sysctl", "-qw", "net.ipv4.ip_forward=1"];
    if (nodes.some((node) => (node.namespace ?? "") === namespace))
      await capsule.run({ name: "network", argv: namespace === "" ? forward : [...inNetwork(namespace), ...forward] });
  }
  for (const order of apiOrders(context)) await capsule.start(order);
  const record: CapsuleRecord = { pid: capsule.pid, began: "", kubernetes: programs.kubernetes };
  const ask = (...args: readonly string[]): Promise<string> => capsule.guard(kubectl(record, paths, args));
  await untilAnswered(() => ask("get", "--raw=/readyz"));
  for (const order of controlOrders(context)) await capsule.start(order);
  for (const node of nodes) await startNode(capsule, context, node);
  await ask("apply", "-f", join(import.meta.dirname, "manifests", "dns.yaml"));
  const names = nodes.map((node) => `node/${node.name}`);
  // One by one: asked for several, kubectl gives up at the first that is not there yet.
  for (const object of [...names, "serviceaccount/default"]) await ask("wait", "--for=create", TIMEOUT, object);
  await ask("wait", "--for=condition=Ready", TIMEOUT, ...names);
  await ask("-n", "kube-system", "rollout", "status", TIMEOUT, "deployment/coredns");
}

async function startNode(capsule: Capsule, context: ComponentContext, node: NodePlan): Promise<void> {
  const pid = await capsule.start(runtimeOrder(context, node));
  // Nothing says that it listens but its socket, seen through its own root directory.
  const socket = join("/proc", `${capsule.pid}`, "root", "proc", `${pid}`, "root", runtimeSocket(node));
  while (!existsSync(socket)) await capsule.guard(setTimeout(PAUSE));
  for (const order of nodeOrders(context, node, pid)) await capsule.start(order);
}

function inNetwork(namespace: string): readonly string[] {
  return ["nsenter", `--net=/run/netns/${namespace}`];
}

async function untilAnswered(ask: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await ask();
      return;
    } catch (error) {
      if (!(error instanceof KubectlError)) throw error; // a component ended
      await setTimeout(PAUSE);
    }
  }
}

async function withPatience(work: Promise<void>, paths: ClusterPaths): Promise<void> {
  const over = new AbortController();
  const late = setTimeout(PATIENCE, undefined, { signal: over.signal, ref: false }).then(() => {
    throw new Error(`the cluster is not there after ${PATIENCE / 1000} s; its logs are in ${paths.logs}`);
  });
  late.catch(() => {}); // the end of the timer, where the work is done in time
  try {
    await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

class KubectlError extends Error {}

async function kubectl(
  record: CapsuleRecord,
  paths: ClusterPaths,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await runToEnd(kubectlCommand(record, paths, args), options);
  if (code !== 0) throw new KubectlError(`kubectl ${args.join(" ")} (code ${code}): ${stderr.trim() || stdout.trim()}`);
  return stdout;
}
