// `npm run conformance:policies`: BackendTrafficPolicy and ClientTrafficPolicy in a real cluster with two proxies, by what their
// statuses say and what clients outside see. `-- --name NAME`: the cluster; one that is up is used, and stays; `--keep` leaves it up.
import { runCommand } from "../command.ts";
import { runSuite } from "../outside-tests.ts";
import { ILL_IMAGE } from "./policy-cluster.ts";

/** Answers everything with 500: ready as far as the kubelet can see, and no good. */
const ILL_SERVER = `require("node:http").createServer((_, answer) => answer.writeHead(500).end()).listen(3000)`;

await runCommand(() =>
  runSuite({
    name: "policies",
    proxies: 2,
    prepare: async (cluster) => {
      await cluster.addImage(ILL_IMAGE, {
        onMachine: true,
        files: { "/ill-server/node": { copy: process.execPath } },
        entrypoint: ["/ill-server/node", "--eval", ILL_SERVER],
      });
    },
  }),
);
