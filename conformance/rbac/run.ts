// `npm run conformance:rbac`: compares what the controller asked of the API server while the suites ran with what the chart's
// roles grant it; both must be the same. `-- --name NAME`: of this running cluster.
import { parseArgs } from "node:util";
import { findCluster } from "../cluster/cluster.ts";
import { auditLogPath } from "../cluster/components.ts";
import { pathsOf } from "../cluster/state.ts";
import { runCommand } from "../command.ts";
import { CONTROLLER_USER, SYSTEM_NAMESPACE } from "../testbed.ts";
import { readRequests } from "./audit-log.ts";
import { exercise } from "./exercise.ts";
import { compareRoles, type Role } from "./comparison.ts";

const ROLE = "sallyport-controller";
/** What admission asks for and the audit log does not show: owners, where OwnerReferencesPermissionEnforcement is on. */
const UNSEEN = /\/finalizers\./;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { name: { type: "string", default: "conformance" } },
  });
  const cluster = findCluster(values.name);
  const readRole = async (...which: readonly string[]): Promise<Role> => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a role of the API server
    return JSON.parse(await cluster.kubectl(["get", ...which, "-o", "json"])) as Role;
  };
  const roles = [
    await readRole("clusterrole", ROLE),
    { ...(await readRole("-n", SYSTEM_NAMESPACE, "role", ROLE)), namespace: SYSTEM_NAMESPACE },
  ];
  await exercise(cluster);
  const requests = await readRequests(auditLogPath(pathsOf(values.name)), CONTROLLER_USER);
  const { lacking, idle: unused } = compareRoles(roles, requests);
  const idle = unused.filter((line) => !UNSEEN.test(line));
  for (const line of lacking) console.log(`lacking: ${line}`);
  for (const line of idle) console.log(`idle:    ${line}`);
  console.log(`${requests.length} sorts of requests; ${lacking.length} lacking, ${idle.length} idle`);
  if (requests.length === 0) throw new Error("the audit log has no request of the controller");
  if (lacking.length > 0 || idle.length > 0) process.exitCode = 1;
}

await runCommand(main);
