/** What fields of ClientTrafficPolicies say, in the terms of listeners. */
import {
  type ConnectionOptions,
  DEFAULT_HTTP2_SERVER_OPTIONS,
  type Http2ServerOptions,
  type HttpServerOptions,
  type Listener,
  type ListenerTls,
  type ProxyProtocolIn,
  type StreamOptions,
} from "@sallyport/model/listener";
import type {
  ClientTrafficPolicyClientIPDetection,
  ClientTrafficPolicyConnection,
  ClientTrafficPolicyHeaders,
  ClientTrafficPolicyHTTP2,
  ClientTrafficPolicyPath,
  ClientTrafficPolicySpec,
  ClientTrafficPolicyTimeout,
  ClientTrafficPolicyTLS,
} from "../../kube/generated/types/client-traffic-policy.ts";
import type { WorldObject } from "../../world/world.ts";
import type { Flaw } from "../flaw.ts";
import { TLS_1_3, toCipherSuites } from "../tls-options.ts";
import { ValueReader } from "../traffic/values.ts";

/** What is said of TLS by policies and by listeners themselves. */
export type TlsTerms = Pick<ListenerTls, "minVersion" | "maxVersion" | "ciphers">;

/** What is said of a listener; what is absent is as listeners have it. */
export interface ClientSettings {
  readonly http?: Partial<Omit<HttpServerOptions, "http2">>;
  readonly http2?: Partial<Http2ServerOptions>;
  /** Of connections that are passed on as bytes. */
  readonly stream?: Partial<StreamOptions>;
  readonly connections?: ConnectionOptions;
  readonly proxyProtocol?: ProxyProtocolIn;
  readonly tls?: TlsTerms;
}

/** Names of the fields by which policies win or lose. */
export type ClientField = Exclude<keyof ClientTrafficPolicySpec, "targetRefs">;

/** The fields of a policy that say something. */
export type ClientFields = { readonly [F in ClientField]?: ClientSettings | undefined };

/** A policy by itself. */
export interface JudgedClientPolicy {
  readonly fields: ClientFields;
  /** Values that cannot be used; `fields` are without them. */
  readonly flaws: readonly Flaw[];
}

const judged = new WeakMap<WorldObject<"ClientTrafficPolicy">, JudgedClientPolicy>();

/**
 * Judges a policy by itself; once for each object. As in BackendTrafficPolicies (judgeTraffic) a value that cannot be used is as if it were
 * not written, and all else is in force: a wrong cipher suite must not open what minVersion, limits and lists of trusted proxies close.
 */
export function judgeClientPolicy(policy: WorldObject<"ClientTrafficPolicy">): JudgedClientPolicy {
  const known = judged.get(policy);
  if (known !== undefined) return known;
  const read = new ValueReader();
  const judgement = { fields: toFields(policy.object.spec, read), flaws: read.flaws };
  judged.set(policy, judgement);
  return judgement;
}

function toFields(spec: ClientTrafficPolicySpec, read: ValueReader): ClientFields {
  const { clientIPDetection, proxyProtocol, path, headers, timeout, connection, http2, healthCheck, tls } = spec;
  return {
    clientIPDetection: clientIPDetection && translateClientIp(clientIPDetection),
    proxyProtocol: proxyProtocol && {
      proxyProtocol: { trusted: [...new Set(proxyProtocol.trustedCIDRs)], required: !proxyProtocol.optional },
    },
    path: path && translatePath(path),
    headers: headers && translateHeaders(headers, read),
    timeout: timeout && translateTimeout(timeout, read),
    connection: connection && translateConnection(connection, read),
    http2: http2 && { http2: translateHttp2(http2, read) },
    healthCheck: healthCheck && { http: { healthPath: healthCheck.path } },
    tls: tls && { tls: translateTls(tls, read) },
  };
}

