// Runs one case against one slot: a client in front of the system under test and a scripted backend behind it.
import { RawClient } from "@sallyport/testkit/raw-client";
import type { Answer, RawUpstream, SeenRequest } from "@sallyport/testkit/raw-upstream";
import type { Message } from "@sallyport/testkit/strict-http";
import { head, HOST } from "./case.ts";
import type { ProtocolCase, Step } from "./case.ts";
import type { Observation } from "./judge.ts";

/** A port of the system under test and the backend that port leads to. */
export interface Slot {
  readonly port: number;
  readonly upstream: RawUpstream;
  /** How clients reach it. */
  readonly scheme: "http" | "https";
}

/** Bounds in milliseconds; a case that needs more than `patience` for one event hangs. */
export interface Timing {
  readonly patience: number;
  /** Between two writes of one side, so that they arrive in two segments. */
  readonly gap: number;
}

/** Right for a loopback run on a busy machine; patience ends before the gateway's own limit on a head does, 10 s, which would hide a hang. */
const defaultTiming: Timing = { patience: 9000, gap: 2 };

const PROBE = "/probe-on-the-same-connection";
const FENCE = "/fence-on-a-new-connection";

/** What the client and the backend saw. */
export async function exercise(testCase: ProtocolCase, slot: Slot, timing = defaultTiming): Promise<Observation> {
  const { upstream } = slot;
  upstream.begin((request, index) => testCase.answers?.[index] ?? named(request));
  const client = await openClient(slot, testCase.heads);
  try {
    for (const [index, step] of testCase.send.entries()) {
      if (index > 0 && typeof step === "string") await pause(client, timing.gap);
      await perform(step, client, upstream, timing);
    }
    await settle(testCase, client, timing);
    const beforeProbe = [...client.responses];
    const after = await stateAfter(testCase, client, timing);
    const fence = await checkFence(slot, timing);
    return observe(testCase, {
      scheme: slot.scheme,
      upstream,
      client,
      after,
      fence,
      responses: after === "open" ? beforeProbe : client.responses,
    });
  } finally {
    client.close();
  }
}

function openClient({ port, scheme }: Slot, heads: readonly number[] = []): Promise<RawClient> {
  return RawClient.open({ port, heads, ...(scheme === "https" ? { secure: HOST } : {}) });
}

