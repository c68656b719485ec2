/** Requests that wait for a connection: first come, first served; one that gives up leaves at once, wherever it stands. */
import type { ConnectionRequest } from "./contract.ts";

interface Place {
  readonly request: ConnectionRequest;
  readonly fresh: boolean;
  ahead: Place | undefined;
  behind: Place | undefined;
}

/** The line of a cluster. */
export class WaitingLine {
  readonly #places = new Map<ConnectionRequest, Place>();
  readonly #onChange: (change: 1 | -1) => void;
  #first: Place | undefined;
  #last: Place | undefined;

  /** `onChange` is told of every request that joins or leaves. */
  constructor(onChange: (change: 1 | -1) => void) {
    this.#onChange = onChange;
  }

  get length(): number {
    return this.#places.size;
  }

  /** `fresh`: it takes no connection that carried a request before. A request that waits already stays where it is. */
  join(request: ConnectionRequest, fresh: boolean): void {
    if (this.#places.has(request)) return;
    const place: Place = { request, fresh, ahead: this.#last, behind: undefined };
    if (this.#last === undefined) this.#first = place;
    else this.#last.behind = place;
    this.#last = place;
    this.#places.set(request, place);
    this.#onChange(1);
  }

  /** As said when the first in line joined; undefined where nobody waits. */
  get firstIsFresh(): boolean | undefined {
    return this.#first?.fresh;
  }

  /** Takes the first out of the line. */
  shift(): ConnectionRequest | undefined {
    const request = this.#first?.request;
    if (request !== undefined) this.leave(request);
    return request;
  }

  /** Takes one out; a no-op for one that does not wait. */
  leave(request: ConnectionRequest): void {
    const place = this.#places.get(request);
    if (place === undefined) return;
    this.#places.delete(request);
    if (place.ahead === undefined) this.#first = place.behind;
    else place.ahead.behind = place.behind;
    if (place.behind === undefined) this.#last = place.ahead;
    else place.behind.ahead = place.ahead;
    this.#onChange(-1);
  }
}
