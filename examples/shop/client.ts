/** A client of the shop: one request on a connection of its own, and what came back. */
import { request, type IncomingHttpHeaders } from "node:http";

/** What to ask; a `body` that is a list of pieces is sent in chunks. */
export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | readonly string[];
}

/** What came back. */
export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** Which instance answered; undefined where the gateway did. */
  readonly instance: string | undefined;
  /** From the request to the end of the answer, in milliseconds. */
  readonly took: number;
}

const PATIENCE_MS = 20_000;

/** Asks a server on loopback. */
export function ask(
  port: number,
  path: string,
  { method = "GET", headers = {}, body }: Asking = {},
): Promise<Answered> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (incoming) => {
      const pieces: Buffer[] = [];
      incoming.on("data", (piece: Buffer) => pieces.push(piece));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const bytes = Buffer.concat(pieces);
        const { statusCode: status = 0, headers: fields } = incoming;
        const instance = fields["x-instance"]?.toString();
        resolve({ status, headers: fields, bytes, text: bytes.toString(), instance, took: performance.now() - began });
      });
    });
    outgoing.setTimeout(PATIENCE_MS, () => outgoing.destroy(new Error(`no answer to ${path} in ${PATIENCE_MS} ms`)));
    outgoing.on("error", reject);
    if (Array.isArray(body)) for (const piece of body) outgoing.write(piece);
    outgoing.end(typeof body === "string" ? body : undefined);
  });
}

/** How many of each, as `catalogue-1: 12, catalogue-2: 13`. */
export function count(of: readonly (string | number | undefined)[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const one of of.map((value) => String(value ?? "the gateway")).toSorted()) counts[one] = (counts[one] ?? 0) + 1;
  return counts;
}

/** The same for people. */
export function tell(of: readonly (string | number | undefined)[]): string {
  return Object.entries(count(of))
    .map(([name, times]) => `${name}: ${times}`)
    .join(", ");
}
