// Test files that need a cluster, run by node:test as a client outside of it.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Cluster } from "./cluster/cluster.ts";
import { keepLogs, openTestbed } from "./testbed.ts";

/** A suite: the file `NAME/NAME.test.ts` in this folder. */
export interface OutsideSuite {
  readonly name: string;
  /** Replicas of the proxies. */
  readonly proxies: number;
  /** What the cluster needs besides the chart. */
  prepare?(cluster: Cluster): Promise<void>;
}

/** Runs a suite in the cluster that the command line names; logs are kept, and the exit code is 1, where a test failed. */
export async function runSuite({ name, proxies, ...suite }: OutsideSuite): Promise<void> {
  const { values } = parseArgs({
    options: { name: { type: "string", default: "conformance" }, keep: { type: "boolean", default: false } },
  });
  await using testbed = await openTestbed({
    name: values.name,
    afterwards: values.keep ? "keep" : "down",
    replicas: { controllers: 1, proxies },
    say: (line) => console.log(line),
  });
  const { cluster } = testbed;
  await suite.prepare?.(cluster);
  if (await runOutside(cluster, join(import.meta.dirname, name, `${name}.test.ts`))) return;
  process.exitCode = 1;
  await keepLogs(cluster, join(import.meta.dirname, "report", name));
}

/** Runs a file with KUBECONFIG and CLUSTER (its name) set, prints its tests and, last of all, the counts; false where one failed. */
async function runOutside(cluster: Cluster, file: string): Promise<boolean> {
  const folder = join(import.meta.dirname, "report");
  mkdirSync(folder, { recursive: true });
  const tap = join(folder, "outside-tests.tap");
  const reporters = ["--test-reporter=spec", "--test-reporter-destination=stdout"];
  const counting = ["--test-reporter=tap", `--test-reporter-destination=${tap}`];
  const node = [process.execPath, "--test", "--test-timeout=600000", ...reporters, ...counting, file];
  const [command, ...args] = cluster.commandFor("outside", node);
  const code = await new Promise<number>((resolve, reject) => {
    const environment = { ...process.env, KUBECONFIG: cluster.kubeconfig, CLUSTER: cluster.name };
    const child = spawn(command, args, { stdio: "inherit", env: environment });
    child.on("error", reject);
    child.on("close", (status) => resolve(status ?? -1));
  });
  const { passed, failed } = readCounts(readFileSync(tap, "utf8"));
  console.log(`\n${passed} passed, ${failed} failed`);
  return code === 0 && passed > 0;
}

/** Of the last lines; what was cancelled failed, too. */
function readCounts(tap: string): { readonly passed: number; readonly failed: number } {
  const count = (name: string): number => Number(new RegExp(`^# ${name} (\\d+)$`, "m").exec(tap)?.[1] ?? 0);
  return { passed: count("pass"), failed: count("fail") + count("cancelled") };
}
