/**
 * The last good configuration on disk, so that a proxy serves at once when it starts while no controller is there. Lines of
 * JSON: a header, a line for each resource, and a last line with their count and checksum. There are private keys in it.
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { decodeResource } from "@sallyport/model/decode";
import { fail, ok, type Result } from "@sallyport/model/result";
import { type Resource, type ResourceId, toResourceId } from "@sallyport/model/snapshot";
import type { VersionedSnapshot } from "./receiver.ts";

const NAME = "last-good.jsonl";
/** Of what the lines mean; a file of another format is not read. */
const FORMAT = 1;
/** Characters written at once: between two writes traffic is served. */
const CHUNK = 131_072;

/** Where it is, and whose it must be. */
export interface LastGoodOptions {
  readonly directory: string;
  readonly group: string;
  /** What could not be written; the proxy serves on without. */
  readonly onFailure: (error: unknown) => void;
}

/** What was found at the start. */
export type Found =
  | { readonly kind: "none" }
  | { readonly kind: "found"; readonly configuration: VersionedSnapshot }
  /** It was set aside. */
  | { readonly kind: "unusable"; readonly reason: string; readonly movedTo: string };

/** Reads and writes it. */
export class LastGood {
  readonly #options: LastGoodOptions;
  readonly #path: string;
  #next: VersionedSnapshot | undefined;
  #writing: Promise<void> | undefined;

  constructor(options: LastGoodOptions) {
    this.#options = options;
    this.#path = join(options.directory, NAME);
  }

  /** Reads it. A file that is not sound is moved aside, to be looked at. Rejects where the directory cannot be used. */
  async read(): Promise<Found> {
    await mkdir(this.#options.directory, { recursive: true, mode: 0o700 });
    let text: string;
    try {
      text = await readOwn(this.#path);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return { kind: "none" };
      // Too large for a string, a bad sector, somebody's link: the proxy starts without it all the same.
      return this.#setAside(error instanceof Error ? error.message : String(error));
    }
    const parsed = parse(text, this.#options.group);
    return parsed.ok ? { kind: "found", configuration: parsed.value } : this.#setAside(parsed.error);
  }

  async #setAside(reason: string): Promise<Found> {
    const movedTo = `${this.#path}.unusable`;
    await rename(this.#path, movedTo);
    return { kind: "unusable", reason, movedTo };
  }

  /** Has it written soon; of several in a row only the last is. */
  write(configuration: VersionedSnapshot): void {
    this.#next = configuration;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when all is written. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#next !== undefined) {
      const configuration = this.#next;
      this.#next = undefined;
      try {
        await this.#replace(configuration);
      } catch (error) {
        this.#options.onFailure(error);
      }
    }
    this.#writing = undefined;
  }

  /** A complete file takes the place of the old one; after a crash there is one or the other. */
  async #replace(configuration: VersionedSnapshot): Promise<void> {
    const draft = `${this.#path}.draft`;
    await rm(draft, { force: true });
    const file = await open(draft, "wx", 0o600);
    try {
      // A plain write may write a part of it, where the volume is full for a moment.
      for (const chunk of toChunks(configuration, this.#options.group)) await file.appendFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, this.#path);
    const directory = await open(this.#options.directory);
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}

/** What somebody else has put there is not followed elsewhere, nor waited for. */
async function readOwn(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw new Error(`${path} is no plain file; delete it`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

function* toChunks({ snapshot, versions }: VersionedSnapshot, group: string): Generator<string, void> {
  const hash = createHash("sha256");
  let chunk = `${JSON.stringify({ format: FORMAT, group })}\n`;
  for (const [id, resource] of snapshot.resources) {
    chunk += `${JSON.stringify({ version: versions.get(id) ?? "", resource })}\n`;
    if (chunk.length < CHUNK) continue;
    hash.update(chunk);
    yield chunk;
    chunk = "";
  }
  hash.update(chunk);
  yield `${chunk}${JSON.stringify({ resources: snapshot.resources.size, sha256: hash.digest("hex") })}\n`;
}

function parse(text: string, group: string): Result<VersionedSnapshot, string> {
  const end = text.lastIndexOf("\n", text.length - 2) + 1;
  const body = text.slice(0, end);
  const sum = toRecord(parseJson(text.slice(end)));
  if (sum["sha256"] !== createHash("sha256").update(body).digest("hex")) return fail("its checksum is wrong");
  const [head = "", ...lines] = body.trimEnd().split("\n");
  const header = toRecord(parseJson(head));
  if (header["format"] !== FORMAT) return fail(`its format is ${String(header["format"])} and not ${FORMAT}`);
  if (header["group"] !== group) return fail(`it is of the group ${JSON.stringify(header["group"])}`);
  return parseResources(lines);
}

function parseResources(lines: readonly string[]): Result<VersionedSnapshot, string> {
  const resources = new Map<ResourceId, Resource>();
  const versions = new Map<ResourceId, string>();
  for (const line of lines) {
    const { version, resource } = toRecord(parseJson(line));
    const decoded = decodeResource(resource);
    if (!decoded.ok) return fail(`a resource is not one that this version knows: ${decoded.error}`);
    const id = toResourceId(decoded.value);
    resources.set(id, decoded.value);
    versions.set(id, typeof version === "string" ? version : "");
  }
  return ok({ snapshot: { resources }, versions });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
