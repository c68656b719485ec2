/**
 * The recorder of a worker: adds what happens on the data path to the worker's stripe of metric cells and hands finished
 * exchanges to the access log. Runs once per exchange, so it does additions and nothing else.
 */
import type { ResponseFlag } from "@sallyport/model/fault";
import {
  BUCKETS,
  FLAGS,
  GLOBAL,
  HANDSHAKES,
  LISTENER,
  NAMED,
  PROTOCOLS,
  toBodyCell,
  toClassIndex,
  toLimitCell,
  toRetryCell,
} from "./cells.ts";
import type { Cells } from "./cells.ts";
import { toLoggedStream, type LoggedRecord } from "./logged-record.ts";
import type {
  BodyPurpose,
  ExchangeRecord,
  HandshakeOutcome,
  LimitName,
  Recorder,
  RetryEvent,
  StreamRecord,
} from "./contract.ts";

/** What a recorder writes to. */
export interface RecorderOptions {
  readonly cells: Cells;
  readonly worker: number;
  /** Block of a route or cluster by name; absent where that label is off. */
  readonly routeBlock?: (name: string) => number;
  readonly clusterBlock?: (name: string) => number;
  /** Takes every finished exchange, and all that was passed on, besides the cells; the access log. */
  readonly onExchange?: (record: LoggedRecord) => void;
}

/** Writes into one stripe. */
export class CellRecorder implements Recorder {
  readonly #stripe: Float64Array;
  readonly #listeners: number;
  readonly #listenerSize: number;
  readonly #options: RecorderOptions;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#stripe = options.cells.stripe(options.worker);
    this.#listeners = options.cells.blockStart("listeners", 0);
    this.#listenerSize = options.cells.blockStart("listeners", 1) - this.#listeners;
  }

  exchange(record: ExchangeRecord): void {
    const block = this.#listeners + record.listenerMetrics * this.#listenerSize;
    const duration = record.endedAt - record.startedAt;
    const statusClass = toClassIndex(record.status);
    this.#add(block + LISTENER.requests + statusClass * FLAGS.length + toFlagIndex(record.flag), 1);
    this.#add(block + LISTENER.buckets + toBucket(duration), 1);
    this.#add(block + LISTENER.durationSum, duration);
    this.#add(block + LISTENER.bytesReceived, record.bytesReceived);
    this.#add(block + LISTENER.bytesSent, record.bytesSent);
    const { routeBlock, clusterBlock, onExchange, cells } = this.#options;
    if (routeBlock !== undefined)
      this.#named(cells.blockStart("routes", routeBlock(record.routeName)), statusClass, duration);
    if (clusterBlock !== undefined)
      this.#named(cells.blockStart("clusters", clusterBlock(record.upstreamCluster)), statusClass, duration);
    if (onExchange !== undefined) onExchange(record);
  }

  stream(record: StreamRecord): void {
    const block = this.#listeners + record.listenerMetrics * this.#listenerSize;
    const protocol = PROTOCOLS.indexOf(record.protocol);
    this.#add(block + LISTENER.streams + protocol * FLAGS.length + toFlagIndex(record.flag), 1);
    this.#add(block + LISTENER.streamDurationSum, record.endedAt - record.startedAt);
    this.#add(block + LISTENER.streamBytesReceived, record.bytesReceived);
    this.#add(block + LISTENER.streamBytesSent, record.bytesSent);
    this.#add(block + LISTENER.datagramsReceived, record.datagramsReceived);
    this.#add(block + LISTENER.datagramsSent, record.datagramsSent);
    this.#options.onExchange?.(toLoggedStream(record));
  }

  handshake(listenerMetrics: number, outcome: HandshakeOutcome): void {
    const block = this.#listeners + listenerMetrics * this.#listenerSize;
    this.#add(block + LISTENER.handshakes + HANDSHAKES.indexOf(outcome), 1);
  }

  connectionOpened(listenerMetrics: number): void {
    const block = this.#listeners + listenerMetrics * this.#listenerSize;
    this.#add(block + LISTENER.connections, 1);
    this.#add(block + LISTENER.connectionsActive, 1);
  }

  connectionClosed(listenerMetrics: number): void {
    this.#add(this.#listeners + listenerMetrics * this.#listenerSize + LISTENER.connectionsActive, -1);
  }

  connectionLimited(listenerMetrics: number): void {
    this.#add(this.#listeners + listenerMetrics * this.#listenerSize + LISTENER.connectionsLimited, 1);
  }

  upstreamConnect(outcome: "success" | "failure" | "timeout"): void {
    if (outcome === "success") {
      this.#add(GLOBAL.connectSuccess, 1);
      this.#add(GLOBAL.upstreamActive, 1);
    } else {
      this.#add(outcome === "failure" ? GLOBAL.connectFailure : GLOBAL.connectTimeout, 1);
    }
  }

  upstreamReuse(): void {
    this.#add(GLOBAL.reuse, 1);
  }

  upstreamClosed(): void {
    this.#add(GLOBAL.upstreamActive, -1);
  }

  upstreamRetry(event: RetryEvent): void {
    this.#add(toRetryCell(event), 1);
  }

  bodyKept(purpose: BodyPurpose, change: number): void {
    this.#add(toBodyCell("bodyBytes", purpose), change);
  }

  bodyRefused(purpose: BodyPurpose): void {
    this.#add(toBodyCell("bodiesRefused", purpose), 1);
  }

  upstreamAddressesLeftOut(count: number): void {
    this.#add(GLOBAL.addressesLeftOut, count);
  }

  upstreamOverflow(limit: LimitName): void {
    this.#add(toLimitCell("overflows", limit), 1);
  }

  upstreamBreaker(limit: LimitName, change: 1 | -1): void {
    this.#add(toLimitCell("breakersOpen", limit), change);
  }

  upstreamPending(change: 1 | -1): void {
    this.#add(GLOBAL.upstreamPending, change);
  }

  #named(block: number, statusClass: number, duration: number): void {
    this.#add(block + NAMED.requests + statusClass, 1);
    this.#add(block + NAMED.durationSum, duration);
  }

  #add(cell: number, amount: number): void {
    this.#stripe[cell] = (this.#stripe[cell] ?? 0) + amount;
  }
}

const FLAG_INDEX: ReadonlyMap<ResponseFlag, number> = new Map(FLAGS.map((flag, index) => [flag, index]));

/** Index into FLAGS. */
function toFlagIndex(flag: ResponseFlag): number {
  return flag === "-" ? 0 : (FLAG_INDEX.get(flag) ?? 0);
}

/** Most exchanges are over within milliseconds, so counting up from the smallest bucket ends early. */
function toBucket(duration: number): number {
  let bucket = 0;
  while (bucket < BUCKETS.length && duration > (BUCKETS[bucket] ?? 0)) bucket++;
  return bucket;
}
