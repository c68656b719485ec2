// `npm run conformance:ingress`: the 25 scenarios of Ingress as node:test, in a real cluster, asked from outside. `-- --name NAME`:
// the cluster; one that is up is used, and stays; `--keep` leaves it up.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runCommand } from "../command.ts";
import { keepLogs, openTestbed } from "../testbed.ts";

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { name: { type: "string", default: "conformance" }, keep: { type: "boolean", default: false } },
  });
  await using testbed = await openTestbed({
    name: values.name,
    afterwards: values.keep ? "keep" : "down",
    replicas: { controllers: 1, proxies: 1 },
    say: (line) => console.log(line),
  });
  const { cluster } = testbed;
  const tests = join(import.meta.dirname, "ingress.test.ts");
  const node = [process.execPath, "--test", "--test-reporter=spec", "--test-timeout=120000", tests];
  const [command, ...args] = cluster.commandFor("outside", node);
  const code = await new Promise<number>((resolve, reject) => {
    const environment = { ...process.env, KUBECONFIG: cluster.kubeconfig };
    const child = spawn(command, args, { stdio: "inherit", env: environment });
    child.on("error", reject);
    child.on("close", (status) => resolve(status ?? -1));
  });
  if (code === 0) return;
  process.exitCode = 1;
  await keepLogs(cluster, join(import.meta.dirname, "../report/ingress"));
}

await runCommand(main);
