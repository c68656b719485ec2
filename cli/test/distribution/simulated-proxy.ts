/** A controller's stream and a proxy's receiver, joined in memory: nothing moves unless somebody says so, in whatever order. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { GroupRegistry } from "@sallyport/controller/distribute/group-registry";
import { type ConfigureCall, ProxyStream } from "@sallyport/controller/distribute/proxy-stream";
import { Receiver, type Step, type VersionedSnapshot } from "@sallyport/gateway/remote-receiver";
import { decodeControllerMessage, encodeMessage } from "@sallyport/model/message";
import { ok } from "@sallyport/model/result";
import { EMPTY_SNAPSHOT, type Snapshot } from "@sallyport/model/snapshot";

/** The group that everybody is of. */
export const GROUP = "shop/web";
const NOTHING: VersionedSnapshot = { snapshot: EMPTY_SNAPSHOT, versions: new Map() };
const HOUR = 3_600_000;

/** The controller's side of a call: what is written waits here. */
class MemoryCall extends EventEmitter {
  /** Not yet at the proxy. */
  readonly sent: Uint8Array[] = [];
  /** Called when a message is written, which may be before or after the proxy has it. */
  readonly unwritten: (() => void)[] = [];

  write(bytes: Uint8Array, onWritten?: () => void): void {
    this.sent.push(bytes);
    if (onWritten !== undefined) this.unwritten.push(onWritten);
  }

  /** See ConfigureCall. */
  getPeer(): string {
    return "memory";
  }
}

/** A controller replica: its registry lives as long as its process. */
export class Replica {
  registry: GroupRegistry = new GroupRegistry();

  /** Sets what the group should have; undefined: this replica does not know of the group. */
  publish(snapshot: Snapshot | undefined): void {
    this.registry.publish(new Map(snapshot === undefined ? [] : [[GROUP, snapshot]]));
  }

  /** Opens a stream, as the publisher does for a call. */
  open(call: MemoryCall): void {
    const { registry } = this;
    // Of a call the stream uses what MemoryCall has.
    new ProxyStream(call as unknown as ConfigureCall, {
      expiresAt: Date.now() + HOUR,
      limits: { hello: HOUR, answer: HOUR, claims: 1 },
      log: { info: () => undefined, warn: () => undefined },
      places: undefined,
      claims: { take: () => true, give: () => undefined },
      mayRead: () => true,
      allow: () => ok(undefined),
      join: (group, stream) => registry.join(group, stream),
      onAnswer: () => registry.tell(),
    });
  }
}

interface Link {
  readonly replica: Replica;
  readonly call: MemoryCall;
  readonly receiver: Receiver;
  /** Answers that are not at the controller yet. */
  readonly answers: Uint8Array[];
  isOpen: boolean;
  /** Some parts of a change are here, not all. */
  isMidChange: boolean;
}

/** What a proxy stands on. */
export interface ProxyOptions {
  readonly name: string;
  /** Why a configuration cannot be applied; empty where it can. */
  readonly judge: (snapshot: Snapshot) => readonly string[];
  /** A configuration is in force. */
  readonly onApplied: (held: VersionedSnapshot) => void;
}

/** What happened to a proxy, counted. */
export interface Counts {
  applied: number;
  refused: number;
  flawed: number;
  partial: number;
  /** Streams that broke between two parts of a change. */
  cutMidChange: number;
  /** Streams that broke while a change was tried. */
  cutTrying: number;
  /** Answers that got lost. */
  lostAnswers: number;
}

/** A proxy: the order of what it does is that of a session (gateway/src/remote/session.ts). */
export class SimulatedProxy {
  readonly counts: Counts = {
    ...{ applied: 0, refused: 0, flawed: 0, partial: 0 },
    ...{ cutMidChange: 0, cutTrying: 0, lostAnswers: 0 },
  };
  readonly #options: ProxyOptions;
  #held = NOTHING;
  #link: Link | undefined;
  /** A change that is being tried: nothing is read until that is over. */
  #trying: { readonly link: Link; readonly step: Extract<Step, { kind: "candidate" }> } | undefined;

