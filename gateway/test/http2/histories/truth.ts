/** What really happened: what backends were asked and what they said, told apart by names that are in every byte of bodies. */

/** A try as a backend saw it. */
export interface SeenTry {
  readonly number: number;
  readonly backend: string;
  readonly target: string;
  readonly method: string;
  /** Bytes of the body that came; all of it is here. */
  received: number;
  complete: boolean;
  /** What was said of it, head first. */
  status: number;
  length: number;
  trailers: boolean;
  /** The answer was said whole, and nothing that contradicts it before. */
  whole: boolean;
  /** The backend has said that it did nothing with it. */
  disowned: boolean;
}

/** All tries, by number. */
export class Truth {
  readonly tries: SeenTry[] = [];

  begin(backend: string, method: string, target: string): SeenTry {
    const seen: SeenTry = {
      number: this.tries.length,
      backend,
      target,
      method,
      received: 0,
      complete: false,
      status: 0,
      length: 0,
      trailers: false,
      whole: false,
      disowned: false,
    };
    this.tries.push(seen);
    return seen;
  }

  of(target: string): readonly SeenTry[] {
    return this.tries.filter((seen) => seen.target === target);
  }
}

/** What a body with this name holds at [from, to): the name again and again. */
export function pattern(name: string, from: number, to: number): string {
  const skipped = from - (from % name.length);
  return name.repeat(Math.ceil((to - skipped) / name.length)).slice(from - skipped, to - skipped);
}

/** The name of the body of a request, and of the answer to one try. */
export function requestName(target: string): string {
  return `<${target}>`;
}

/** The name of the body of the answer to one try. */
export function answerName({ target, number }: Pick<SeenTry, "target" | "number">): string {
  return `${target}#${number};`;
}
