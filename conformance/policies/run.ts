// `npm run conformance:policies`: BackendTrafficPolicy and ClientTrafficPolicy in a real cluster with two proxies, by what their
// statuses say and what clients outside see. `-- --name NAME`: the cluster; one that is up is used, and stays; `--keep` leaves it up.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runCommand } from "../command.ts";
import { runOutside } from "../outside-tests.ts";
import { keepLogs, openTestbed } from "../testbed.ts";
import { ILL_IMAGE } from "./policy-cluster.ts";

/** Answers everything with 500: ready as far as the kubelet can see, and no good. */
const ILL_SERVER = `require("node:http").createServer((_, answer) => answer.writeHead(500).end()).listen(3000)`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { name: { type: "string", default: "conformance" }, keep: { type: "boolean", default: false } },
  });
  await using testbed = await openTestbed({
    name: values.name,
    afterwards: values.keep ? "keep" : "down",
    replicas: { controllers: 1, proxies: 2 },
    say: (line) => console.log(line),
  });
  const { cluster } = testbed;
  await cluster.addImage(ILL_IMAGE, {
    onMachine: true,
    files: { "/ill-server/node": { copy: process.execPath } },
    entrypoint: ["/ill-server/node", "--eval", ILL_SERVER],
  });
  if (await runOutside(cluster, join(import.meta.dirname, "policies.test.ts"))) return;
  process.exitCode = 1;
  await keepLogs(cluster, join(import.meta.dirname, "../report/policies"));
}

await runCommand(main);