/** One or the other, whatever the process was started with. */
function translateClientIp({ xForwardedFor = {} }: ClientTrafficPolicyClientIPDetection): ClientSettings {
  const { numTrustedHops: trustedHops = 0, trustedCIDRs } = xForwardedFor;
  if (trustedCIDRs === undefined) return { http: { trustedHops } };
  return { http: { trustedHops, trustedProxies: [...new Set(trustedCIDRs)] } };
}

const ESCAPED_SLASHES: Readonly<
  Record<ClientTrafficPolicyPath["escapedSlashesAction"], HttpServerOptions["escapedSlashes"]>
> = {
  KeepUnchanged: "keep",
  RejectRequest: "reject",
  UnescapeAndRedirect: "unescape-and-redirect",
  UnescapeAndForward: "unescape-and-forward",
};

function translatePath({ escapedSlashesAction, disableMergeSlashes }: ClientTrafficPolicyPath): ClientSettings {
  return { http: { escapedSlashes: ESCAPED_SLASHES[escapedSlashesAction], mergeSlashes: !disableMergeSlashes } };
}

const UNDERSCORES: Readonly<
  Record<ClientTrafficPolicyHeaders["withUnderscoresAction"], HttpServerOptions["underscores"]>
> = { Allow: "allow", RejectRequest: "reject", DropHeader: "drop" };

/** Less than any client sends; and more than any has reason to, for a head that comes line by line is read anew with each. */
const LEAST_HEAD = 1024;
const MOST_HEAD = 262_144;

function translateHeaders(headers: ClientTrafficPolicyHeaders, read: ValueReader): ClientSettings {
  const { withUnderscoresAction, maxBytes, maxFields: maxHeaderFields } = headers;
  const path = "spec.headers.maxBytes";
  const bytes = read.bytes(maxBytes, path);
  const isFit = bytes !== undefined && bytes >= LEAST_HEAD && bytes <= MOST_HEAD;
  if (bytes !== undefined && !isFit) read.refuse(path, "it must be 1Ki to 256Ki; the default holds instead");
  return {
    http: {
      underscores: UNDERSCORES[withUnderscoresAction],
      ...(isFit && { maxHeadBytes: bytes }),
      ...(maxHeaderFields !== undefined && { maxHeaderFields }),
    },
  };
}

/** What `0s` asks for: ten years. */
const NEVER = 315_360_000_000;

function translateTimeout(timeout: ClientTrafficPolicyTimeout, read: ValueReader): ClientSettings {
  const limit = (name: "requestBodyIdle" | "idle" | "streamIdle" | "tcpIdle"): number | undefined => {
    const milliseconds = read.milliseconds(timeout[name], `spec.timeout.${name}`);
    return milliseconds === 0 ? NEVER : milliseconds;
  };
  const headTimeout = read.span(timeout.requestHead, "spec.timeout.requestHead");
  const bodyIdleTimeout = limit("requestBodyIdle");
  const idleTimeout = limit("idle");
  const streamIdleTimeout = limit("streamIdle");
  const tcpIdle = limit("tcpIdle");
  return {
    http: {
      ...(headTimeout !== undefined && { headTimeout }),
      ...(bodyIdleTimeout !== undefined && { bodyIdleTimeout }),
      ...(idleTimeout !== undefined && { idleTimeout }),
      ...(streamIdleTimeout !== undefined && { streamIdleTimeout }),
    },
    ...(tcpIdle !== undefined && { stream: { idleTimeout: tcpIdle } }),
  };
}

function translateConnection(connection: ClientTrafficPolicyConnection, read: ValueReader): ClientSettings {
  const { maxConnections, maxRequests } = connection;
  const maxDuration = read.milliseconds(connection.maxDuration, "spec.connection.maxDuration");
  const tcpKeepAlive = read.span(connection.tcpKeepAlive, "spec.connection.tcpKeepAlive");
  return {
    http: {
      ...(maxRequests !== undefined && { maxRequests }),
      ...(maxDuration !== undefined && maxDuration > 0 && { maxDuration }),
    },
    ...(maxDuration !== undefined && { stream: { maxLifetime: maxDuration } }),
    connections: {
      ...(maxConnections !== undefined && { maxConnections }),
      ...(tcpKeepAlive !== undefined && { tcpKeepAlive }),
    },
  };
}

