/**
 * The field lines of a message as text: what came stays verbatim, what must go is a cut, what is added is appended. No
 * field becomes an object; a value is looked for when somebody asks.
 *
 * Invariants: `cuts` are pairs of offsets into `text`, ascending, not overlapping; `extra` holds whole lines with CRLF.
 */
import { invariant } from "@sallyport/model/result";
import type { HeaderView } from "@sallyport/policies/filter";
import { RESERVED_FIELDS } from "./field-rules.ts";

/** No cuts. Shared: cuts are never changed in place. */
export const NO_CUTS: readonly number[] = [];

const COLON = 58;

/** Text of a head with cuts and appended lines; names are compared without case. */
export class FieldLines implements HeaderView {
  /** The head as latin1 text, start line included, without the empty line at its end. */
  text = "";
  /** Offset of the first field line. */
  fieldsAt = 0;
  /** Pairs of offsets that do not go out. */
  cuts: readonly number[] = NO_CUTS;
  /** Lines added, in order, each with CRLF. */
  extra = "";
  /** Whether cuts or extra were changed since the codec made this head. */
  edited = false;
  #cutsBefore: readonly number[] = NO_CUTS;
  #extraBefore = "";

  header(name: string): string | undefined {
    const wanted = name.toLowerCase();
    return RESERVED_FIELDS.has(wanted) ? undefined : this.lookup(wanted);
  }

  setHeader(name: string, value: string): void {
    const wanted = name.toLowerCase();
    if (RESERVED_FIELDS.has(wanted)) return;
    this.cutField(wanted);
    this.#append(name, value);
  }

  addHeader(name: string, value: string): void {
    const wanted = name.toLowerCase();
    if (RESERVED_FIELDS.has(wanted)) return;
    // RFC 6265 section 3: Set-Cookie fields do not join
    const old = wanted === "set-cookie" ? undefined : this.lookup(wanted);
    if (old !== undefined) this.cutField(wanted);
    this.#append(name, old === undefined ? value : `${old},${value}`);
  }

  removeHeader(name: string): void {
    const wanted = name.toLowerCase();
    if (!RESERVED_FIELDS.has(wanted)) this.cutField(wanted);
  }

  /** A value by lower-case name, among what goes out. */
  lookup(name: string): string | undefined {
    const { text, cuts, extra } = this;
    let value: string | undefined;
    let cut = 0;
    for (let at = this.fieldsAt; at < text.length;) {
      while (cut < cuts.length && (cuts[cut + 1] ?? 0) <= at) cut += 2;
      const end = text.indexOf("\r\n", at);
      if (isFieldAt(text, at, name) && !(cut < cuts.length && (cuts[cut] ?? 0) <= at))
        value = joinValues(name, value, text.slice(at + name.length + 1, end));
      at = end + 2;
    }
    for (let at = 0; at < extra.length;) {
      const end = extra.indexOf("\r\n", at);
      if (isFieldAt(extra, at, name)) value = joinValues(name, value, extra.slice(at + name.length + 1, end));
      at = end + 2;
    }
    return value;
  }

  /** A value by lower-case name as it came, cut or not. */
  received(name: string): string | undefined {
    const { text } = this;
    let value: string | undefined;
    for (let at = this.fieldsAt; at < text.length;) {
      // a line feed is nowhere but at the end of a line, and one character is found faster than two
      const end = text.indexOf("\n", at);
      if (isFieldAt(text, at, name)) value = joinValues(name, value, text.slice(at + name.length + 1, end - 1));
      at = end + 1;
    }
    return value;
  }

  /** What goes out of the text from this offset on; appended lines not included. */
  keptFrom(start: number): string {
    const { text, cuts } = this;
    let kept = "";
    let at = start;
    for (let i = 0; i < cuts.length; i += 2) {
      const from = cuts[i] ?? 0;
      if (from > at) kept += text.slice(at, from);
      at = Math.max(at, cuts[i + 1] ?? 0);
    }
    if (at === 0) return text;
    return at < text.length ? kept + text.slice(at) : kept;
  }

