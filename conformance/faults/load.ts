// A few clients that ask again and again, and count what they get: for what must not show under load.
import { connect } from "node:net";
import type { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { Signal } from "@sallyport/testkit/signal";
import { StrictReader, fieldValues } from "@sallyport/testkit/strict-http";
import type { Message } from "@sallyport/testkit/strict-http";
import { head } from "../protocol/case.ts";

/** Milliseconds before a client that failed connects again. */
const AFTER_FAILURE = 20;

/** What one client got. */
export interface Tally {
  /** Number of answers by what `describe` made of them. */
  readonly answers: Map<string, number>;
  /** Connections that ended or were refused while a request was out or about to be made, with the reason. */
  readonly failures: string[];
}

/** A running load. */
export interface Load extends AsyncDisposable {
  readonly tallies: readonly Tally[];
  /** Stops and resolves when no request is out; a second call does nothing. */
  stop(): Promise<void>;
}

/** What to ask and how to name the answers. */
export interface LoadOptions {
  readonly port: number;
  readonly clients: number;
  readonly request?: string;
  readonly describe?: (response: Message) => string;
}

/** `status body` and the value of `x-version` if there is one. */
function describeAnswer(response: Message): string {
  return [response.status, response.body.slice(0, 40), ...fieldValues(response.fields, "x-version")].join(" ");
}

/** Starts the clients; each has one request out at a time on a kept connection, and connects anew when that ends. */
export function startLoad(options: LoadOptions): Load {
  const running = { on: true };
  const clients = Array.from({ length: options.clients }, () => startClient(options, running));
  const stop = async (): Promise<void> => {
    running.on = false;
    await Promise.all(clients.map(({ ended }) => ended));
  };
  return { tallies: clients.map(({ tally }) => tally), stop, [Symbol.asyncDispose]: stop };
}

/** The sum over all clients. */
export function total(load: Load): { readonly answers: Map<string, number>; readonly failures: readonly string[] } {
  const answers = new Map<string, number>();
  for (const tally of load.tallies) {
    for (const [what, count] of tally.answers) answers.set(what, (answers.get(what) ?? 0) + count);
  }
  return { answers, failures: load.tallies.flatMap(({ failures }) => failures) };
}

interface Client {
  readonly tally: Tally;
  readonly ended: Promise<void>;
}

function startClient(options: LoadOptions, running: { readonly on: boolean }): Client {
  const tally: Tally = { answers: new Map(), failures: [] };
  const loop = async (): Promise<void> => {
    while (running.on) {
      const failure = await useConnection(options, running, tally);
      if (failure === undefined) continue;
      tally.failures.push(failure);
      await setTimeout(AFTER_FAILURE);
    }
  };
  return { tally, ended: loop() };
}

/** Asks on one connection until it ends; what went wrong, if a request was out. */
async function useConnection(
  options: LoadOptions,
  running: { readonly on: boolean },
  tally: Tally,
): Promise<string | undefined> {
  const { port, request = head("GET / HTTP/1.1"), describe = describeAnswer } = options;
  const signal = new Signal();
  const state = { out: false, done: false, error: "" };
  const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const ask = (): void => {
    state.out = running.on;
    if (running.on) socket.write(request, "latin1");
    else socket.end();
  };
  const reader = new StrictReader({
    role: "response",
    onMessage: (response) => {
      state.out = false;
      const what = describe(response);
      tally.answers.set(what, (tally.answers.get(what) ?? 0) + 1);
      if (/close/i.test(fieldValues(response.fields, "connection").join(","))) socket.end();
      else ask();
    },
  });
  socket.on("connect", ask);
  socket.on("data", (bytes) => reader.push(bytes));
  socket.on("error", (error) => {
    state.error = error.message;
  });
  socket.on("close", () => {
    state.done = true;
    signal.changed();
  });
  await signal.until(() => state.done, 60_000);
  if (reader.problem !== undefined) return reader.problem;
  return state.out || state.error !== "" ? `${state.error || "ended"} ${state.out ? "(request out)" : ""}` : undefined;
}
