/** A listener: one place where traffic comes in, as one listener of one Gateway. Several may share a bound port. */
import { Type, type Static } from "typebox";
import { BindPort, Count, Port } from "./number.ts";

/** Limits and habits of the HTTP server role. All times in milliseconds, sizes in bytes. */
export const HttpServerOptions = Type.Object({
  maxHeadBytes: Count,
  maxHeaderFields: Count,
  /** From the first byte of a head to its last. */
  headTimeout: Count,
  /** Longest wait for the next byte of a request body. */
  bodyIdleTimeout: Count,
  /** Longest silence between exchanges on a kept-alive connection. */
  idleTimeout: Count,
  /** Longest silence inside an exchange or a tunnel. */
  streamIdleTimeout: Count,
  /** How many proxies in front of us are trusted to have written X-Forwarded-For (0: nobody, the edge). */
  trustedHops: Count,
  /** Fields whose name holds `_`, which CGI-style backends cannot tell from `-`. */
  underscores: Type.Union([Type.Literal("reject"), Type.Literal("drop"), Type.Literal("allow")]),
  mergeSlashes: Type.Boolean(),
  /** What happens to `%2F` and `%5C` in a path (Envoy: path_with_escaped_slashes_action). */
  escapedSlashes: Type.Union([
    Type.Literal("keep"),
    Type.Literal("reject"),
    Type.Literal("unescape-and-redirect"),
    Type.Literal("unescape-and-forward"),
  ]),
});
/** Limits and habits of the HTTP server role. */
export type HttpServerOptions = Static<typeof HttpServerOptions>;

/** The hardened defaults of Gateway API listeners; the figures follow Envoy's edge guide (best_practices/edge). */
export const DEFAULT_HTTP_SERVER_OPTIONS: HttpServerOptions = {
  maxHeadBytes: 61_440,
  maxHeaderFields: 100,
  headTimeout: 10_000,
  bodyIdleTimeout: 60_000,
  idleTimeout: 3_600_000,
  streamIdleTimeout: 300_000,
  trustedHops: 0,
  underscores: "reject",
  mergeSlashes: true,
  escapedSlashes: "unescape-and-redirect",
};

/** TLS termination: the secrets whose certificates it serves, by key `namespace/name`. */
const ListenerTls = Type.Object({ certificates: Type.Array(Type.String()) });

/** One listener. `port` is what users see and match; the socket is bound at `bind` (after any port map). */
export const Listener = Type.Object({
  kind: Type.Literal("listener"),
  /** `namespace/gateway/listener`. */
  key: Type.String(),
  port: Port,
  bind: Type.Object({ address: Type.String(), port: BindPort }),
  protocol: Type.Union([Type.Literal("http"), Type.Literal("https")]),
  /** Lower case; `*.example.com` for any subdomain; absent for all hosts. */
  hostname: Type.Optional(Type.String()),
  tls: Type.Optional(ListenerTls),
  http: HttpServerOptions,
});
/** One listener. */
export type Listener = Static<typeof Listener>;

/** `address:port`, IPv6 in brackets: what listeners that share a socket have in common. */
export function toBindKey({ address, port }: Listener["bind"]): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