/** The default answer says what was asked, so that an answer given to the wrong request shows. */
function named(request: Message): Answer {
  const body = `seen ${request.method} ${request.target}`;
  const content = request.method === "HEAD" ? "" : body;
  const text = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${content}`;
  return { when: "complete", steps: [text] };
}

async function perform(step: Step, client: RawClient, upstream: RawUpstream, timing: Timing): Promise<void> {
  if (typeof step === "string") return client.send(step);
  if ("pause" in step) return pause(client, step.pause);
  if ("do" in step && step.do === "end") return client.end();
  const signal = "do" in step ? client.signal : upstream.signal;
  await signal.until(() => client.state !== "open" || hasHappened(step, client, upstream), timing.patience);
}

function hasHappened(step: Exclude<Step, string>, client: RawClient, upstream: RawUpstream): boolean {
  if ("awaitHead" in step) return upstream.requests.length >= step.awaitHead;
  if ("awaitRequest" in step) return completeRequests(upstream).length >= step.awaitRequest;
  if ("do" in step) return (step.do === "await-interim" ? client.interim : client.responses).length > 0;
  return true;
}

/** Lets a time go by; ends early if the connection does. */
async function pause(client: RawClient, milliseconds: number): Promise<void> {
  await client.signal.until(() => client.closed, milliseconds);
}

function completeRequests(upstream: RawUpstream): readonly SeenRequest[] {
  return upstream.requests.filter((seen) => seen.message.complete && !isOurs(seen.message));
}

function isOurs(message: Message): boolean {
  return message.target === PROBE || message.target === FENCE;
}

/** Waits until the client read as many whole responses as some outcome wants, or its connection ended. */
async function settle(testCase: ProtocolCase, client: RawClient, timing: Timing): Promise<void> {
  const counts = testCase.allow.map((outcome) => outcome.client.length);
  const whole = (): number => client.responses.filter((response) => response.complete).length;
  const done = (count: number) => (): boolean =>
    client.state !== "open" || client.reader.problem !== undefined || client.reader.tunnel !== "" || whole() >= count;
  const tunnelDone =
    testCase.allow.some((outcome) => outcome.tunnel !== undefined) && client.interim.some((m) => m.status === 101);
  if (tunnelDone) return;
  await client.signal.until(done(Math.min(...counts)), timing.patience);
  await client.signal.until(done(Math.max(...counts)), counts.length > 1 ? 150 : 0);
}

/** How the client's connection stands; `open` only if one more request on it is answered as itself. */
async function stateAfter(testCase: ProtocolCase, client: RawClient, timing: Timing): Promise<Observation["after"]> {
  if (client.interim.some((response) => response.status === 101)) return "hung";
  const wanted = new Set(testCase.allow.map((outcome) => outcome.after));
  const mayStayOpen = wanted.has("open");
  const mustClose = !mayStayOpen && !wanted.has("any");
  // Where both are allowed, a close that is under way gets a moment to arrive.
  const moment = mayStayOpen && wanted.size === 1 ? 0 : 100;
  await client.signal.until(() => client.state !== "open", mustClose ? timing.patience : moment);
  if (client.state !== "open") return client.state;
  return mayStayOpen ? probe(client, timing) : "hung";
}

/** One more request on the same connection. */
async function probe(client: RawClient, timing: Timing): Promise<Observation["after"]> {
  const count = client.responses.length;
  const answer = (): Message | undefined => client.responses[count];
  await client.send(head(`GET ${PROBE} HTTP/1.1`));
  await client.signal.until(() => client.state !== "open" || answer()?.complete === true, timing.patience);
  if (answer()?.complete === true && answer()?.body === `seen GET ${PROBE}`) return "open";
  return client.state === "open" ? "hung" : client.state;
}

/** A fresh request on a fresh connection must get its own answer: nothing of the case may be left in the backend's. */
async function checkFence(slot: Slot, timing: Timing): Promise<string> {
  const client = await openClient(slot);
  try {
    await client.send(head(`GET ${FENCE} HTTP/1.1`, "Connection: close"));
    await client.signal.until(() => client.state !== "open", timing.patience);
    const answer = client.responses[0];
    if (answer === undefined) return client.reader.problem ?? `no answer, connection ${client.state}`;
    const right = answer.body === `seen GET ${FENCE}` && client.responses.length === 1;
    return right ? "" : `answered ${answer.status} ${JSON.stringify(answer.body.slice(0, 60))}`;
  } finally {
    client.close();
  }
}

interface Ending {
  readonly scheme: Slot["scheme"];
  readonly upstream: RawUpstream;
  readonly client: RawClient;
  readonly after: Observation["after"];
  readonly fence: string;
  readonly responses: readonly Message[];
}

function observe(testCase: ProtocolCase, ending: Ending): Observation {
  const { upstream, client } = ending;
  const first = upstream.requests[0]?.connection;
  const sameConnection = upstream.requests.filter((seen) => seen.connection === first);
  const tunnel = upstream.connections.find((connection) => connection.reader.tunnel !== "")?.reader.tunnel ?? "";
  const backendProblem = upstream.connections
    .map((connection) => connection.reader.problem)
    .find((p) => p !== undefined);
  const clientProblem = testCase.allow.every((outcome) => outcome.client.length === 0)
    ? undefined
    : client.reader.problem;
  return {
    scheme: ending.scheme,
    backend: completeRequests(upstream).map((seen) => seen.message),
    ...(backendProblem === undefined ? {} : { backendProblem }),
    interim: client.interim,
    client: ending.responses,
    ...(clientProblem === undefined ? {} : { clientProblem }),
    after: ending.after,
    tunnel: { backend: tunnel, client: client.reader.tunnel },
    received: client.received,
    reused: sameConnection.length > 1,
    fence: ending.fence,
  };
}
