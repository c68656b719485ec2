/**
 * The decoder of HPACK (RFC 7541): one for each direction of a connection that we receive. It keeps no list: each field goes to the
 * sink as it comes, and those of the tables are objects made once, so that a repeated field costs an index and a call.
 *
 * Blocks come from outside: every length is checked, integers are bounded, and the time is linear in the block.
 */
import { toLatin1 } from "../../wire/latin1.ts";
import { FieldTable } from "./field-table.ts";
import { decodedBound, decodeHuffman } from "./huffman.ts";
import { DEFAULT_TABLE_SIZE, ENTRY_OVERHEAD, STATIC_COUNT, STATIC_FIELDS } from "./static-table.ts";

/** What a name and a value mean to whoever reads them, as a number: asked once for each table entry. */
export type FieldClassifier = (name: string, value: string) => number;

/** One field. Those of tables are shared by all blocks that refer to them. */
export class Field {
  /** Latin1 text, as it came: nothing was checked. */
  readonly name: string;
  readonly value: string;
  /** What the classifier said. */
  readonly role: number;
  /** Octets as RFC 7541 section 4.1 counts them, which is also how SETTINGS_MAX_HEADER_LIST_SIZE does. */
  readonly size: number;
  #line = "";

  constructor(name: string, value: string, role: number) {
    this.name = name;
    this.value = value;
    this.role = role;
    this.size = name.length + value.length + ENTRY_OVERHEAD;
  }

  /** `name: value` with CRLF, as HTTP/1.1 has it. */
  get line(): string {
    if (this.#line === "") this.#line = `${this.name}: ${this.value}\r\n`;
    return this.#line;
  }
}

/** Takes the fields of a block, in order. It must not throw, and must not decode. */
export interface FieldSink {
  onField(field: Field): void;
}

/** For blocks that nobody wants: they are decoded all the same, because the table is shared. */
export const NOBODY: FieldSink = { onField: () => undefined };

/** Size of an integer that is taken at most: 28 bits, in four octets behind the first. */
const MAX_SHIFT = 21;
/** Decoded strings pass through here; it grows to what the longest needs. */
let scratch = Buffer.allocUnsafeSlow(4096);
/** The static table with roles, by classifier. */
const staticTables = new WeakMap<FieldClassifier, readonly Field[]>();

/** Decodes the blocks of one direction of a connection, all of them and in order: they share a table. */
export class HpackDecoder {
  readonly #limit: number;
  readonly #classify: FieldClassifier;
  readonly #static: readonly Field[];
  readonly #table = new FieldTable<Field>(DEFAULT_TABLE_SIZE);
  #bytes: Buffer = scratch;
  #at = 0;
  #end = 0;

  /** `maxTableSize`: what our SETTINGS_HEADER_TABLE_SIZE says; until the peer makes use of it the table has the default size. */
  constructor(options: { readonly maxTableSize: number; readonly classify: FieldClassifier }) {
    this.#limit = options.maxTableSize;
    this.#classify = options.classify;
    this.#static = staticFields(options.classify);
  }

  /** Changes whenever the table does: the same bytes at the same version are the same fields. */
  get version(): number {
    return this.#table.version;
  }

  /** Decodes bytes[from, to), one whole block. False: it is broken, and so is the connection (COMPRESSION_ERROR). */
  decode(bytes: Buffer, from: number, to: number, sink: FieldSink): boolean {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
    if (!this.#readSizeUpdates()) return false;
    while (this.#at < to) {
      const first = bytes[this.#at] ?? 0;
      // section 6.1: indexed; 6.2: literals; 6.3: an update of the size, which is too late here
      const field = first >= 128 ? this.#field(this.#readInteger(127)) : this.#readLiteral(first);
      if (field === undefined) return false;
      sink.onField(field);
    }
    return true;
  }

  /** Section 4.2: updates come before the first field. */
  #readSizeUpdates(): boolean {
    while (this.#at < this.#end && ((this.#bytes[this.#at] ?? 0) & 0xe0) === 0x20) {
      const size = this.#readInteger(31);
      if (size < 0 || size > this.#limit) return false;
      this.#table.resize(size);
    }
    return true;
  }

  #readLiteral(first: number): Field | undefined {
    if (first >= 32 && first < 64) return undefined;
    const indexing = first >= 64;
    const index = this.#readInteger(indexing ? 63 : 15);
    if (index < 0) return undefined;
    const name = index === 0 ? this.#readText() : this.#field(index)?.name;
    if (name === undefined) return undefined;
    const value = this.#readText();
    if (value === undefined) return undefined;
    const field = new Field(name, value, this.#classify(name, value));
    if (indexing) this.#table.add(field);
    return field;
  }

  #field(index: number): Field | undefined {
    if (index <= 0) return undefined;
    return index <= STATIC_COUNT ? this.#static[index] : this.#table.at(index - STATIC_COUNT - 1);
  }

  /** Section 5.1. There is a first octet; `mask` are its bits that belong to the integer. -1: truncated, or too large. */
  #readInteger(mask: number): number {
    const bytes = this.#bytes;
    let value = (bytes[this.#at++] ?? 0) & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= MAX_SHIFT && this.#at < this.#end; shift += 7) {
      const octet = bytes[this.#at++] ?? 0;
      value += (octet & 127) << shift;
      if (octet < 128) return value;
    }
    return -1;
  }

  /** Section 5.2. Undefined: truncated, or not in the code. */
  #readText(): string | undefined {
    if (this.#at >= this.#end) return undefined;
    const bytes = this.#bytes;
    const coded = (bytes[this.#at] ?? 0) >= 128;
    const length = this.#readInteger(127);
    const from = this.#at;
    const to = from + length;
    if (length < 0 || to > this.#end) return undefined;
    this.#at = to;
    if (!coded) return toLatin1(bytes, from, to);
    const bound = decodedBound(length);
    if (bound > scratch.length) scratch = Buffer.allocUnsafeSlow(bound);
    const decoded = decodeHuffman(bytes, from, to, scratch);
    return decoded < 0 ? undefined : toLatin1(scratch, 0, decoded);
  }
}

function staticFields(classify: FieldClassifier): readonly Field[] {
  const known = staticTables.get(classify);
  if (known !== undefined) return known;
  const fields = STATIC_FIELDS.map(([name, value]) => new Field(name, value, classify(name, value)));
  staticTables.set(classify, fields);
  return fields;
}
