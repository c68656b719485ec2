/**
 * What binds a request to an endpoint beyond its rule: the session that its client holds (GEP-1619), and the hash of its keys. What
 * the client has to keep for the next time, it is told with the answer.
 */
import type { HashKey } from "@sallyport/model/traffic";
import { findQueryValue } from "../router/query.ts";
import type { RequestHead } from "../head/request-head.ts";
import type { ResponseHead } from "../head/response-head.ts";
import type { CompiledBackend, CompiledSession } from "../router/contract.ts";
import { findCookie, formatCookie } from "../session/cookie.ts";
import { toClusterMark } from "../session/endpoint-session.ts";
import { hashText } from "../session/text-hash.ts";
import { formatToken, isOver, parseToken, type SessionToken } from "../session/token.ts";
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

/**
 * Reads the session of a request. Returns the backend that it leads to, whatever the weights say; undefined where there is none, or
 * the endpoint is not there any more: then it begins anew.
 */
export function openSession(
  exchange: Exchange,
  head: RequestHead,
  session: CompiledSession,
): CompiledBackend | undefined {
  const token = readToken(head, session);
  const backend = token === undefined ? undefined : session.backends.get(token.cluster);
  const isThere = token !== undefined && backend?.cluster?.serves(token.endpoint) === true;
  exchange.affinity = { token: isThere ? token : undefined, made: undefined };
  return isThere ? backend : undefined;
}

/** The answer with what its client is to keep. */
export function tellClient(exchange: Exchange, answer: ResponseHead): ResponseHead {
  const { affinity, rule, start } = exchange;
  const session = rule?.session;
  if (affinity === undefined || start === undefined) return answer;
  const token = session === undefined ? undefined : renewToken(exchange, session, affinity.token);
  if (token === undefined && affinity.made === undefined) return answer;
  const told = answer.own();
  if (affinity.made !== undefined) told.addHeader("set-cookie", toHashCookie(affinity.made, start.head));
  if (token !== undefined && session !== undefined) tellSession(told, token, session, start.head);
  return told;
}

function tellSession(
  answer: ResponseHead,
  token: SessionToken,
  { policy }: CompiledSession,
  { scheme, route }: RequestHead,
): void {
  const { carrier, absoluteTimeout = 0 } = policy;
  const value = formatToken(token);
  if (carrier.kind === "header") {
    answer.setHeader(carrier.name, value);
    return;
  }
  const left = absoluteTimeout - (token.used - token.begun) * 1000;
  const lifetime = carrier.lifetime === "permanent" ? Math.max(0, left) : 0;
  const path = route?.cookiePath ?? "/";
  const secure = scheme === "https";
  answer.addHeader("set-cookie", formatCookie({ name: carrier.name, value, path, lifetime, secure, attributes: NONE }));
}

/** What the client has to hold from now on; undefined: what it has. */
function renewToken(
  { connection, cluster }: Exchange,
  { policy }: CompiledSession,
  token: SessionToken | undefined,
): SessionToken | undefined {
  const endpoint = connection?.endpoint.session ?? "";
  if (endpoint === "" || cluster === undefined) return undefined;
  const used = toSeconds();
  if (token === undefined || token.endpoint !== endpoint) {
    return { endpoint, cluster: toClusterMark(cluster.key), begun: used, used };
  }
  return policy.idleTimeout === undefined || token.used === used ? undefined : { ...token, used };
}

function readToken(head: RequestHead, { policy }: CompiledSession): SessionToken | undefined {
  const { carrier } = policy;
  // filters may have taken it out of what goes upstream
  const value =
    carrier.kind === "header"
      ? head.received(carrier.name.toLowerCase())
      : findCookie(head.received("cookie") ?? "", carrier.name);
  const token = value === undefined ? undefined : parseToken(value);
  return token === undefined || isOver(token, policy, toSeconds()) ? undefined : token;
}

function toHashCookie({ key, value }: MadeCookie, { scheme }: RequestHead): string {
  const { name, path = "/", lifetime = 0, attributes = [] } = key;
  const further = attributes.map((one) => (one.value === undefined ? one.name : `${one.name}=${one.value}`));
  return formatCookie({ name, value, path, lifetime, secure: scheme === "https", attributes: further });
}

const NONE: readonly string[] = [];

function toSeconds(): number {
  return Math.floor(Date.now() / 1000);
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
  affinity.made ??= { key, value: toRandomText(dependencies) };
  return affinity.made.value;
}

/** Nobody is to be kept from guessing it: it only has to be another one for each client. */
function toRandomText(source: { random(): number }): string {
  let text = "";
  for (let i = 0; i < 4; i++)
    text += Math.floor(source.random() * 65_536)
      .toString(16)
      .padStart(4, "0");
  return text;
}
