/** Cuts a change into messages. They are made one by one as the proxy takes them, and each resource is written as JSON once. */
import { type ChangePart, PART_BYTES } from "@sallyport/model/distribution";
import type { ResourceKind } from "@sallyport/model/snapshot";
import type { VersionedSlice } from "./versioned-slice.ts";

/** What is different, by id. */
export interface Difference {
  readonly upserted: readonly string[];
  readonly removed: readonly string[];
}

/** What others refer to comes first. */
const RANKS: Readonly<Record<ResourceKind, number>> = {
  endpoints: 0,
  secret: 1,
  authorities: 2,
  page: 2,
  cluster: 3,
  listener: 4,
  "http-route": 5,
  "stream-route": 6,
};

/** Bytes of a message besides its entries. */
const FRAME = 128;

/** The messages of a change, in order; at least one. What proxies are sent that lack the same is written once for all of them. */
export function* toChangeParts(
  nonce: ChangePart["nonce"],
  slice: VersionedSlice,
  difference: Difference,
): Generator<Uint8Array, void> {
  const bodies = recallBodies(slice, difference);
  for (let index = 0; ; index++) {
    const { bytes, rest } = bodies.at(index);
    const head = `{"kind":"change","nonce":${nonce},"more":${rest === "more"}`;
    yield Buffer.concat([Buffer.from(head), bytes]);
    if (rest === "last") return;
  }
}

/** A message without what is the proxy's own. */
interface Body {
  readonly bytes: Uint8Array;
  readonly rest: "more" | "last";
}

/** Kept as long as some proxy is being sent them. */
const known = new WeakMap<Difference, WeakRef<Bodies>>();

function recallBodies(slice: VersionedSlice, difference: Difference): Bodies {
  const found = known.get(difference)?.deref();
  if (found !== undefined) return found;
  const bodies = new Bodies(writeBodies(slice, difference));
  known.set(difference, new WeakRef(bodies));
  return bodies;
}

/** Written when the first proxy comes to them. */
class Bodies {
  readonly #written: Body[] = [];
  readonly #rest: Iterator<Body, Body>;

  constructor(rest: Iterator<Body, Body>) {
    this.#rest = rest;
  }

  /** Nobody asks beyond the last one. */
  at(index: number): Body {
    const found = this.#written[index] ?? this.#rest.next().value;
    this.#written[index] = found;
    return found;
  }
}

function* writeBodies(
  { resources, versions }: VersionedSlice,
  { upserted, removed }: Difference,
): Generator<Body, Body> {
  const part = new PartText();
  for (const id of sort(upserted, resources)) {
    const resource = resources.get(id);
    if (resource === undefined) continue;
    const entry = `{"version":${JSON.stringify(versions.get(id))},"resource":${JSON.stringify(resource)}}`;
    if (part.isFullWith(entry)) yield { bytes: part.take(), rest: "more" };
    part.upserted.push(entry);
  }
  for (const id of removed) {
    const entry = JSON.stringify(id);
    if (part.isFullWith(entry)) yield { bytes: part.take(), rest: "more" };
    part.removed.push(entry);
  }
  return { bytes: part.take(), rest: "last" };
}

function sort(ids: readonly string[], resources: VersionedSlice["resources"]): readonly string[] {
  const rank = (id: string): number => RANKS[resources.get(id)?.kind ?? "endpoints"];
  return ids.toSorted((left, right) => rank(left) - rank(right));
}

class PartText {
  #bytes = FRAME;
  upserted: string[] = [];
  removed: string[] = [];

  /** True where the part must go before this entry; else the entry is counted as being in it. */
  isFullWith(entry: string): boolean {
    const bytes = Buffer.byteLength(entry) + 1;
    const isFull = this.#bytes > FRAME && this.#bytes + bytes > PART_BYTES;
    this.#bytes = (isFull ? FRAME : this.#bytes) + bytes;
    return isFull;
  }

  take(): Uint8Array {
    const text = `,"upserted":[${this.upserted.join(",")}],"removed":[${this.removed.join(",")}]}`;
    this.upserted = [];
    this.removed = [];
    return Buffer.from(text);
  }
}
