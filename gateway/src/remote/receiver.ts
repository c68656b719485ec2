/**
 * Puts changes of the controller together: a state machine without I/O. It holds what is in force by its account, checks every
 * resource as it comes, and makes a candidate of a complete change. What the controller says is believed only as far as it is sound.
 */
import { decodeResource } from "@sallyport/model/decode";
import type { ChangePart } from "@sallyport/model/distribution";
import { formatProblem } from "@sallyport/model/problem";
import { type Resource, type ResourceId, type Snapshot, toResourceId } from "@sallyport/model/snapshot";
import { validateSnapshot } from "@sallyport/model/validate";

/** A configuration with the versions that the controller gave its resources. */
export interface VersionedSnapshot {
  readonly snapshot: Snapshot;
  readonly versions: ReadonlyMap<ResourceId, string>;
}

/** What a part of a change came to. */
export type Step =
  /** More parts follow. */
  | { readonly kind: "partial" }
  /** It can be tried. */
  | { readonly kind: "candidate"; readonly nonce: number; readonly candidate: VersionedSnapshot }
  /** It cannot be; nothing of it is kept. */
  | { readonly kind: "flawed"; readonly nonce: number; readonly problems: readonly string[] }
  /** The controller does not keep to the protocol: the stream is worth nothing any more. */
  | { readonly kind: "broken"; readonly reason: string };

/** Flaws told of one change; the rest is of the same kind as a rule. */
const MOST_PROBLEMS = 10;

interface Collected {
  readonly nonce: number;
  readonly upserted: Map<ResourceId, { readonly version: string; readonly resource: Resource }>;
  readonly removed: Set<string>;
  readonly problems: string[];
}

/** The receiving side of one stream. */
export class Receiver {
  #held: VersionedSnapshot;
  #collected: Collected | undefined;
  #lastNonce = 0;

  constructor(held: VersionedSnapshot) {
    this.#held = held;
  }

  /** Takes the next part. */
  take(part: ChangePart): Step {
    const collected = this.#collected ?? this.#begin(part.nonce);
    if (collected === undefined || collected.nonce !== part.nonce)
      return { kind: "broken", reason: `part of change ${part.nonce} where another was expected` };
    for (const entry of part.upserted) collect(collected, entry);
    for (const id of part.removed) collected.removed.add(id);
    if (part.more) return { kind: "partial" };
    this.#collected = undefined;
    return this.#finish(collected);
  }

  /** The candidate is in force. */
  commit(candidate: VersionedSnapshot): void {
    this.#held = candidate;
  }

  #begin(nonce: number): Collected | undefined {
    if (nonce <= this.#lastNonce) return undefined;
    this.#lastNonce = nonce;
    this.#collected = { nonce, upserted: new Map(), removed: new Set(), problems: [] };
    return this.#collected;
  }

  #finish({ nonce, upserted, removed, problems }: Collected): Step {
    if (problems.length > 0) return { kind: "flawed", nonce, problems };
    const { snapshot: before, versions: known } = this.#held;
    const resources = new Map([...before.resources].filter(([id]) => !removed.has(id)));
    const versions = new Map([...known].filter(([id]) => !removed.has(id)));
    for (const [id, { version, resource }] of upserted) {
      resources.set(id, resource);
      versions.set(id, version);
    }
    const snapshot = { resources };
    const flaws = validateSnapshot(snapshot).slice(0, MOST_PROBLEMS);
    if (flaws.length > 0) return { kind: "flawed", nonce, problems: flaws.map(formatProblem) };
    return { kind: "candidate", nonce, candidate: { snapshot, versions } };
  }
}

function collect({ upserted, problems }: Collected, entry: ChangePart["upserted"][number]): void {
  if (problems.length >= MOST_PROBLEMS) return;
  const decoded = decodeResource(entry.resource);
  if (decoded.ok) upserted.set(toResourceId(decoded.value), { version: entry.version, resource: decoded.value });
  else problems.push(`${nameOf(entry.resource)}: ${decoded.error}`);
}

/** The id that a flawed resource says it has, for people. */
function nameOf(value: unknown): string {
  const { kind, key }: { readonly kind?: unknown; readonly key?: unknown } =
    typeof value === "object" && value !== null ? value : {};
  return `the resource ${String(kind)}|${String(key)}`;
}
