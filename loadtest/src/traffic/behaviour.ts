// What an endpoint of the fleet does, as the harness tells it: one JSON object over the fleet's control port.
import { fieldsOf } from "../fields.ts";

/** What an endpoint does with requests from now on. */
export type Behaviour =
  /** 200, after a while. */
  | { readonly kind: "serve"; readonly delayMs: number }
  /** Takes requests and never answers; what hangs ends unanswered when the endpoint does something else. */
  | { readonly kind: "hang" }
  /** This status for a share (0..1) of requests, 200 for the others. */
  | { readonly kind: "fail"; readonly share: number; readonly status: number }
  /** Nobody listens; connections that are open are reset. */
  | { readonly kind: "dead" }
  /** As a server does on SIGTERM: takes no new connections, closes idle ones, finishes what it has. */
  | { readonly kind: "leaving" };

/** Reads a behaviour from JSON; throws when it is none. */
export function decodeBehaviour(text: string): Behaviour {
  const fields = fieldsOf(JSON.parse(text), "behaviour");
  const kind = fields.text("kind");
  switch (kind) {
    case "serve":
      return { kind, delayMs: fields.number("delayMs") };
    case "fail":
      return { kind, share: fields.number("share"), status: fields.number("status") };
    case "hang":
    case "dead":
    case "leaving":
      return { kind };
    default:
      throw new Error(`no behaviour: ${kind}`);
  }
}

/** What an endpoint has seen. */
export interface EndpointCounts {
  readonly requests: number;
  /** Of them: those whose X-Request-Id no endpoint has seen before. */
  readonly first: number;
  /** When the last request came: milliseconds since the epoch; 0: there was none. */
  readonly lastRequestAt: number;
}

/** The field of answers that names the port of the endpoint. */
export const endpointField = "x-endpoint";
