// `npm run conformance:ingress`: the 25 scenarios of Ingress as node:test, in a real cluster, asked from outside. `-- --name NAME`:
// the cluster; one that is up is used, and stays; `--keep` leaves it up.
import { runCommand } from "../command.ts";
import { runSuite } from "../outside-tests.ts";

await runCommand(() => runSuite({ name: "ingress", proxies: 1 }));
