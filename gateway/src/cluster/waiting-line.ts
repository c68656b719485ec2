/** Requests that wait for a connection: first come, first served; one that gives up leaves at once, wherever it stands. */

/** A place in line. */
export interface Place<Request> {
  readonly request: Request;
  readonly fresh: boolean;
  readonly ahead: Place<Request> | undefined;
  readonly behind: Place<Request> | undefined;
}

interface OpenPlace<Request> extends Place<Request> {
  ahead: OpenPlace<Request> | undefined;
  behind: OpenPlace<Request> | undefined;
}

/** A line of a cluster. */
export class WaitingLine<Request extends object> {
  readonly #places = new Map<object, OpenPlace<Request>>();
  readonly #onChange: (change: 1 | -1) => void;
  #first: OpenPlace<Request> | undefined;
  #last: OpenPlace<Request> | undefined;

  /** `onChange` is told of every request that joins or leaves. */
  constructor(onChange: (change: 1 | -1) => void) {
    this.#onChange = onChange;
  }

  get length(): number {
    return this.#places.size;
  }

  /** `fresh`: it takes no connection that carried a request before. A request that waits already stays where it is. */
  join(request: Request, fresh: boolean): void {
    if (this.#places.has(request)) return;
    const place: OpenPlace<Request> = { request, fresh, ahead: this.#last, behind: undefined };
    if (this.#last === undefined) this.#first = place;
    else this.#last.behind = place;
    this.#last = place;
    this.#places.set(request, place);
    this.#onChange(1);
  }

  /** Puts it at the head of the line: it was served before all of them, and lost its place. */
  joinFirst(request: Request, fresh: boolean): void {
    if (this.#places.has(request)) return;
    const place: OpenPlace<Request> = { request, fresh, ahead: undefined, behind: this.#first };
    if (this.#first === undefined) this.#last = place;
    else this.#first.ahead = place;
    this.#first = place;
    this.#places.set(request, place);
    this.#onChange(1);
  }

  /** The first in line; undefined where nobody waits. */
  get first(): Place<Request> | undefined {
    return this.#first;
  }

  /** Takes the first out of the line. */
  shift(): Request | undefined {
    const request = this.#first?.request;
    if (request !== undefined) this.leave(request);
    return request;
  }

  /** Takes one out; a no-op for one that does not wait. */
  leave(request: object): void {
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
