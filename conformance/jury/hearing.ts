// Sends the same bytes through Sallyport to every judge and collects what each of them understood.
import { RawClient } from "@sallyport/testkit/raw-client";
import { head } from "../protocol/case.ts";
import type { Judge } from "./bench.ts";
import type { Report } from "./judgement.ts";

/** A judge, and the port of Sallyport that leads to it. */
export interface Bench {
  readonly judge: Judge;
  readonly port: number;
}

/** Less than the gateway's own limit on a head, which would hide a hang. Milliseconds. */
const PATIENCE = 9000;

/**
 * What every judge made of `bytes`. The client ends its side once nothing has come for `quiet` milliseconds, so that
 * nothing waits for more: with a short time a pipeline may be cut, so a difference counts only with a long one.
 */
export function hear(bytes: string, benches: readonly Bench[], quiet: number): Promise<readonly Report[]> {
  return Promise.all(benches.map((bench) => hearOne(bytes, bench, quiet)));
}

async function hearOne(bytes: string, { judge, port }: Bench, quiet: number): Promise<Report> {
  const from = judge.heard().length;
  const client = await RawClient.open({ port });
  try {
    await client.send(bytes);
    await silence(client, quiet);
    client.end();
    await client.signal.until(() => client.state !== "open", PATIENCE);
    const statuses = client.responses.map((response) => response.status);
    if (client.state === "open") statuses.push(-1);
    await fence(port, judge);
    const requests = judge
      .heard()
      .slice(from)
      .filter((request) => request.target !== FENCE);
    return { judge: judge.name, requests, statuses };
  } finally {
    client.close();
  }
}

/** Waits until the connection ended or nothing came for a time. */
async function silence(client: RawClient, quiet: number): Promise<void> {
  for (let length = -1; length !== client.received.length && client.state === "open";) {
    length = client.received.length;
    await client.signal.until(() => client.received.length !== length || client.state !== "open", quiet);
  }
}

const FENCE = "/jury-fence";

/** One request behind all others: when the judge has reported it, it has reported them. */
async function fence(port: number, judge: Judge): Promise<void> {
  const count = (): number => judge.heard().filter((request) => request.target === FENCE).length;
  const before = count();
  const client = await RawClient.open({ port });
  try {
    await client.send(head(`GET ${FENCE} HTTP/1.1`, "Connection: close"));
    await judge.process.signal.require(() => count() > before, PATIENCE, `${judge.name} to hear the fence`);
  } finally {
    client.close();
  }
}
