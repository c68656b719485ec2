// What a run of the official suite leaves behind where it is killed: its own clean-up goes with it, and the next run waits in vain
// for base resources that are in nobody's order any more.
import type { Cluster } from "../cluster/cluster.ts";

/** Namespaces that the suite's manifests make. */
const NAMESPACE = /^gateway-(?:conformance|api)-/;
/** The one GatewayClass that a test of the suite makes. */
const GATEWAY_CLASS = "gatewayclass/gatewayclass-observed-generation-bump";

/** Deletes it; resolves when it is gone. */
export async function removeLeftovers(cluster: Cluster, say: (line: string) => void): Promise<void> {
  await cluster.kubectl(["delete", GATEWAY_CLASS, "--ignore-not-found", "--timeout=180s"]);
  const all = await cluster.kubectl(["get", "namespaces", "-o", "jsonpath={.items[*].metadata.name}"]);
  const left = all.split(" ").filter((name) => NAMESPACE.test(name));
  if (left.length === 0) return;
  say(`deleting what a run before left behind: ${left.join(", ")}`);
  await cluster.kubectl(["delete", "namespace", ...left, "--ignore-not-found", "--timeout=300s"]);
}
