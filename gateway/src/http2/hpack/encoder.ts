/**
 * The encoder of HPACK (RFC 7541): one for each direction of a connection that we send. It reads heads as text, line by line, and
 * knows most lines already: those of the last head at the same place, then those of any head. Blocks are latin1 text, so that they
 * are joined to their frames and written without a buffer of their own.
 */
import { flatten } from "../../head/flat-string.ts";
import { FieldLine, markOf, toFieldLine } from "./field-line.ts";
import { FieldName, toFieldName } from "./field-name.ts";
import { FieldTable } from "./field-table.ts";
import { encodeInteger, encodePlain } from "./literal.ts";
import { DEFAULT_TABLE_SIZE, STATIC_COUNT, STATIC_FIELDS } from "./static-table.ts";

/** The pseudo-header fields of a request (RFC 9113 section 8.3.1). "" for one that it does not have. */
export interface RequestPseudoFields {
  readonly method: string;
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  /** Of an extended CONNECT (RFC 8441 section 4). */
  readonly protocol?: string;
}

const BLANK = 32;
const TAB = 9;
/** Places of a head at which the last one's lines are remembered. */
const MAX_PLACES = 48;
/** Marks of lines that were sent, by their last bits. */
const SEEN = 64;

const INDEXED: readonly string[] = Array.from({ length: 192 }, (_, index) => encodeInteger(index, 127, 128));

/** A pseudo-header field: its place among the remembered ones, and the values that the static table has. */
interface PseudoName {
  readonly place: number;
  readonly name: FieldName;
  readonly indexed: ReadonlyMap<string, string>;
}

const METHOD = toPseudoName(0, ":method");
const SCHEME = toPseudoName(1, ":scheme");
const AUTHORITY = toPseudoName(2, ":authority");
const PATH = toPseudoName(3, ":path");
const PROTOCOL = toPseudoName(4, ":protocol");
const STATUS = toPseudoName(5, ":status");
const REQUEST_ID = new FieldName("x-request-id:");

/** The last field lines of one kind of section, and their block, which is valid while the table has this version. */
class LastSection {
  lines = "";
  block = "";
  version = -1;
  isFlat = false;
  /** What stood at each place; a name where the value is never the same. */
  readonly guesses: (FieldLine | FieldName)[] = [];
}

/** Encodes the blocks of one direction of a connection, which must be sent in this order. */
export class HpackEncoder {
  /** Where each line was added to the table. */
  readonly #places = new Map<FieldLine, number>();
  readonly #table = new FieldTable<FieldLine>(DEFAULT_TABLE_SIZE, (line) => void this.#places.delete(line));
  /** What the peer was told last, and the least it allowed since. */
  #announced = DEFAULT_TABLE_SIZE;
  #least = DEFAULT_TABLE_SIZE;
  /** Marks of what was sent and not kept. */
  readonly #seen = new Int32Array(SEEN);
  /** A call of gRPC has both: either would make the other forgotten. */
  readonly #head = new LastSection();
  readonly #trailer = new LastSection();
  /** Those of the section that is being written. */
  #guesses = this.#head.guesses;
  /** Of each pseudo-header field the last line that was worth it. */
  readonly #pseudo: (FieldLine | undefined)[] = [];
  /** Nothing about this block would be different the next time. */
  #steady = false;

