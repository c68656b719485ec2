/**
 * Content coders: zlib, brotli and zstd of Node. A coder runs in libuv's threads and holds memory for as long as its answer lasts,
 * so there are only so many at a time. What is short and here whole is encoded at once (short-bodies).
 */
import { getBuiltinModule } from "node:process";
import type builtin from "node:zlib";
import type { BrotliCompress, BrotliOptions, Gzip, ZstdCompress, ZstdOptions } from "node:zlib";
import type { ContentCoding } from "@sallyport/policies/filter";
import { KeptGzip } from "./kept-gzip.ts";

type Zlib = typeof builtin;

let loaded: Zlib | undefined;

/** Half a megabyte that a proxy has no use for until something is compressed. */
function zlib(): Zlib {
  loaded ??= getBuiltinModule("node:zlib");
  return loaded;
}

/** Encodes one body: written to, read by its events, destroyed. */
export type Coder = Gzip | BrotliCompress | ZstdCompress;

/** Bytes that may wait in a coder before its source has to pause. */
export const MOST_WAITING = 65_536;

/** Window of brotli and zstd, as a power of two: what there is to win beyond that, answers of this kind do not have. */
const WINDOW = 18;
/** Bytes that coders of one worker may hold. */
const MOST_MEMORY = 134_217_728;

/** Bytes that one coder holds, as measured: with usual levels, and with those beyond 3. Policies ask for none beyond 6 but of gzip. */
const MEMORY: Readonly<Record<ContentCoding["name"], readonly [usual: number, most: number]>> = {
  gzip: [524_288, 524_288],
  br: [2_097_152, 4_194_304],
  zstd: [2_097_152, 8_388_608],
};

/** The room for coders. */
export class CoderRoom {
  readonly #most: number;
  #taken = 0;

  constructor(most = MOST_MEMORY) {
    this.#most = most;
  }

  /** Bytes taken now. */
  get taken(): number {
    return this.#taken;
  }

  /** Takes room for one coder; false where there is none. */
  take(coding: ContentCoding): boolean {
    const bytes = memoryOf(coding);
    if (this.#taken + bytes > this.#most) return false;
    this.#taken += bytes;
    return true;
  }

  /** Gives it back. */
  free(coding: ContentCoding): void {
    this.#taken -= memoryOf(coding);
  }
}

/** Of this thread. */
export const coderRoom = new CoderRoom();

function memoryOf({ name, level }: ContentCoding): number {
  const [usual, most] = MEMORY[name];
  return level > 3 ? most : usual;
}

/** Makes a coder. What it emits between two flushes is whole for the reader. */
export function openCoder(coding: ContentCoding): Coder {
  switch (coding.name) {
    case "gzip":
      return zlib().createGzip({ level: coding.level });
    case "br":
      return zlib().createBrotliCompress(toBrotli(coding));
    case "zstd":
      return zlib().createZstdCompress(toZstd(coding));
  }
}

/** Encodes a body that is short and whole, with a coder for it alone. */
export function encodeOnce(coding: ContentCoding, bytes: Buffer): Buffer {
  switch (coding.name) {
    case "gzip":
      return zlib().gzipSync(bytes, { level: coding.level });
    case "br":
      return zlib().brotliCompressSync(bytes, toBrotli(coding));
    case "zstd":
      return zlib().zstdCompressSync(bytes, toZstd(coding));
  }
}

/** Makes a coder of short bodies. */
export function openKeptGzip(level: number): KeptGzip {
  return new KeptGzip(zlib(), level);
}

/** What makes all that was written so far readable. */
export function flushOf({ name }: ContentCoding): number {
  const { constants } = zlib();
  const modes = {
    gzip: constants.Z_SYNC_FLUSH,
    br: constants.BROTLI_OPERATION_FLUSH,
    zstd: constants.ZSTD_e_flush,
  } as const;
  return modes[name];
}

function toBrotli({ level }: ContentCoding): BrotliOptions {
  const { constants } = zlib();
  return { params: { [constants.BROTLI_PARAM_QUALITY]: level, [constants.BROTLI_PARAM_LGWIN]: WINDOW } };
}

function toZstd({ level }: ContentCoding): ZstdOptions {
  const { constants } = zlib();
  return { params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_windowLog]: WINDOW } };
}