  constructor(options: ProxyOptions) {
    this.#options = options;
  }

  /** What it serves. */
  get held(): VersionedSnapshot {
    return this.#held;
  }

  get replica(): Replica | undefined {
    return this.#link?.replica;
  }

  /** True between two parts of a change. */
  get isMidChange(): boolean {
    return this.#link?.isMidChange === true;
  }

  /** Opens a stream and says what is held, as soon as nothing of the last stream is under way. */
  connect(replica: Replica): boolean {
    if (this.#link !== undefined || this.#trying !== undefined) return false;
    const call = new MemoryCall();
    call.on("error", (error: unknown) => assert.fail(`the controller cuts the stream: ${JSON.stringify(error)}`));
    replica.open(call);
    const receiver = new Receiver(this.#held);
    this.#link = { replica, call, receiver, answers: [], isOpen: true, isMidChange: false };
    const resources = Object.fromEntries(this.#held.versions);
    call.emit(
      "data",
      encodeMessage({ kind: "hello", group: GROUP, proxy: this.#options.name, version: "1", resources }),
    );
    return true;
  }

  /** The connection breaks: what is under way in either direction is lost. */
  cut(): boolean {
    const link = this.#link;
    if (link === undefined) return false;
    this.#link = undefined;
    link.isOpen = false;
    if (link.isMidChange) this.counts.cutMidChange += 1;
    if (this.#trying !== undefined) this.counts.cutTrying += 1;
    this.counts.lostAnswers += link.answers.length;
    link.call.emit("close");
    for (const onWritten of link.call.unwritten) onWritten();
    return true;
  }

  /** The process ends, and another one knows nothing. */
  restart(): boolean {
    this.cut();
    this.#trying = undefined;
    this.#held = NOTHING;
    return true;
  }

  /** The controller learns that its oldest message is written. */
  written(): boolean {
    const onWritten = this.#link?.call.unwritten.shift();
    onWritten?.();
    return onWritten !== undefined;
  }

  /** The proxy reads the next message. */
  read(): boolean {
    const link = this.#link;
    const bytes = this.#trying === undefined ? link?.call.sent.shift() : undefined;
    if (link === undefined || bytes === undefined) return false;
    const message = decodeControllerMessage(bytes);
    assert.ok(message.ok, "the controller says what cannot be understood");
    if (message.value.kind === "place") return true;
    const step = link.receiver.take(message.value);
    link.isMidChange = step.kind === "partial";
    if (step.kind === "broken") assert.fail(`the stream is broken: ${step.reason}`);
    else if (step.kind === "partial") this.counts.partial += 1;
    else if (step.kind === "candidate") this.#trying = { link, step };
    else {
      this.counts.flawed += 1;
      link.answers.push(encodeMessage({ kind: "nack", nonce: step.nonce, problems: [...step.problems] }));
    }
    return true;
  }

  /** What is tried is in force, or refused. */
  finish(): boolean {
    if (this.#trying === undefined) return false;
    const { link, step } = this.#trying;
    this.#trying = undefined;
    const { nonce, candidate } = step;
    const problems = this.#options.judge(candidate.snapshot);
    if (problems.length === 0) {
      link.receiver.commit(candidate);
      this.#held = candidate;
      this.counts.applied += 1;
      this.#options.onApplied(candidate);
    } else this.counts.refused += 1;
    const answer =
      problems.length === 0
        ? encodeMessage({ kind: "ack", nonce })
        : encodeMessage({ kind: "nack", nonce, problems: [...problems] });
    if (link.isOpen) link.answers.push(answer);
    else this.counts.lostAnswers += 1;
    return true;
  }

  /** The controller reads the next answer. */
  answer(): boolean {
    const bytes = this.#link?.answers.shift();
    if (bytes !== undefined) this.#link?.call.emit("data", bytes);
    return bytes !== undefined;
  }
}
