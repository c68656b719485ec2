// One request and what came of it, for tests of faults.
import { eventually } from "@sallyport/testkit/eventually";
import type { EventuallyOptions } from "@sallyport/testkit/eventually";
import { RawClient } from "@sallyport/testkit/raw-client";
import type { Answer } from "@sallyport/testkit/raw-upstream";
import { head } from "../protocol/case.ts";

/** How long a test waits for one event before it calls it a hang, by `require`, which knows of busy machines. Milliseconds. */
export const PATIENCE = 5000;
/** The same where nothing but the outcome is looked at. */
const ANSWERED = 30_000;

/** What a client saw. */
export interface Outcome {
  /** 0 if no final response came. */
  readonly status: number;
  readonly body: string;
  readonly complete: boolean;
  readonly state: RawClient["state"];
}

/** Sends bytes on a connection of their own and waits for a whole response or the end. */
export async function ask(port: number, bytes = head("GET / HTTP/1.1"), patience = ANSWERED): Promise<Outcome> {
  const client = await RawClient.open({ port });
  try {
    await client.send(bytes);
    await client.signal.until(() => client.responses[0]?.complete === true || client.state !== "open", patience);
    return outcomeOf(client);
  } finally {
    client.close();
  }
}

/** What a client saw so far. */
export function outcomeOf(client: RawClient): Outcome {
  const response = client.responses[0];
  return {
    status: response?.status ?? 0,
    body: response?.body ?? "",
    complete: response?.complete ?? false,
    state: client.state,
  };
}

/** A whole request is answered 200 with this body. */
export function plain(body = "ok"): Answer {
  return { when: "complete", steps: [`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`] };
}

/** Waits until an assertion holds; its last failure is the cause of the error. */
export async function settles(assertion: () => void | Promise<void>, options: EventuallyOptions = {}): Promise<void> {
  await eventually(async () => {
    await assertion();
    return true;
  }, options);
}
