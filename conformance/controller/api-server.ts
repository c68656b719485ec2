// A real kube-apiserver with its etcd as two processes on loopback: it can be restarted, and what it remembers can be compacted.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { promisify } from "node:util";
import { eventually } from "@sallyport/testkit/eventually";
import { freePorts } from "@sallyport/testkit/process";
import { openTemporaryDirectory, type TemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { buildKubernetes } from "../cluster/programs.ts";

/** A running API server. */
export interface RealApiServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** A kubeconfig with all rights. */
  readonly kubeconfig: string;
  /** PEM of its authority. */
  readonly authority: string;
  kubectl(args: readonly string[]): Promise<string>;
  /** Ends it and starts it again; what it remembered of the past is gone. */
  restart(): Promise<void>;
  /** Makes the store forget all revisions but the last. */
  compact(): Promise<void>;
}

const run = promisify(execFile);
const HOST = "127.0.0.1";
/** Milliseconds until it must be ready; a minute on a busy machine. */
const PATIENCE = 300_000;

/** Starts one; builds Kubernetes if it is not there yet. */
export async function startApiServer(): Promise<RealApiServer> {
  const kubernetes = await buildKubernetes((line) => process.stderr.write(`${line}\n`));
  const directory = openTemporaryDirectory();
  const [store = 0, peer = 0, port = 0] = await freePorts(3);
  const certificates = ["certificates", "-directory", directory.path, "-server", `https://${HOST}:${port}`];
  await run(kubernetes, [...certificates, "-server-addresses", HOST, "-nodes", `node-1=${HOST}`]);
  const storeUrl = `http://${HOST}:${store}`;
  const peerUrl = `http://${HOST}:${peer}`;
  const launch = (name: string, flags: readonly string[]): ChildProcess => {
    const log = openSync(directory.file(`${name}.log`), "a");
    return spawn(kubernetes, [name, ...flags], { stdio: ["ignore", log, log], cwd: directory.path });
  };
  const etcd = launch("etcd", etcdFlags(directory, storeUrl, peerUrl));
  const kubeconfig = directory.file("admin.kubeconfig");
  const kubectl = async (args: readonly string[]): Promise<string> => {
    const { stdout } = await run(kubernetes, ["kubectl", `--kubeconfig=${kubeconfig}`, ...args]);
    return stdout;
  };
  const start = async (): Promise<ChildProcess> => {
    const child = launch("kube-apiserver", serverFlags(directory, storeUrl, port));
    try {
      await eventually(async () => (await kubectl(["get", "--raw", "/readyz"])) === "ok", { within: PATIENCE });
      // Made a moment after the server calls itself ready; nothing can be made in it before.
      await eventually(async () => kubectl(["get", "namespace", "default"]), { within: PATIENCE });
      return child;
    } catch (error) {
      await end(child);
      await end(etcd);
      throw error;
    }
  };
  let server = await start();
  return {
    host: HOST,
    port,
    kubeconfig,
    authority: directory.file("ca.crt"),
    kubectl,
    async restart() {
      await end(server);
      server = await start();
    },
    compact: async () => compact(storeUrl),
    async [Symbol.asyncDispose]() {
      await end(server);
      await end(etcd);
      directory.close();
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

/** By etcd's gateway for JSON. */
async function compact(storeUrl: string): Promise<void> {
  const post = async (path: string, body: object): Promise<string> => {
    const answer = await fetch(`${storeUrl}${path}`, { method: "POST", body: JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return text;
  };
  // A read tells the revision in its header.
  const read = await post("/v3/kv/range", { key: "AA==" });
  const revision = /"revision":"(\d+)"/.exec(read)?.[1];
  await post("/v3/kv/compaction", { revision, physical: true });
}

function etcdFlags(directory: TemporaryDirectory, storeUrl: string, peerUrl: string): readonly string[] {
  return [
    `--data-dir=${directory.file("etcd")}`,
    `--listen-client-urls=${storeUrl}`,
    `--advertise-client-urls=${storeUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    "--unsafe-no-fsync",
    "--log-level=warn",
  ];
}

function serverFlags(directory: TemporaryDirectory, storeUrl: string, port: number): readonly string[] {
  const file = (name: string): string => directory.file(name);
  return [
    `--etcd-servers=${storeUrl}`,
    `--secure-port=${port}`,
    `--bind-address=${HOST}`,
    `--advertise-address=${HOST}`,
    "--endpoint-reconciler-type=none",
    `--tls-cert-file=${file("apiserver.crt")}`,
    `--tls-private-key-file=${file("apiserver.key")}`,
    `--client-ca-file=${file("ca.crt")}`,
    "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
    `--service-account-key-file=${file("service-accounts.crt")}`,
    `--service-account-signing-key-file=${file("service-accounts.key")}`,
    "--authorization-mode=RBAC",
    "--service-cluster-ip-range=10.96.0.0/16",
    "--disable-admission-plugins=ServiceAccount",
    "--profiling=false",
  ];
}
