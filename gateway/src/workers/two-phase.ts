/**
 * The configuration in force, and how the next one takes its place. First every worker prepares it (compiles, binds new
 * ports) and says whether it can; then one store of the epoch switches all of them. One "no" and nothing changes anywhere.
 * Operations are done one after the other: applying, and taking a new worker in.
 */
import { setImmediate } from "node:timers/promises";
import { toBindKey } from "@sallyport/model/listener";
import { resourcesOf, diffSnapshots, EMPTY_SNAPSHOT, type Snapshot } from "@sallyport/model/snapshot";
import type { Problem } from "@sallyport/model/problem";
import type { Change, Preparation } from "../engine.ts";
import type { Log } from "../observe/log.ts";
import type { Series } from "../observe/series.ts";
import { toBindProblem } from "./bind-problem.ts";
import type { ApplyResult } from "./contract.ts";
import type { Control } from "./control.ts";
import { MemberGone, type Member } from "./member.ts";
import { probePort } from "./port-probe.ts";

/** What two-phase apply stands on. */
export interface TwoPhaseOptions {
  readonly control: Control;
  readonly series: Series;
  readonly log: Log;
  /** Workers that serve now. */
  readonly members: () => readonly Member[];
  /** `shared`: several workers bind each port, so it is tried exclusively before. */
  readonly ports: "exclusive" | "shared";
}

/** Counts for metrics. */
export interface ApplyCounts {
  applies: number;
  rejects: number;
  /** Milliseconds since 1970. */
  appliedAt: number;
}

/** Holds and replaces the configuration. */
export class TwoPhase {
  readonly counts: ApplyCounts = { applies: 0, rejects: 0, appliedAt: 0 };
  readonly #options: TwoPhaseOptions;
  #snapshot: Snapshot = EMPTY_SNAPSHOT;
  #ports: ReadonlyMap<string, number> = new Map();
  /** Of the last attempt; attempts that failed use up their number. */
  #attempt = 0;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: TwoPhaseOptions) {
    this.#options = options;
  }

  /** The configuration in force. */
  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Bound ports by bind key. */
  get ports(): ReadonlyMap<string, number> {
    return this.#ports;
  }

  /** Puts a configuration in force, or says why not. */
  apply(snapshot: Snapshot): Promise<ApplyResult> {
    return this.#enqueue(() => this.#apply(snapshot));
  }

  /**
   * Gives a new worker the configuration in force and then calls `onJoined`, from which on it is among the members; rejects
   * where it cannot take it.
   */
  join(member: Member, onJoined: () => void): Promise<void> {
    return this.#enqueue(async () => {
      const { control, series } = this.#options;
      if (control.epoch === 0) return onJoined();
      const delta = diffSnapshots(EMPTY_SNAPSHOT, this.#snapshot);
      const { problems } = await member.prepare({
        epoch: control.epoch,
        delta,
        ports: [...this.#ports],
        blocks: series.blocks(),
      });
      if (problems.length > 0) throw new Error(problems.map((problem) => problem.message).join("; "));
      await member.settle("activate");
      onJoined();
      return undefined;
    });
  }

  #enqueue<T>(operation: () => Promise<T>): Promise<T> {
    // A turn of the loop between two operations: changes that come without end must not keep out traffic.
    const done = this.#queue.then(() => setImmediate()).then(operation);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  async #apply(snapshot: Snapshot): Promise<ApplyResult> {
    const { control, series } = this.#options;
    const delta = diffSnapshots(this.#snapshot, snapshot);
    if (control.epoch > 0 && delta.upserted.length === 0 && delta.removed.length === 0) return this.#toResult(true, []);
    const probed = await this.#probe(snapshot);
    if (probed.problems.length > 0) return this.#reject(probed.problems);
    this.#attempt++;
    const blocks = series.reserve(snapshot);
    const outcomes = await this.#prepare({ epoch: this.#attempt, delta, ports: probed.ports, blocks });
    const problems = toDistinct(outcomes.flatMap((outcome) => outcome.problems));
    if (problems.length > 0) {
      await this.#settle("discard");
      return this.#reject(problems);
    }
    control.epoch = this.#attempt;
    this.#snapshot = snapshot;
    this.counts.applies++;
    this.counts.appliedAt = Date.now();
    series.retain(snapshot);
    this.#ports = toServedPorts(snapshot, [...probed.ports, ...outcomes.flatMap((outcome) => outcome.ports)]);
    await this.#settle("activate");
    return this.#toResult(true, []);
  }

  /** All that live answer; who dies meanwhile is replaced and joins with what is in force then. */
  async #prepare(change: Change): Promise<readonly Preparation[]> {
    const answers = this.#options.members().map(async (member): Promise<Preparation | undefined> => {
      try {
        return await member.prepare(change);
      } catch (error) {
        if (error instanceof MemberGone) return undefined;
        this.#options.log.error("a configuration broke the compiler", { error });
        return { problems: [toBugProblem(error)], ports: [] };
      }
    });
    return (await Promise.all(answers)).filter((answer) => answer !== undefined);
  }

  async #settle(outcome: "activate" | "discard"): Promise<void> {
    const settled = this.#options.members().map(async (member) => {
      try {
        await member.settle(outcome);
      } catch (error) {
        if (!(error instanceof MemberGone)) this.#options.log.error("a worker cannot settle", { error });
      }
    });
    await Promise.all(settled);
  }

  /** Tries binds that are new; a port 0 gets a number all workers can share. */
  async #probe(snapshot: Snapshot): Promise<{ readonly problems: Problem[]; readonly ports: [string, number][] }> {
    const ports: [string, number][] = [];
    const problems: Problem[] = [];
    if (this.#options.ports === "exclusive") return { problems, ports };
    const seen = new Set(this.#ports.keys());
    for (const listener of resourcesOf(snapshot, "listener")) {
      const { address, port } = listener.bind;
      const key = toBindKey(listener);
      if (seen.has(key)) continue;
      seen.add(key);
      try {
        ports.push([key, await probePort(listener.protocol === "udp" ? "datagram" : "stream", address, port)]);
      } catch (error) {
        problems.push(toBindProblem(error, { address, port, listener }));
      }
    }
    return { problems, ports };
  }

  #reject(problems: readonly Problem[]): ApplyResult {
    this.counts.rejects++;
    this.#options.series.retain(this.#snapshot);
    return this.#toResult(false, problems);
  }

  #toResult(applied: boolean, problems: readonly Problem[]): ApplyResult {
    return { applied, epoch: this.#options.control.epoch, problems };
  }
}

/** The same port is bound by every worker, and the same error found by each. */
function toDistinct(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

function toServedPorts(snapshot: Snapshot, ports: readonly (readonly [string, number])[]): ReadonlyMap<string, number> {
  const served = new Set(resourcesOf(snapshot, "listener").map(toBindKey));
  return new Map(ports.filter(([key]) => served.has(key)));
}

function toBugProblem(error: unknown): Problem {
  return {
    code: "not-served",
    severity: "error",
    message: `the configuration cannot be compiled: ${error instanceof Error ? error.message : String(error)}`,
    hint: "this is a bug of the gateway; please report it with the stack in the log",
  };
}
