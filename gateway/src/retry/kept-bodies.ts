/**
 * How much of request bodies a worker keeps, for two purposes that have room of their own: to send them once more (`retry`), and to have
 * them complete before they go upstream (`whole`). What fills one takes nothing from the other.
 *
 * Nobody can take a room for himself. A namespace may hold as much as is then left free beside it, and one route of it half as much
 * (dynamic thresholds: Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2), 1998). So who is alone has much, and whoever
 * comes later finds some; it costs two comparisons, however many there are. What was given is not taken back: who holds more than
 * his share when others come gets no more.
 */
import type { BodyPurpose } from "../observe/contract.ts";

/** How large rooms are. */
export interface RoomSizes {
  /** Bytes of all bodies. */
  readonly size: number;
  /** Bytes of one body. */
  readonly most: number;
}

const MEBIBYTE = 1_048_576;
const RETRY: RoomSizes = { size: 16 * MEBIBYTE, most: 16_384 };
const WHOLE = 32 * MEBIBYTE;

/** The rooms of one worker. */
export class KeptBodies {
  readonly retry: BodyRoom;
  readonly whole: BodyRoom;

  /** Bytes of all bodies of a purpose. */
  constructor({ retry = RETRY.size, whole = WHOLE }: Partial<Record<BodyPurpose, number>> = {}) {
    this.retry = new BodyRoom("retry", { ...RETRY, size: retry });
    // alone, a route has room for no more
    this.whole = new BodyRoom("whole", { size: whole, most: Math.floor(whole / 3) });
  }

  /** Bytes kept now. */
  get bytes(): number {
    return this.retry.held + this.whole.held;
  }
}

/** Who shares a room: a route, or the namespace that it is in. */
export interface Share {
  readonly key: string;
  readonly namespace: Share | undefined;
  /** Bytes. */
  held: number;
  /** Bodies of a route; routes of a namespace. */
  members: number;
}

/** Routes that hold nothing and are remembered all the same, so that not every body makes its route known anew. */
const IDLE_ROUTES = 256;
/** Milliseconds between two lines in the log about one room. */
const SILENCE = 10_000;

/** The room for one purpose. */
export class BodyRoom {
  readonly purpose: BodyPurpose;
  readonly #sizes: RoomSizes;
  readonly #routes = new Map<string, Share>();
  readonly #namespaces = new Map<string, Share>();
  #held = 0;
  #refused = 0;
  #saidAt = -Infinity;

  constructor(purpose: BodyPurpose, sizes: RoomSizes) {
    this.purpose = purpose;
    this.#sizes = sizes;
  }

  /** Bytes of all bodies. */
  get held(): number {
    return this.#held;
  }

  /** Bytes that there are for all bodies. */
  get size(): number {
    return this.#sizes.size;
  }

  /** Who has a share now, or had one. */
  get shares(): { readonly routes: Iterable<Share>; readonly namespaces: Iterable<Share> } {
    return { routes: this.#routes.values(), namespaces: this.#namespaces.values() };
  }

  /** Bytes that one body can have. */
  get most(): number {
    return this.#sizes.most;
  }

  /** Whether a body of so many bytes can be kept at all. */
  fits(bytes: number): boolean {
    return bytes <= this.#sizes.most;
  }

  /** Begins a body of a route (`kind/namespace/name`); it has no bytes yet, and must be closed. */
  open(routeKey: string): KeptBody {
    const route = this.#routes.get(routeKey) ?? this.#meet(routeKey);
    route.members++;
    return new KeptBody(this, route);
  }

  /** Whether more bytes of a route have room. */
  hasRoom({ held, namespace }: Share, more: number): boolean {
    const free = this.#sizes.size - this.#held - more;
    return 2 * (held + more) <= free && (namespace?.held ?? 0) + more <= free;
  }

  /** Counts bytes of a route that are kept, or (below zero) not any more. */
  count(route: Share, change: number): void {
    this.#held += change;
    route.held += change;
    if (route.namespace !== undefined) route.namespace.held += change;
  }

  /** A body of the route is over, and its bytes are counted off. */
  leave(route: Share): void {
    route.members--;
    if (route.members === 0 && this.#routes.size > IDLE_ROUTES) this.#forget(route);
  }

  /** A body had no room. How many had none since that was said last, this one among them; 0: it was said a moment ago. */
  refuse(now: number): number {
    this.#refused++;
    if (now - this.#saidAt < SILENCE) return 0;
    const refused = this.#refused;
    this.#refused = 0;
    this.#saidAt = now;
    return refused;
  }

  /** The route that holds most. */
  findLargest(): Share | undefined {
    let largest: Share | undefined;
    for (const route of this.#routes.values()) if (route.held > (largest?.held ?? 0)) largest = route;
    return largest;
  }

  #meet(routeKey: string): Share {
    const [, key = ""] = routeKey.split("/", 2);
    const namespace = this.#namespaces.get(key) ?? { key, namespace: undefined, held: 0, members: 0 };
    this.#namespaces.set(key, namespace);
    namespace.members++;
    const route: Share = { key: routeKey, namespace, held: 0, members: 0 };
    this.#routes.set(routeKey, route);
    return route;
  }

  #forget({ key, namespace }: Share): void {
    this.#routes.delete(key);
    if (namespace !== undefined && --namespace.members === 0) this.#namespaces.delete(namespace.key);
  }
}

/** One body that is kept: it gives back what it took, once. */
export class KeptBody {
  readonly room: BodyRoom;
  readonly route: Share;
  #bytes = 0;
  #closed = false;

  constructor(room: BodyRoom, route: Share) {
    this.room = room;
    this.route = route;
  }

  /** Takes room for more bytes; false where there is none. */
  take(more: number): boolean {
    if (this.#closed || !this.room.hasRoom(this.route, more)) return false;
    this.room.count(this.route, more);
    this.#bytes += more;
    return true;
  }

  /** Gives its room back, and says how many bytes that is. */
  close(): number {
    if (this.#closed) return 0;
    this.#closed = true;
    this.room.count(this.route, -this.#bytes);
    this.room.leave(this.route);
    return this.#bytes;
  }
}
