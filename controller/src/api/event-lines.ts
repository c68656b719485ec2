/** The body of a watch: one JSON object a line. Pieces come as the network cuts them. */
import { isRecord } from "../kube/field-path.ts";
import type { ApiEvent } from "./contract.ts";

/** Longest event, in bytes. etcd takes objects of 1.5 MB; in JSON, with what is added, they are not ten times that. */
const longestLine = 16 * 1024 * 1024;

const eventTypes: ReadonlySet<string> = new Set(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]);

/** Cuts the bytes of a watch into events. */
export class EventLines {
  readonly #onEvent: (event: ApiEvent) => void;
  #pieces: Buffer[] = [];
  #length = 0;

  constructor(onEvent: (event: ApiEvent) => void) {
    this.#onEvent = onEvent;
  }

  /** Takes the next bytes. Throws for what is no event, and for a line that is too long. */
  push(bytes: Buffer): void {
    let start = 0;
    for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, start)) {
      this.#keep(bytes.subarray(start, end));
      start = end + 1;
      const line = Buffer.concat(this.#pieces, this.#length);
      this.#pieces = [];
      this.#length = 0;
      if (line.length > 0) this.#onEvent(parseEvent(line));
    }
    if (start < bytes.length) this.#keep(bytes.subarray(start));
  }

  #keep(piece: Buffer): void {
    this.#length += piece.length;
    if (this.#length > longestLine) throw new Error(`an event of more than ${longestLine} bytes`);
    this.#pieces.push(piece);
  }
}

function parseEvent(line: Buffer): ApiEvent {
  const value: unknown = JSON.parse(line.toString("utf8"));
  if (!isRecord(value) || !isRecord(value["object"]) || !isEventType(value["type"]))
    throw new Error("what came is no event of a watch");
  return { type: value["type"], object: value["object"] };
}

function isEventType(type: unknown): type is ApiEvent["type"] {
  return typeof type === "string" && eventTypes.has(type);
}
