/** A rule that retries, in front of an upstream that a test plays by hand. */
import type { TestContext } from "node:test";
import type { FaultReason } from "@sallyport/model/fault";
import type { RetryPolicy } from "@sallyport/model/retry";
import type { RawClient } from "@sallyport/testkit/raw-client";
import type { TryProgress } from "../../src/exchange/contract.ts";
import { toResponseHead } from "../../src/head/response-head.ts";
import { compileRetry } from "../../src/retry/policy.ts";
import type { CompiledRule } from "../../src/router/contract.ts";
import { HandUpstream, type HandStream } from "../codec/hand-upstream.ts";
import { openRig, type Rig } from "./rig.ts";

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/** A request on its way. */
export interface Begun {
  readonly rig: Rig;
  readonly upstream: HandUpstream;
  readonly client: RawClient;
  /** The stream of the next try, after the wait for it. */
  next(): Promise<HandStream>;
  status(): Promise<number | undefined>;
}

interface Begin {
  readonly request?: string;
  readonly retry?: Partial<RetryPolicy>;
  readonly rule?: Partial<CompiledRule>;
}

/** Sends a request to a rule that retries. */
export async function begin(t: TestContext, { request = GET, retry = {}, rule = {} }: Begin = {}): Promise<Begun> {
  const upstream = new HandUpstream();
  const backoff = { least: 20, base: 20, max: 20 };
  const policy: RetryPolicy = { attempts: 2, on: ["connect-failure", "reset"], statuses: [500], backoff, ...retry };
  const rig = await openRig(t, { backend: { cluster: upstream }, rule: { retry: compileRetry(policy), ...rule } });
  const client = await rig.client();
  await client.send(request);
  let isFirst = true;
  return {
    rig,
    upstream,
    client,
    next: async () => {
      if (!isFirst) rig.advance(40);
      isFirst = false;
      return upstream.next();
    },
    status: async () => {
      await client.signal.require(() => client.responses.length === 1, 2000, "the answer");
      return client.responses[0]?.status;
    },
  };
}

/** Answers with this status and body. */
export function answer(stream: HandStream, status: number, body = "ok"): void {
  stream.answer(toResponseHead({ status, headers: [["date", "x"]] }, body.length), "length", [body]);
}

/** Ends a try without an answer. */
export function fail(stream: HandStream, reason: FaultReason, progress: TryProgress): void {
  const { receiver } = stream;
  stream.receiver = undefined;
  receiver?.onAnswerFailed(reason, progress);
}
