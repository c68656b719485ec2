/** Lines of heads as the encoder knows them: each is worked out once and shared by all connections. */
import { type FieldName, ownCopy } from "./field-name.ts";
import { encodeInteger, encodeText } from "./literal.ts";
import { ENTRY_OVERHEAD, STATIC_FIELDS } from "./static-table.ts";

const STATIC_INDEX = new Map(STATIC_FIELDS.map(([name, value], index) => [`${name}: ${value}`, index]));

/** A name, a value, and how they are written. */
export class FieldLine {
  /** As some message had it, with CRLF. */
  readonly text: string;
  readonly name: FieldName;
  readonly value: string;
  /** Octets as RFC 7541 section 4.1 counts them. */
  readonly size: number;
  /** The whole field in one octet, where the static table has it; else "". */
  readonly indexed: string;
  /** As a literal that is kept. */
  readonly kept: string;

  constructor(text: string, name: FieldName, value: string) {
    const index = STATIC_INDEX.get(`${name.name}: ${value}`) ?? 0;
    this.text = text;
    this.name = name;
    this.value = value;
    this.size = name.name.length + value.length + ENTRY_OVERHEAD;
    this.indexed = index === 0 ? "" : encodeInteger(index, 127, 128);
    this.kept = name.kept + encodeText(value);
  }
}

/** Lines that are remembered, all together in characters; those of today's traffic come back soon after all were forgotten. */
const MAX_CHARACTERS = 1 << 20;
const MAX_LENGTH = 4096;
let characters = 0;
const lines = new Map<string, FieldLine>();

/** What is known of a line; `text` has the CRLF, `value` no blanks around it. */
export function toFieldLine(text: string, name: FieldName, value: string): FieldLine {
  const known = lines.get(text);
  if (known !== undefined) return known;
  const line = new FieldLine(ownCopy(text), name, ownCopy(value));
  if (text.length > MAX_LENGTH) return line;
  // an entry costs some hundred bytes besides its text
  characters += text.length + 64;
  if (characters > MAX_CHARACTERS) {
    lines.clear();
    characters = text.length;
  }
  lines.set(line.text, line);
  return line;
}

/** Octets at either end of a value that are looked at. */
const SAMPLE = 12;

/** A number that differs between most lines, and costs little: of its name, its length, and both ends of its value. */
export function markOf(name: FieldName, value: string): number {
  const { length } = value;
  let mark = name.name.length * 31 + name.name.charCodeAt(name.name.length - 1) + length;
  for (let i = 0; i < SAMPLE && i < length; i++) {
    mark = Math.imul(mark, 0x01_00_01_93) ^ value.charCodeAt(i);
    mark = Math.imul(mark, 0x01_00_01_93) ^ value.charCodeAt(length - 1 - i);
  }
  return mark ^ (mark >>> 15);
}
