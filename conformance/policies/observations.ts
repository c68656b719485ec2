// What tests of policies see of answers: who gave them, and who goes on giving them.
import assert from "node:assert/strict";
import { type Answer, type Question, untilJudged } from "../echo.ts";
import type { PolicyCluster } from "./policy-cluster.ts";

/** Judges answers by their status. */
export function is(status: number): (answer: Answer) => void {
  return (answer) => assert.equal(answer.status, status, answer.body);
}

/**
 * Waits until a Service, of whose three pods one is ill, has been well a hundred times in a row. With one of two proxies that still sends a
 * third of its requests to the ill pod, forty are it by chance once in fifteen hundred times, and a hundred never.
 */
export function untilAllAreWell(cluster: PolicyCluster, name: string): Promise<void> {
  return untilJudged(async () => {
    for (let asked = 0; asked < 100; asked++) is(200)(await cluster.ask(name));
  });
}

/** Pods that answer `times` questions, each of which comes on a connection of its own. */
export async function podsOf(
  cluster: PolicyCluster,
  name: string,
  question: Question,
  times: number,
): Promise<ReadonlySet<string | undefined>> {
  const pods = new Set<string | undefined>();
  for (let asked = 0; asked < times; asked++) {
    const answer = await cluster.ask(name, question);
    is(200)(answer);
    pods.add(answer.pod);
  }
  return pods;
}

/** Asks with the cookie that the first answer set, and without. */
export async function staysAtOnePod(cluster: PolicyCluster, name: string, session: string): Promise<void> {
  const setsCookie = (answer: Answer): void => assert.match(cookieOf(answer, session), /=/);
  // Both proxies: one that does not know of the session yet would take no notice of its cookie.
  await cluster.untilAll(name, {}, setsCookie);
  const first = await cluster.ask(name);
  setsCookie(first);
  const pods = await podsOf(cluster, name, { fields: { cookie: cookieOf(first, session) } }, 20);
  assert.deepEqual([...pods], [first.pod]);
  const others = await podsOf(cluster, name, {}, 20);
  assert.ok(others.size > 1, "without a cookie all requests go to one pod");
}

/** `NAME=VALUE` as a client sends it back; "" where the answer does not set it. */
export function cookieOf({ headers }: Answer, name: string): string {
  const set = headers["set-cookie"]?.find((one) => one.startsWith(`${name}=`));
  return set?.split(";")[0] ?? "";
}
