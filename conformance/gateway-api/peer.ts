// Traefik in the same cluster, to compare: a process in the network of the first node, as its own address is what it can serve.
import { spawn } from "node:child_process";
import { createWriteStream, existsSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../cluster/cluster.ts";
import type { Implementation } from "./suite-run.ts";

/** For its report. */
export const TRAEFIK: Implementation = {
  organization: "traefik",
  project: "traefik",
  url: "https://traefik.io",
  version: "v3.7.15",
  contact: "none",
  gatewayClass: "traefik",
};

/** The node's, and the ports that Gateways of the suite ask for; 6443 is the API server's there. */
const ADDRESS = "10.99.0.1";
const TCP_PORTS = [80, 81, 443, 7443, 8080, 8081, 8082, 8083, 8090, 8443, 8883].concat(
  [9300, 9301, 9302],
  [9310, 9311, 9312, 9313],
  [9320, 9321],
);
const UDP_PORTS = [5300, 5301, 5302, 5310, 5311, 5312];
const PROGRAM = join(import.meta.dirname, "../../.cache/loadtest/venv/bin/traefik");

/** Starts it with a GatewayClass; disposing ends it. */
export async function startTraefik(cluster: Cluster, folder: string): Promise<Disposable> {
  if (!existsSync(PROGRAM)) throw new Error("Traefik is not there: `node loadtest/install.mjs` installs it");
  const gatewayClass = {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "GatewayClass",
    metadata: { name: TRAEFIK.gatewayClass },
    spec: { controllerName: "traefik.io/gateway-controller" },
  };
  await cluster.kubectl(["apply", "-f", "-"], { input: JSON.stringify(gatewayClass) });
  const [command, ...args] = cluster.commandFor("inside", [PROGRAM, ...flags()]);
  const child = spawn(command, args, {
    env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log = createWriteStream(join(folder, "traefik.log"));
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const end = (): void => void child.kill("SIGKILL");
  process.once("exit", end);
  await cluster.kubectl(["wait", "--for=condition=Accepted", "--timeout=60s", "gatewayclass/traefik"]);
  return {
    [Symbol.dispose]: () => {
      process.off("exit", end);
      end();
    },
  };
}

function flags(): string[] {
  const provider = "--providers.kubernetesgateway";
  return [
    "--global.checknewversion=false",
    "--global.sendanonymoususage=false",
    "--log.level=ERROR",
    `${provider}=true`,
    `${provider}.experimentalchannel=true`,
    `${provider}.statusaddress.ip=${ADDRESS}`,
    ...TCP_PORTS.map((port) => `--entrypoints.tcp${port}.address=:${port}`),
    ...UDP_PORTS.map((port) => `--entrypoints.udp${port}.address=:${port}/udp`),
  ];
}