  /** Undoes every edit since the codec made this head. */
  resetEdits(): void {
    if (!this.edited) return;
    this.cuts = this.#cutsBefore;
    this.extra = this.#extraBefore;
    this.#cutsBefore = NO_CUTS;
    this.edited = false;
  }

  /** Cuts text[from, to), whole lines, keeping the pairs in order. */
  protected cut(from: number, to: number): void {
    const { cuts } = this;
    let at = cuts.length;
    while (at > 0 && (cuts[at - 2] ?? 0) > from) at -= 2;
    this.cuts = cuts.toSpliced(at, 0, from, to);
  }

  /** Called before the first change after the codec made this head. */
  protected beginEdit(): void {
    if (this.edited) return;
    this.edited = true;
    this.#cutsBefore = this.cuts;
    this.#extraBefore = this.extra;
  }

  #append(name: string, value: string): void {
    invariant(!/[\r\n\0]/.test(value) && name !== "", "a field value holds no line end");
    this.beginEdit();
    this.extra += `${name}: ${value}\r\n`;
  }

  /** Removes all fields of this lower-case name, also one that is not for filters. */
  protected cutField(name: string): void {
    this.beginEdit();
    const { text } = this;
    const lines: number[] = [];
    for (let at = this.fieldsAt; at < text.length;) {
      const end = text.indexOf("\r\n", at) + 2;
      if (isFieldAt(text, at, name)) lines.push(at, end);
      at = end;
    }
    if (lines.length > 0) this.cuts = unite(this.cuts, lines);
    let kept = "";
    for (let at = 0; at < this.extra.length;) {
      const end = this.extra.indexOf("\r\n", at) + 2;
      if (!isFieldAt(this.extra, at, name)) kept += this.extra.slice(at, end);
      at = end;
    }
    this.extra = kept;
  }

  /** Whether the line at this offset does not go out. */
  protected isCutAt(offset: number): boolean {
    const { cuts } = this;
    for (let i = 0; i < cuts.length; i += 2) if ((cuts[i] ?? 0) <= offset && offset < (cuts[i + 1] ?? 0)) return true;
    return false;
  }
}

/** Cuts, and lines of which some may be cut already: in one walk over both, because there may be thousands. */
function unite(cuts: readonly number[], lines: readonly number[]): number[] {
  const united: number[] = [];
  let next = 0;
  for (let line = 0; line < lines.length; line += 2) {
    const from = lines[line] ?? 0;
    for (; next < cuts.length && (cuts[next] ?? 0) <= from; next += 2) join(united, cuts[next], cuts[next + 1]);
    if (from >= (united.at(-1) ?? 0)) join(united, from, lines[line + 1]);
  }
  for (; next < cuts.length; next += 2) join(united, cuts[next], cuts[next + 1]);
  return united;
}

/** Adds a cut behind all others; neighbours become one. */
function join(cuts: number[], from = 0, to = 0): void {
  if (cuts.at(-1) === from) cuts[cuts.length - 1] = to;
  else cuts.push(from, to);
}

/** Whether the line at this offset has this (lower-case) name. */
function isFieldAt(text: string, at: number, name: string): boolean {
  const length = name.length;
  if (text.charCodeAt(at + length) !== COLON) return false;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(at + i);
    // A-Z alone: `|32` would take "@" for "`" and the like
    if ((unit >= 65 && unit <= 90 ? unit | 32 : unit) !== name.charCodeAt(i)) return false;
  }
  return true;
}

/** RFC 9110 section 5.3; cookies join as RFC 6265 section 4.2.1 writes them. */
function joinValues(name: string, before: string | undefined, raw: string): string {
  const value = trimBlanks(raw);
  if (before === undefined) return value;
  return name === "cookie" ? `${before}; ${value}` : `${before},${value}`;
}

/** Without leading and trailing SP and HTAB; String.prototype.trim would also take NBSP (0xa0), which is obs-text. */
function trimBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

function isBlank(unit: number): boolean {
  return unit === 32 || unit === 9;
}
