// `npm run conformance:k6`: steady traffic by k6 from outside to a Gateway's LoadBalancer address, while the backend's pods are
// replaced, then the proxies', then the controller's. Not one request may be lost.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Cluster } from "../cluster/cluster.ts";
import { CURL } from "../cluster/commands.ts";
import { runCommand } from "../command.ts";
import { ECHO_IMAGE, keepLogs, openTestbed, SYSTEM_NAMESPACE } from "../testbed.ts";
import { NAMESPACE, objects } from "./objects.ts";

const repository = dirname(dirname(import.meta.dirname));
const K6 = join(repository, ".cache/bin/k6");
const SCRIPT = join(repository, "loadtest/k6/rollout.js");
/** Milliseconds without a change, between one rollout and the next. */
const CALM = 3000;
/** Proxies of the Gateway; one of them is replaced after the other. */
const PROXIES = 2;

const say = (line: string): void => console.log(line);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      name: { type: "string", default: "conformance" },
      keep: { type: "boolean", default: false },
      rate: { type: "string", default: "200" },
      seconds: { type: "string", default: "60" },
      // Milliseconds. Starting pods take the cores of a small machine; a second would be somebody's timeout.
      p95: { type: "string", default: "500" },
    },
  });
  if (!existsSync(K6)) throw new Error("k6 is not there: `node loadtest/install.mjs` installs it");
  await using testbed = await openTestbed({
    name: values.name,
    afterwards: values.keep ? "keep" : "down",
    replicas: { controllers: 2, proxies: PROXIES },
    say,
  });
  const { cluster } = testbed;
  try {
    const target = `http://${await bringUp(cluster)}`;
    const environment = { TARGET: target, SECONDS: values.seconds, RATE: values.rate, P95: values.p95 };
    const code = await runUnderRollouts(cluster, environment, Number(values.seconds) * 1000);
    if (code !== 0) {
      process.exitCode = 1;
      await keepLogs(cluster, join(repository, "conformance/report/rollout"));
    }
  } finally {
    await cluster.kubectl(["delete", "namespace", NAMESPACE, "--wait=false"]);
  }
}

/** The address of the Gateway, once it leads to the backend. */
async function bringUp(cluster: Cluster): Promise<string> {
  // A run before may have been killed, or its namespace is still on its way out.
  await cluster.kubectl(["delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=180s"]);
  await cluster.kubectl(["apply", "-f", "-"], { input: objects(`${ECHO_IMAGE}:v1.5.1`) });
  const there = ["-n", NAMESPACE];
  await cluster.kubectl([...there, "rollout", "status", "deployment/echo", "--timeout=180s"]);
  await cluster.kubectl([...there, "wait", "--for=condition=Programmed", "--timeout=180s", "gateway/edge"]);
  await cluster.kubectl([...there, "rollout", "status", "deployment/edge-sallyport", "--timeout=180s"]);
  const isAccepted = "--for=jsonpath={.status.ancestors[0].conditions[0].status}=True";
  await cluster.kubectl([...there, "wait", isAccepted, "--timeout=180s", "backendtrafficpolicy/all"]);
  const address = await cluster.kubectl([
    ...there,
    "get",
    "gateway/edge",
    "-o",
    "jsonpath={.status.addresses[0].value}",
  ]);
  // Each time on a connection of its own, so that both proxies are asked: one may know of the route later than the other.
  const ask = [...CURL, "--fail", "--fail-early", "--header", "Host: rollout.test", "--header", "Connection: close"];
  const { code, stderr } = await cluster.runOutside([...ask, `http://${address}/[1-20]`]);
  if (code !== 0) throw new Error(`the Gateway at ${address} does not answer: ${stderr}`);
  return address;
}

/** k6's exit code; 1 where the rollouts took longer than the traffic. */
async function runUnderRollouts(
  cluster: Cluster,
  environment: Readonly<Record<string, string>>,
  milliseconds: number,
): Promise<number> {
  const report = join(repository, "loadtest/report");
  mkdirSync(report, { recursive: true });
  const flags = ["--quiet", "--no-color", "--no-usage-report", "--address", "127.0.0.1:0"];
  const argv = [K6, "run", ...flags, "--summary-export", join(report, "k6-rollout.json"), SCRIPT];
  const [command, ...args] = cluster.commandFor("outside", argv);
  const began = performance.now();
  const child = spawn(command, args, { stdio: "inherit", env: { ...process.env, ...environment } });
  const end = (): void => void child.kill("SIGKILL");
  process.once("exit", end);
  const ended = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve(status ?? -1));
  });
  const took = (await Promise.race([rollAll(cluster), ended.then(() => undefined)])) ?? performance.now() - began;
  const code = await ended;
  process.off("exit", end);
  if (performance.now() - began > milliseconds && took > milliseconds) {
    say("the rollouts did not end within the traffic: give --seconds more");
    return 1;
  }
  return code;
}

/** Replaces what serves, one after the other; resolves with the milliseconds it took. */
async function rollAll(cluster: Cluster): Promise<number> {
  const began = performance.now();
  for (const [what, namespace, deployment] of [
    ["backend", NAMESPACE, "echo"],
    ["proxies", NAMESPACE, "edge-sallyport"],
    ["controllers", SYSTEM_NAMESPACE, "sallyport-controller"],
  ] as const) {
    await sleep(CALM);
    const since = performance.now();
    await cluster.kubectl(["-n", namespace, "rollout", "restart", `deployment/${deployment}`]);
    await cluster.kubectl(["-n", namespace, "rollout", "status", `deployment/${deployment}`, "--timeout=180s"]);
    say(`rollout: ${what} replaced in ${((performance.now() - since) / 1000).toFixed(1)} s`);
  }
  return performance.now() - began;
}

await runCommand(main);
