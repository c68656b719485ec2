// What clients see of a pod that is told to end and goes on for some seconds.
import assert from "node:assert/strict";
import { cookieOf, is } from "./observations.ts";
import { lingeringPod, object, type PolicyCluster } from "./policy-cluster.ts";

/** Seconds for which the pod serves after it was told to end. It dies at once then, whatever it was asked. */
const LINGERS = 16;
/** Milliseconds in which its session is asked for: it must not be asked at its very end. */
const ASKED_FOR = 12_000;
/** Milliseconds until both proxies know that it is about to go: two seconds, and more on a busy machine. */
const KNOWN_AFTER = 8000;

/** Asks with the cookie of a session at a pod, and without, while the pod is on its way out and after. */
export async function leavesInOrder(cluster: PolicyCluster): Promise<void> {
  await cluster.addDeployment("linger", 2, lingeringPod("linger", LINGERS));
  const session = await cluster.addBackend("linger", { sessionPersistence: { sessionName: "stay" } });
  // A pod's network goes before the pod does: until its endpoint is gone, too, connections to it come to nothing.
  const connectSoon = { timeout: { connect: "2s" } };
  await cluster.withPolicy("linger", { kind: "Service", name: "linger" }, connectSoon, () =>
    asksWhileItLeaves(cluster),
  );
  await cluster.client.remove(session);
}

async function asksWhileItLeaves(cluster: PolicyCluster): Promise<void> {
  const isWell = is(200);
  await cluster.untilAll("linger", {}, isWell);
  const first = await cluster.ask("linger");
  const cookie = { fields: { cookie: cookieOf(first, "stay") } };
  const pod = object("v1", "Pod", first.pod ?? "", {});
  await cluster.client.remove(pod);
  const removed = performance.now();
  while ((await cluster.client.read(pod)) !== undefined) {
    const since = performance.now() - removed;
    if (since < ASKED_FOR) {
      const kept = await cluster.ask("linger", cookie);
      isWell(kept);
      assert.equal(kept.pod, first.pod, `the session left after ${since} ms`);
    }
    const other = await cluster.ask("linger");
    isWell(other);
    if (since > KNOWN_AFTER) assert.notEqual(other.pod, first.pod, `a newcomer was sent to it after ${since} ms`);
  }
  await cluster.untilAll("linger", cookie, isWell);
}
