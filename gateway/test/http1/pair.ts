/** A rig in front of a scripted upstream, and the messages that tests send through them. */
import type { TestContext } from "node:test";
import { RawUpstream, type AnswerStep, type Script } from "@sallyport/testkit/raw-upstream";
import { openRig, type Rig, type RigOptions } from "./rig.ts";

/** A request without a body. */
export const GET = "GET /a HTTP/1.1\r\nHost: example.com\r\n\r\n";
/** An answer that leaves nothing to add. */
export const OK = "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 2\r\n\r\nok";

/** A rig and its upstream. */
export interface Pair {
  readonly rig: Rig;
  readonly upstream: RawUpstream;
}

/** Opens both; they close with the test, the rig first. */
export async function openPair(t: TestContext, script: Script, options: RigOptions = {}): Promise<Pair> {
  const upstream = await RawUpstream.open(script);
  const rig = await openRig(t, { ...options, upstream: upstream.port });
  t.after(() => upstream.close());
  return { rig, upstream };
}

/** Answers every request with these steps when it is complete. */
export function answer(...steps: AnswerStep[]): Script {
  return () => ({ when: "complete", steps });
}

/** The value of a field in the text of a message. */
export function fieldOf(text: string, name: string): string | undefined {
  return new RegExp(`\r\n${name}: ([^\r]*)\r\n`, "i").exec(text)?.[1];
}
