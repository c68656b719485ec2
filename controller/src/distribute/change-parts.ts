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
  cluster: 3,
  listener: 4,
  "http-route": 5,
  "stream-route": 6,
};

/** Bytes of a message besides its entries. */
const FRAME = 128;

/** The messages of a change, in order; at least one. */
export function* toChangeParts(
  nonce: ChangePart["nonce"],
  { resources, versions }: VersionedSlice,
  { upserted, removed }: Difference,
): Generator<Uint8Array, void> {
  const part = new PartText(nonce);
  for (const id of sort(upserted, resources)) {
    const resource = resources.get(id);
    if (resource === undefined) continue;
    const entry = `{"version":${JSON.stringify(versions.get(id))},"resource":${JSON.stringify(resource)}}`;
    if (part.isFullWith(entry)) yield part.take("more");
    part.upserted.push(entry);
  }
  for (const id of removed) {
    const entry = JSON.stringify(id);
    if (part.isFullWith(entry)) yield part.take("more");
    part.removed.push(entry);
  }
  yield part.take("last");
}

function sort(ids: readonly string[], resources: VersionedSlice["resources"]): readonly string[] {
  const rank = (id: string): number => RANKS[resources.get(id)?.kind ?? "endpoints"];
  return ids.toSorted((left, right) => rank(left) - rank(right));
}

class PartText {
  readonly #nonce: number;
  #bytes = FRAME;
  upserted: string[] = [];
  removed: string[] = [];

  constructor(nonce: number) {
    this.#nonce = nonce;
  }

  /** True where the part must go before this entry; else the entry is counted as being in it. */
  isFullWith(entry: string): boolean {
    const bytes = Buffer.byteLength(entry) + 1;
    const isFull = this.#bytes > FRAME && this.#bytes + bytes > PART_BYTES;
    this.#bytes = (isFull ? FRAME : this.#bytes) + bytes;
    return isFull;
  }

  take(rest: "more" | "last"): Uint8Array {
    const head = `{"kind":"change","nonce":${this.#nonce},"more":${rest === "more"}`;
    const text = `${head},"upserted":[${this.upserted.join(",")}],"removed":[${this.removed.join(",")}]}`;
    this.upserted = [];
    this.removed = [];
    return Buffer.from(text);
  }
}
