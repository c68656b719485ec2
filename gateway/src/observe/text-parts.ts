/**
 * Values of log lines in the form they are cheapest to note and to write in. V8 keeps what is cut out of a text, or joined from
 * others, as a reference to them, and takes several times as long to write it as it takes for a text of its own.
 */

/** A stretch of a text that nobody has cut out, [from, to). */
export class TextPart {
  readonly text: string;
  readonly from: number;
  readonly to: number;

  constructor(text: string, from: number, to: number) {
    this.text = text;
    this.from = from;
    this.to = to;
  }

  toString(): string {
    return this.text.slice(this.from, this.to);
  }
}

/** A text in two pieces, of which the first is that of many values one after another. Both may stand in any line as they are. */
export class TextPair {
  readonly stem: string;
  readonly end: string;

  constructor(stem: string, end: string) {
    this.stem = stem;
    this.end = end;
  }

  toString(): string {
    return this.stem + this.end;
  }
}