  /** What the peer's SETTINGS_HEADER_TABLE_SIZE says, as soon as it is acknowledged. We use no more than the default. */
  setMaxTableSize(size: number): void {
    const maxSize = Math.min(size, DEFAULT_TABLE_SIZE);
    if (maxSize === this.#table.maxSize) return;
    this.#table.resize(maxSize);
    this.#least = Math.min(this.#least, maxSize);
  }

  /** The block of a request head; `addedId` is its request id where that is not among the lines. */
  request(pseudo: RequestPseudoFields, lines: string, addedId: string): string {
    const { method, scheme, authority, path, protocol = "" } = pseudo;
    let block = this.#updates() + this.#pseudoField(METHOD, method);
    if (scheme !== "") block += this.#pseudoField(SCHEME, scheme);
    if (authority !== "") block += this.#pseudoField(AUTHORITY, authority);
    if (path !== "") block += this.#pseudoField(PATH, path);
    if (protocol !== "") block += this.#pseudoField(PROTOCOL, protocol);
    block += this.#fields(lines, this.#head);
    return addedId === "" ? block : block + REQUEST_ID.literal + encodePlain(addedId);
  }

  /** The block of a response head, interim ones too. */
  response(status: number, lines: string): string {
    return this.#updates() + this.#pseudoField(STATUS, String(status)) + this.#fields(lines, this.#head);
  }

  /** The block of a trailer section. */
  trailers(lines: string): string {
    return this.#updates() + this.#fields(lines, this.#trailer);
  }

  /** RFC 7541 section 4.2: the least size since the last block, then the size it is now. */
  #updates(): string {
    const { maxSize } = this.#table;
    if (this.#announced === maxSize && this.#least === maxSize) return "";
    let updates = this.#least < maxSize ? encodeInteger(this.#least, 31, 32) : "";
    updates += encodeInteger(maxSize, 31, 32);
    this.#announced = maxSize;
    this.#least = maxSize;
    return updates;
  }

  #fields(lines: string, last: LastSection): string {
    if (lines === last.lines && last.version === this.#table.version) return repeat(last);
    this.#steady = true;
    const guesses = (this.#guesses = last.guesses);
    let block = "";
    for (let at = 0, place = 0; at < lines.length; place++) {
      const guess = guesses[place];
      if (guess !== undefined && guess.text === lines.slice(at, at + guess.text.length)) {
        const end = guess instanceof FieldLine ? at + guess.text.length : endOfLine(lines, at);
        block += guess instanceof FieldLine ? this.#line(guess) : literal(guess, lines, at, end);
        at = end;
      } else {
        const end = endOfLine(lines, at);
        block += this.#read(lines, at, end, place);
        at = end;
      }
    }
    last.lines = lines;
    last.block = block;
    last.version = this.#steady ? this.#table.version : -1;
    last.isFlat = false;
    return block;
  }

  /** Reads the line lines[at, end), which is not the one that was guessed. */
  #read(lines: string, at: number, end: number, place: number): string {
    const colon = lines.indexOf(":", at);
    if (colon < 0 || colon >= end) return "";
    const name = toFieldName(lines.slice(at, colon + 1));
    if (name.keeping === "dropped") return "";
    if (name.keeping === "once" || name.keeping === "secret") {
      if (place < MAX_PLACES) this.#guesses[place] = name;
      return literal(name, lines, at, end);
    }
    const value = valueOf(name, lines, at, end);
    if (name.keeping === "repeated" && this.#isNew(markOf(name, value))) return name.literal + encodePlain(value);
    const line = toFieldLine(lines.slice(at, end), name, value);
    if (place < MAX_PLACES) this.#guesses[place] = line;
    return this.#line(line);
  }

  #pseudoField({ place, name, indexed }: PseudoName, value: string): string {
    const field = indexed.get(value);
    if (field !== undefined) return field;
    const last = this.#pseudo[place];
    if (last?.value === value) return this.#line(last);
    if (this.#isNew(markOf(name, value))) return name.literal + encodePlain(value);
    const line = toFieldLine(`${name.text} ${value}\r\n`, name, value);
    this.#pseudo[place] = line;
    return this.#line(line);
  }

  #line(line: FieldLine): string {
    if (line.indexed !== "") return line.indexed;
    const place = this.#places.get(line);
    const table = this.#table;
    if (place !== undefined) return INDEXED[STATIC_COUNT + table.added - place] ?? "";
    // an entry that large would push out too much
    if (line.size > table.maxSize * 0.75) return line.name.literal + encodePlain(line.value);
    this.#steady = false;
    table.add(line);
    this.#places.set(line, table.added - 1);
    return line.kept;
  }

  /** Whether this mark was not seen lately; it is now. */
  #isNew(mark: number): boolean {
    const place = mark & (SEEN - 1);
    if (this.#seen[place] === mark) return false;
    this.#seen[place] = mark;
    this.#steady = false;
    return true;
  }
}

function toPseudoName(place: number, name: string): PseudoName {
  const fields = STATIC_FIELDS.map(([known, value], index) => ({ known, value, index })).filter(
    ({ known, value }) => known === name && value !== "",
  );
  const indexed = new Map(fields.map(({ value, index }) => [value, encodeInteger(index, 127, 128)]));
  return { place, name: new FieldName(`${name}:`), indexed };
}

/** The same block once more; joined from parts only once. */
function repeat(last: LastSection): string {
  if (!last.isFlat) flatten(last.block);
  last.isFlat = true;
  return last.block;
}

/** Behind the CRLF of the line at this offset. */
function endOfLine(lines: string, at: number): number {
  const found = lines.indexOf("\r\n", at);
  return found < 0 ? lines.length : found + 2;
}

/** A field that is not kept. */
function literal(name: FieldName, lines: string, at: number, end: number): string {
  return name.literal + encodePlain(valueOf(name, lines, at, end));
}

/** What stands between the name and the end of the line, without blanks around it (RFC 9113 section 8.2.1). */
function valueOf(name: FieldName, lines: string, at: number, end: number): string {
  let from = at + name.text.length;
  let to = end - 2;
  while (from < to && isBlank(lines.charCodeAt(from))) from++;
  while (to > from && isBlank(lines.charCodeAt(to - 1))) to--;
  return lines.slice(from, to);
}

function isBlank(unit: number): boolean {
  return unit === BLANK || unit === TAB;
}
