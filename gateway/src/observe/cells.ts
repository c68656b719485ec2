/**
 * Metric cells in shared memory. Every worker has a stripe of its own and is the only one that writes it, so a count costs
 * one plain addition; readers sum the stripes. A stripe is laid out once for the life of the process: globals, then one
 * block per listener, route and cluster. Memory that was never written is never backed by pages, so caps may be generous.
 *
 * A worker that replaces a dead one takes over its stripe and counts on from there: counters never go down. Gauges of a
 * dead worker are cleared (clearGauges). A block that is given to another name starts from zero for readers without anyone
 * writing into a foreign stripe: the reader's side remembers what to take off (forget).
 */
import type { ResponseFlag } from "@sallyport/model/fault";
import { invariant } from "@sallyport/model/result";
import type { BodyPurpose, HandshakeOutcome, LimitName, RetryEvent, StreamRecord } from "./contract.ts";

/** How many blocks of each kind there are. Block 0 of a kind is shared by all names beyond the cap. */
export interface CellShape {
  readonly stripes: number;
  readonly listeners: number;
  readonly routes: number;
  readonly clusters: number;
}

/** Offsets of the cells that exist once per stripe. */
export const GLOBAL = {
  connectSuccess: 0,
  connectFailure: 1,
  connectTimeout: 2,
  reuse: 3,
  logLines: 4,
  logDropped: 5,
  upstreamActive: 6,
  upstreamPending: 7,
  /** Seconds the last heartbeat came late, and the share of time the loop was busy. */
  loopLag: 8,
  loopBusy: 9,
  /** Bytes of JavaScript heap in use. */
  heapUsed: 10,
  /** Connections closed at once because there were too many. */
  refused: 11,
  /** A cell per event of retries. */
  retries: 12,
  /** A cell per limit of clusters: how often it was met, and on how many clusters it is reached now. */
  overflows: 16,
  breakersOpen: 20,
  /** A cell per purpose: bytes of request bodies that are kept now, and bodies that there was no room for. */
  bodyBytes: 24,
  bodiesRefused: 26,
  /** Addresses in answers of DNS that were left out. */
  addressesLeftOut: 28,
} as const;
/** Every purpose of kept bodies, in the order of its cells. */
export const BODY_PURPOSES = ["retry", "whole"] as const satisfies readonly BodyPurpose[];
/** Every limit of clusters, in the order of its cells. */
export const LIMIT_NAMES = ["connections", "pending", "requests", "retries"] as const satisfies readonly LimitName[];

const GLOBAL_GAUGES = [
  GLOBAL.upstreamActive,
  GLOBAL.upstreamPending,
  GLOBAL.loopLag,
  GLOBAL.loopBusy,
  GLOBAL.heapUsed,
  ...LIMIT_NAMES.map((_, index) => GLOBAL.breakersOpen + index),
  ...BODY_PURPOSES.map((_, index) => GLOBAL.bodyBytes + index),
] as const;
const GLOBAL_SIZE = 29;

/** Every event of retries, in the order of its cells. */
export const RETRY_EVENTS = ["made", "success", "exhausted", "overflow"] as const satisfies readonly RetryEvent[];

/** Every response flag, in the order of its cells. */
export const FLAGS = [
  "-",
  "DC",
  "DPE",
  "NR",
  "NC",
  "UH",
  "UO",
  "UF",
  "URX",
  "UC",
  "UR",
  "UPE",
  "UT",
  "SI",
  "DI",
  "FI",
  "OM",
  "DF",
  "LR",
  "DT",
] as const satisfies readonly ResponseFlag[];
/** Fails to compile where FLAGS misses one. */
type MissingFlag = Exclude<ResponseFlag, (typeof FLAGS)[number]>;
const ALL_FLAGS_HAVE_CELLS: MissingFlag extends never ? true : never = true;
invariant(ALL_FLAGS_HAVE_CELLS, "every response flag has a cell");

/** Status classes in the order of their cells; the first is for exchanges that sent no status. */
export const CLASSES = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"] as const;

/** Upper bounds of the duration histogram, in milliseconds; one more bucket takes the rest. */
export const BUCKETS = [
  0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000,
] as const;

/** How TLS handshakes end, in the order of their cells. */
export const HANDSHAKES = ["full", "resumed", "failed", "refused"] as const satisfies readonly HandshakeOutcome[];

/** What is passed on as bytes, in the order of its cells. */
export const PROTOCOLS = ["TCP", "TLS", "UDP"] as const satisfies readonly StreamRecord["protocol"][];

const REQUEST_CELLS = CLASSES.length * FLAGS.length;
const STREAM_CELLS = PROTOCOLS.length * FLAGS.length;
const FIRST_STREAM = REQUEST_CELLS + BUCKETS.length + 6 + HANDSHAKES.length;
/** Offsets inside a listener's block. `requests` holds a cell per class and flag, class by class. */
export const LISTENER = {
  requests: 0,
  buckets: REQUEST_CELLS,
  /** Milliseconds. */
  durationSum: REQUEST_CELLS + BUCKETS.length + 1,
  bytesReceived: REQUEST_CELLS + BUCKETS.length + 2,
  bytesSent: REQUEST_CELLS + BUCKETS.length + 3,
  connections: REQUEST_CELLS + BUCKETS.length + 4,
  connectionsActive: REQUEST_CELLS + BUCKETS.length + 5,
  /** A cell per outcome. */
  handshakes: REQUEST_CELLS + BUCKETS.length + 6,
  /** A cell per protocol and flag, protocol by protocol: connections and sessions that were passed on and are over. */
  streams: FIRST_STREAM,
  /** Milliseconds. */
  streamDurationSum: FIRST_STREAM + STREAM_CELLS,
  streamBytesReceived: FIRST_STREAM + STREAM_CELLS + 1,
  streamBytesSent: FIRST_STREAM + STREAM_CELLS + 2,
  datagramsReceived: FIRST_STREAM + STREAM_CELLS + 3,
  datagramsSent: FIRST_STREAM + STREAM_CELLS + 4,
  connectionsLimited: FIRST_STREAM + STREAM_CELLS + 5,
} as const;
const LISTENER_SIZE = FIRST_STREAM + STREAM_CELLS + 6;