function translateHttp2(http2: ClientTrafficPolicyHTTP2, read: ValueReader): Partial<Http2ServerOptions> {
  const { maxConcurrentStreams, abuseBudget } = http2;
  const path = "spec.http2.connectionWindow";
  const streamWindow = read.window(http2.streamWindow, "spec.http2.streamWindow");
  const connectionWindow = read.window(http2.connectionWindow, path);
  const isFit = connectionWindow !== undefined && connectionWindow >= LEAST_CONNECTION_WINDOW;
  if (connectionWindow !== undefined && !isFit)
    read.refuse(path, `no connection has less than ${LEAST_CONNECTION_WINDOW} bytes; the default holds instead`);
  return {
    ...(maxConcurrentStreams !== undefined && { maxConcurrentStreams }),
    ...(streamWindow !== undefined && { streamWindow }),
    ...(isFit && { connectionWindow }),
    ...(abuseBudget !== undefined && { abuseBudget }),
  };
}

/** RFC 9113 section 6.9.2: it begins with that, and SETTINGS cannot change it. */
const LEAST_CONNECTION_WINDOW = 65_535;

function translateTls({ minVersion, maxVersion, ciphers }: ClientTrafficPolicyTLS, read: ValueReader): TlsTerms {
  const terms = { minVersion, maxVersion };
  if (ciphers === undefined) return terms;
  const path = "spec.tls.ciphers";
  const { suites, foreign } = toCipherSuites(ciphers);
  for (const { message, hint } of foreign) read.refuse(path, message, hint);
  if (foreign.length > 0) return terms;
  if (maxVersion !== "1.2" || suites.some((suite) => !suite.startsWith(TLS_1_3))) return { ...terms, ciphers: suites };
  read.refuse(path, "none of these cipher suites is of TLS 1.2, the only version that is left");
  return terms;
}

/** All that the fields of one listener say. */
export function joinSettings(fields: Iterable<ClientSettings | undefined>): ClientSettings {
  let joined: ClientSettings = {};
  for (const settings of fields) {
    if (settings === undefined) continue;
    const { http, http2, stream, connections } = joined;
    joined = {
      ...joined,
      ...settings,
      http: { ...http, ...settings.http },
      http2: { ...http2, ...settings.http2 },
      stream: { ...stream, ...settings.stream },
      connections: { ...connections, ...settings.connections },
    };
  }
  return joined;
}

/** HTTP options of a listener, on those that the process has. */
export function toHttpOptions(base: HttpServerOptions, { http = {}, http2 = {} }: ClientSettings): HttpServerOptions {
  const own = Object.keys(http).length === 0 ? base : { ...base, ...http };
  if (Object.keys(http2).length === 0) return own;
  return { ...own, http2: { ...DEFAULT_HTTP2_SERVER_OPTIONS, ...base.http2, ...http2 } };
}

/** What the listener itself says goes before; what a policy says against it is left out. */
export function joinTls<T extends TlsTerms>(own: T, { ciphers, ...versions }: TlsTerms = {}): T {
  const joined = { ...versions, ...own };
  if (joined.minVersion === "1.3" && joined.maxVersion === "1.2") return own;
  const isUseful = joined.maxVersion !== "1.2" || ciphers?.some((suite) => !suite.startsWith(TLS_1_3)) === true;
  return { ...(ciphers !== undefined && isUseful && { ciphers }), ...joined };
}

/** Limits of connections, where there are any. */
export function toConnections({ connections = {} }: ClientSettings): Pick<Listener, "connections"> {
  return Object.keys(connections).length === 0 ? {} : { connections };
}
