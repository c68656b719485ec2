/** One stream to the controller from its hello to its end: parts in, answers out, one change at a time. */
import { clearTimeout, setTimeout } from "node:timers";
import { type ControllerMessage, type Hello, PROXY_MESSAGE_BYTES } from "@sallyport/model/distribution";
import { decodeControllerMessage } from "@sallyport/model/message";
import { formatProblem } from "@sallyport/model/problem";
import type { Gateway } from "../workers/contract.ts";
import type { Stream } from "./connection.ts";
import { ConnectionFailure, type RemoteOptions } from "./contract.ts";
import type { Certificate } from "./identity.ts";
import { Receiver, type Step, type VersionedSnapshot } from "./receiver.ts";
import type { RemoteState } from "./state.ts";

/** What a session stands on. */
export interface SessionOptions {
  readonly gateway: Gateway;
  readonly remote: RemoteOptions;
  /** What is in force. */
  readonly held: VersionedSnapshot;
  readonly state: RemoteState;
  /** The controller has answered. */
  readonly onConnected: () => void;
  /** This is in force now. */
  readonly onHeld: (configuration: VersionedSnapshot) => void;
}

/** Why it ended. */
export type SessionEnd =
  | { readonly kind: "failed"; readonly failure: ConnectionFailure }
  /** A new certificate is due: connect with that. */
  | { readonly kind: "renew" };

/** Milliseconds until the controller must have said something. */
const GREETING = 30_000;
/** A timer may not be longer (setTimeout). */
const LONGEST_TIMER = 0x7fff_ffff;

/** A stream. */
export class Session {
  readonly #options: SessionOptions;
  readonly #ended = Promise.withResolvers<SessionEnd>();
  readonly #timers: NodeJS.Timeout[] = [];
  #receiver: Receiver;
  #stream: Stream | undefined;
  #isGreeted = false;
  #isOver = false;
  /** A change that is tried goes on when the stream breaks: what comes of it is known before the next stream says what is held. */
  #trying: Promise<void> = Promise.resolve();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#receiver = new Receiver(options.held);
  }

  /** Resolves when the stream is over and nothing of it is under way any more. */
  async run(certificate: Certificate, renewAt: number): Promise<SessionEnd> {
    const { openStream } = await import("./connection.ts");
    this.#stream = await openStream(this.#options.remote, certificate, {
      onMessage: (bytes) => this.#onMessage(bytes),
      onEnd: (failure) => this.#end({ kind: "failed", failure }),
    });
    if (this.#isOver) this.#stream.close();
    else this.#begin(this.#stream, renewAt);
    const end = await this.#ended.promise;
    await this.#trying;
    return end;
  }

  close(): void {
    this.#end({ kind: "failed", failure: new ConnectionFailure("closed", "retry") });
  }

  #begin(stream: Stream, renewAt: number): void {
    stream.send(this.#toHello());
    this.#after(GREETING, () => {
      if (!this.#isGreeted) this.#fail("the controller does not answer");
    });
    this.#after(Math.min(LONGEST_TIMER, Math.max(0, renewAt - Date.now())), () => this.#end({ kind: "renew" }));
  }

  #after(milliseconds: number, then: () => void): void {
    const timer = setTimeout(then, milliseconds);
    timer.unref();
    this.#timers.push(timer);
  }

  /** Names what is held; where that would be too much to say, everything is sent anew. */
  #toHello(): Hello {
    const { group, proxy, node, version } = this.#options.remote;
    const named = { kind: "hello", group, proxy, version, ...(node !== undefined && { node }) } as const;
    const hello = { ...named, resources: Object.fromEntries(this.#options.held.versions) };
    if (Buffer.byteLength(JSON.stringify(hello)) <= PROXY_MESSAGE_BYTES) return hello;
    this.#receiver = new Receiver({ snapshot: { resources: new Map() }, versions: new Map() });
    return { ...named, resources: {} };
  }

  #onMessage(bytes: Uint8Array): void {
    if (this.#isOver) return;
    const message = decodeControllerMessage(bytes);
    if (!message.ok) return this.#fail(`the controller says what cannot be understood: ${message.error}`);
    if (!this.#isGreeted) this.#options.onConnected();
    this.#isGreeted = true;
    this.#take(message.value);
  }

  #take(message: ControllerMessage): void {
    if (message.kind === "place") {
      const { gateway, state, remote } = this.#options;
      const { region = "", zone = "", subzone = "", regions = {} } = message;
      state.zone = message.zone;
      const node = remote.node ?? "";
      gateway.place({ region, zone, subzone, node, labels: {}, regions: new Map(Object.entries(regions)) });
      return;
    }
    const step = this.#receiver.take(message);
    if (step.kind === "broken") this.#fail(`the controller does not keep to the protocol: ${step.reason}`);
    else if (step.kind === "flawed") this.#refuse(step.nonce, step.problems);
    else if (step.kind === "candidate") this.#trying = this.#try(step);
  }

  /** Nothing more is read until the candidate is in force or refused. */
  async #try({ nonce, candidate }: Extract<Step, { kind: "candidate" }>): Promise<void> {
    const { gateway, state, onHeld, remote } = this.#options;
    this.#stream?.pause();
    try {
      const result = await gateway.apply(candidate.snapshot);
      const problems = result.problems.map(formatProblem);
      if (!result.applied) return this.#refuse(nonce, problems);
      this.#receiver.commit(candidate);
      state.onAccepted();
      onHeld(candidate);
      remote.log.info("configuration applied", { epoch: result.epoch, resources: candidate.versions.size });
      for (const problem of problems) remote.log.warn(problem);
      this.#answer({ kind: "ack", nonce });
    } catch (error) {
      remote.log.error("a configuration cannot be applied", { error });
      this.#fail(error instanceof Error ? error.message : String(error));
    } finally {
      if (!this.#isOver) this.#stream?.resume();
    }
  }

  #refuse(nonce: number, problems: readonly string[]): void {
    this.#options.state.onRefused(problems);
    this.#options.remote.log.error("configuration refused, the last good one stays", { problems });
    this.#answer({ kind: "nack", nonce, problems: [...problems] });
  }

  #answer(message: Parameters<Stream["send"]>[0]): void {
    if (!this.#isOver) this.#stream?.send(message);
  }

  #fail(reason: string): void {
    this.#end({ kind: "failed", failure: new ConnectionFailure(reason, "retry") });
  }

  #end(end: SessionEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#stream?.close();
    this.#ended.resolve(end);
  }
}
