/** Backends over HTTP/1.1 that say what a test wants, by how many requests came before. */
import { createServer } from "node:net";
import { once } from "node:events";
import { type Answer, type AnswerStep, RawUpstream } from "@sallyport/testkit/raw-upstream";

/** Says these in turn, the last one again and again, each when the request is complete. */
export async function openBackend(...turns: readonly (readonly AnswerStep[])[]): Promise<Backend> {
  return new Backend(await RawUpstream.open((_, index) => toAnswer(turns, index)));
}

function toAnswer(turns: readonly (readonly AnswerStep[])[], index: number): Answer {
  return { when: "complete", steps: turns[Math.min(index, turns.length - 1)] ?? [] };
}

/** One that goes away with its test. */
export class Backend implements AsyncDisposable {
  readonly upstream: RawUpstream;

  constructor(upstream: RawUpstream) {
    this.upstream = upstream;
  }

  get port(): number {
    return this.upstream.port;
  }

  /** How many requests came. */
  get count(): number {
    return this.upstream.requests.length;
  }

  /** Bodies of what came. */
  get bodies(): readonly string[] {
    return this.upstream.requests.map(({ message }) => message.body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.upstream.close();
  }
}

/** An answer with this status and body. */
export function say(status: number, body = "ok", fields = ""): readonly AnswerStep[] {
  return [`HTTP/1.1 ${status} X\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`];
}

/** The end of the connection, without a word. */
export const RESET: readonly AnswerStep[] = [{ do: "reset" }];
/** Nothing, ever. */
export const SILENCE: readonly AnswerStep[] = [];

/** A port that refuses connections. */
export async function findClosedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  server.close();
  await once(server, "close");
  return port;
}
