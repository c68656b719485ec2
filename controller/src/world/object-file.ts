/** Reads one file of objects from the disk: bounded in size, and only if it is not what was read before. */
import { isUtf8 } from "node:buffer";
import { hash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { isGone } from "./directory-walk.ts";
import { parseFile } from "./parsed-file.ts";
import type { ParsedProblem, PlacedChunk } from "./parsed-file.ts";
import type { Pacer } from "./pacer.ts";

/** What a file holds. */
export interface FileContent {
  readonly digest: string;
  readonly chunks: readonly PlacedChunk[];
  /** Whether the text may be cut off: it is empty or its last line has no end. */
  readonly isRagged: boolean;
}

/** What was last read from a file. */
export interface FileState extends FileContent {
  /** Identity and version of the file on disk. */
  readonly signature: string;
  /** Whether a later change would certainly give another signature: the clock of files is coarse. */
  readonly isSettled: boolean;
}

/** How far apart two changes of a file must be, in milliseconds, to be told apart by its times. */
const clockMillis = 50;

/** How to read a file. */
export interface ReadOptions {
  readonly pacer: Pacer;
  /** Largest size, in bytes. */
  readonly mostBytes: number;
}

/** The state of the file now; `previous` itself if nothing changed; undefined if there is no such file. */
export async function readObjectFile(
  path: string,
  previous: FileState | undefined,
  options: ReadOptions,
): Promise<FileState | undefined> {
  const now = Date.now();
  const stats = await statFile(path);
  if (stats === undefined) return undefined;
  if (stats instanceof Error) return toUnreadable("", stats.message);
  const signature = toSignature(stats);
  if (previous?.isSettled === true && previous.signature === signature) return previous;
  const isSettled = Number(stats.mtimeMs) < now - clockMillis;
  if (stats.size > BigInt(options.mostBytes)) return toTooLarge(signature, Number(stats.size), options.mostBytes);
  const content = await readContent(path);
  if (content instanceof Error) return toUnreadable(signature, content.message);
  return content === undefined
    ? undefined
    : { ...(await parseContent(content, previous, options.pacer)), signature, isSettled };
}

async function parseContent(content: Buffer, previous: FileState | undefined, pacer: Pacer): Promise<FileContent> {
  const digest = hash("sha256", content, "base64");
  if (previous?.digest === digest) return previous;
  if (!isUtf8(content)) return toBroken(digest, toEncodingProblem(content));
  const text = content.toString("utf8").replace(/^\uFEFF/, "");
  const chunks = await parseFile(text, previous?.chunks ?? [], pacer);
  return { digest, chunks, isRagged: !text.endsWith("\n") };
}

/** Undefined if the file is gone or no file; the error if that cannot be told: it must not look like a removed file. */
async function statFile(path: string): Promise<BigIntStats | Error | undefined> {
  try {
    const stats = await stat(path, { bigint: true });
    return stats.isFile() ? stats : undefined;
  } catch (error) {
    return toFailure(error);
  }
}

/** The bytes; the error if they cannot be read; undefined if the file is gone. */
async function readContent(path: string): Promise<Buffer | Error | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    return toFailure(error);
  }
}

function toFailure(error: unknown): Error | undefined {
  if (isGone(error)) return undefined;
  if (error instanceof Error) return error;
  throw error;
}

function toSignature(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
}

function toTooLarge(signature: string, size: number, mostBytes: number): FileState {
  const message = `has ${size} bytes; at most ${mostBytes} are read`;
  const hint = "split it into several files";
  const problem = { code: "limit-exceeded", severity: "error", message, hint, position: fileStart } as const;
  return { ...toBroken(`too large: ${size}`, problem), signature, isSettled: true };
}

function toUnreadable(signature: string, reason: string): FileState {
  const message = `cannot be read: ${reason}`;
  const problem = { code: "unreadable-file", severity: "error", message, position: fileStart } as const;
  return { ...toBroken(`unreadable: ${reason}`, problem), signature, isSettled: false };
}

const fileStart = { line: 1, column: 1 };

function toBroken(digest: string, problem: ParsedProblem): FileContent {
  const chunk = { digest, objects: [], problems: [problem], skipped: [] };
  return { digest, chunks: [{ line: 1, chunk }], isRagged: false };
}

function toEncodingProblem(content: Buffer): ParsedProblem {
  let line = 1;
  let start = 0;
  for (
    let end = content.indexOf(10);
    end !== -1 && isUtf8(content.subarray(start, end));
    end = content.indexOf(10, start)
  ) {
    line++;
    start = end + 1;
  }
  const position = { line, column: 1 };
  return { code: "unreadable-file", severity: "error", message: "this line is not UTF-8 text", position };
}
