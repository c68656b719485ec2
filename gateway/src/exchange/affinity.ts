/** What binds a request to an endpoint beyond its rule: the session that its client holds, and the hash of its keys. */
import type { HashKey } from "@sallyport/model/traffic";
import { findQueryValue } from "../router/query.ts";
import type { RequestHead } from "../head/request-head.ts";
import { findCookie } from "../session/cookie.ts";
import { hashText } from "../session/text-hash.ts";
import type { SessionToken } from "../session/token.ts";
import type { Exchange } from "./exchange.ts";

/** A cookie that a client without it is given, so that it comes to the same endpoint again. */
export interface MadeCookie {
  readonly key: HashKey & { kind: "cookie" };
  readonly value: string;
}

/** Of one exchange. */
export interface Affinity {
  /** The session that its client holds and that is not over. */
  readonly token: SessionToken | undefined;
  /** Undefined: none was made. */
  made: MadeCookie | undefined;
}

/** The hash of the first of these keys that the request has; undefined: of none. */
export function hashRequest(exchange: Exchange, keys: readonly HashKey[]): number | undefined {
  const head = exchange.start?.head;
  if (head === undefined) return undefined;
  for (const key of keys) {
    const text = readKey(head, key) ?? makeCookie(exchange, key);
    if (text !== undefined) return hashText(text);
  }
  return undefined;
}

function readKey(head: RequestHead, key: HashKey): string | undefined {
  switch (key.kind) {
    case "header":
      return head.header(key.name);
    case "cookie":
      return findCookie(head.header("cookie") ?? "", key.name);
    case "source-address":
      return head.clientAddress;
    case "query":
      return findQueryValue(head.routeQuery, key.name);
  }
}

/** One an exchange: a retry finds the value that was made before. */
function makeCookie(exchange: Exchange, key: HashKey): string | undefined {
  if (key.kind !== "cookie" || key.lifetime === undefined) return undefined;
  exchange.affinity ??= { token: undefined, made: undefined };
  const { affinity, dependencies } = exchange;
  affinity.made ??= { key, value: toRandomText(dependencies.random) };
  return affinity.made.value;
}

/** Nobody is to be kept from guessing it: it only has to be another one for each client. */
function toRandomText(random: () => number): string {
  let text = "";
  for (let i = 0; i < 4; i++)
    text += Math.floor(random() * 65_536)
      .toString(16)
      .padStart(4, "0");
  return text;
}
