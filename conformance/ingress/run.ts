// `npm run conformance:ingress`: the 25 scenarios of Ingress as node:test, in a real cluster, asked from outside. `-- --name NAME`:
// the cluster; one that is up is used, and stays; `--keep` leaves it up.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runCommand } from "../command.ts";
import { runOutside } from "../outside-tests.ts";
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
  if (await runOutside(cluster, join(import.meta.dirname, "ingress.test.ts"))) return;
  process.exitCode = 1;
  await keepLogs(cluster, join(import.meta.dirname, "../report/ingress"));
}

await runCommand(main);