/** Offsets inside the block of a route or cluster. */
export const NAMED = {
  /** A cell per class. */
  requests: 0,
  /** Milliseconds. */
  durationSum: CLASSES.length,
} as const;
const NAMED_SIZE = CLASSES.length + 1;

/** Which blocks a cell belongs to. */
export type BlockKind = "listeners" | "routes" | "clusters";

/** The cells of all workers, as their owner sees them. */
export class Cells {
  readonly buffer: SharedArrayBuffer;
  readonly shape: CellShape;
  readonly #all: Float64Array<SharedArrayBuffer>;
  readonly #stripeLength: number;
  /** What readers take off each cell. */
  readonly #forgotten = new Map<number, number>();

  /** New cells, all zero, or a view of those in `buffer`, which must have been made with the same shape. */
  constructor(shape: CellShape, buffer?: SharedArrayBuffer) {
    this.shape = shape;
    this.#stripeLength = toStripeLength(shape);
    const bytes = this.#stripeLength * shape.stripes * Float64Array.BYTES_PER_ELEMENT;
    this.buffer = buffer ?? new SharedArrayBuffer(bytes);
    invariant(this.buffer.byteLength === bytes, "cells are attached with the shape they were made with");
    this.#all = new Float64Array(this.buffer);
  }

  /** The stripe of one worker: the only cells it may write. */
  stripe(worker: number): Float64Array<SharedArrayBuffer> {
    const start = worker * this.#stripeLength;
    return this.#all.subarray(start, start + this.#stripeLength);
  }

  /** Where a block begins in every stripe. */
  blockStart(kind: BlockKind, block: number): number {
    return toBlockStart(this.shape, kind, block);
  }

  /** What a cell holds over all workers. */
  sum(cell: number): number {
    let sum = -(this.#forgotten.get(cell) ?? 0);
    for (let at = cell; at < this.#all.length; at += this.#stripeLength) sum += this.#all[at] ?? 0;
    return sum;
  }

  /** As sum, for gauges: a decrement that came after a block changed its name must not show. */
  gauge(cell: number): number {
    return Math.max(0, this.sum(cell));
  }

  /** What one worker's stripe holds. */
  of(worker: number, cell: number): number {
    return this.#all[worker * this.#stripeLength + cell] ?? 0;
  }

  /** Makes a block read as zero from here on, for its next name. */
  forget(kind: BlockKind, block: number): void {
    const start = this.blockStart(kind, block);
    const size = kind === "listeners" ? LISTENER_SIZE : NAMED_SIZE;
    for (let cell = start; cell < start + size; cell++) {
      const sum = this.sum(cell);
      if (sum !== 0) this.#forgotten.set(cell, (this.#forgotten.get(cell) ?? 0) + sum);
    }
  }

  /** Clears what a dead worker was in the middle of. Only once it is certain to write no more. */
  clearGauges(worker: number): void {
    const stripe = this.stripe(worker);
    for (const cell of GLOBAL_GAUGES) stripe[cell] = 0;
    for (let block = 0; block < this.shape.listeners; block++) {
      const cell = this.blockStart("listeners", block) + LISTENER.connectionsActive;
      // Reading first keeps blocks that were never used without memory behind them.
      if (stripe[cell] !== 0) stripe[cell] = 0;
    }
  }
}

/** Where a block begins in a stripe of that shape. */
function toBlockStart(shape: CellShape, kind: BlockKind, block: number): number {
  if (kind === "listeners") return GLOBAL_SIZE + block * LISTENER_SIZE;
  const routes = GLOBAL_SIZE + shape.listeners * LISTENER_SIZE;
  if (kind === "routes") return routes + block * NAMED_SIZE;
  return routes + shape.routes * NAMED_SIZE + block * NAMED_SIZE;
}

/** Index into CLASSES of a status; 0 where there was none. */
export function toClassIndex(status: number): number {
  return status < 100 || status > 599 ? 0 : (status / 100) | 0;
}

/** The cell of an event of retries. */
export function toRetryCell(event: RetryEvent): number {
  return GLOBAL.retries + RETRY_EVENTS.indexOf(event);
}

/** The cell of a purpose of kept bodies, in `bodyBytes` or `bodiesRefused`. */
export function toBodyCell(of: "bodyBytes" | "bodiesRefused", purpose: BodyPurpose): number {
  return GLOBAL[of] + BODY_PURPOSES.indexOf(purpose);
}

/** The cell of a limit of clusters, in `overflows` or `breakersOpen`. */
export function toLimitCell(of: "overflows" | "breakersOpen", limit: LimitName): number {
  return GLOBAL[of] + LIMIT_NAMES.indexOf(limit);
}

/** A whole number of cache lines, so that no two workers write to one. */
function toStripeLength(shape: CellShape): number {
  const end = toBlockStart(shape, "clusters", shape.clusters);
  return Math.ceil(end / 8) * 8;
}
