/** What a history is about, and the configuration that chance gives it. */
import assert from "node:assert/strict";
import { type Cluster, DEFAULT_CLUSTER, DEFAULT_HTTP2_CLIENT_OPTIONS } from "@sallyport/model/cluster";
import {
  DEFAULT_HTTP2_SERVER_OPTIONS,
  DEFAULT_HTTP_SERVER_OPTIONS,
  type HttpServerOptions,
} from "@sallyport/model/listener";
import type { RetryCause } from "@sallyport/model/retry";
import type { Filter } from "@sallyport/policies/filter";
import { compilePolicy } from "@sallyport/policies/registry";
import { below, pick } from "@sallyport/testkit/random";
import { compileRetry } from "../../../src/retry/policy.ts";
import type { CompiledRule } from "../../../src/router/contract.ts";
import type { Malice } from "./adverse-backend.ts";

/** Milliseconds for a request, all tries together. */
export const REQUEST_TIMEOUT = 1500;
/** Retries by the policy. */
export const ATTEMPTS = 2;
/** Where requests go, and where copies do. */
export const MAIN = "test/main:80";
export const COPY = "test/copies:80";
const BACKEND_TIMEOUT = 300;

/** What a history is about. */
export interface Plot {
  readonly malice: Malice;
  /** Copies go to a cluster whose backends are so bad; absent: there are none. */
  readonly copies?: Malice;
  /** All are answered as they should be, or nothing is known of that. */
  readonly requests: "honest" | "any";
}

const MIRROR: Filter = {
  deterministic: true,
  onRequest(request) {
    request.mirrorTo(COPY);
    return undefined;
  },
};

/** The rule of all requests. */
export function drawRule(
  random: () => number,
  { requests, copies, isNonIdempotent }: Plot & { readonly isNonIdempotent: boolean },
): Partial<CompiledRule> {
  const capabilities = { random, delay: () => Promise.resolve(), page: () => assert.fail("there are none") };
  const filters: Filter[] = [];
  if (random() < 0.3)
    filters.push(compilePolicy({ kind: "request-body", maxBytes: 60_000, whole: true }, capabilities));
  if (copies !== undefined) filters.push(MIRROR);
  const isHonest = requests === "honest";
  const backoff = { least: 0, base: 10, max: 50 };
  const on = pick<RetryCause[]>(random, [["reset"], ["5xx"], ["connect-failure", "refused-stream"]]);
  const policy = { attempts: ATTEMPTS, on, statuses: [], backoff, nonIdempotent: isNonIdempotent };
  return {
    filters,
    retry: random() < 0.7 ? compileRetry(policy) : undefined,
    requestTimeout: isHonest ? 0 : REQUEST_TIMEOUT,
    backendTimeout: !isHonest && random() < 0.5 ? BACKEND_TIMEOUT : 0,
  };
}

/** A cluster that speaks HTTP/2. */
export function drawCluster(random: () => number, key: string): Cluster {
  return {
    kind: "cluster",
    key,
    discovery: { kind: "endpoints" },
    protocol: "http2",
    ...DEFAULT_CLUSTER,
    connectTimeout: 500,
    retryBudget: { kind: "concurrent", percent: 100, minimum: 20 },
    limits: { connections: 1 + below(random, 6), pending: 1000 },
    pool: { idleTimeout: 5000, maxLifetime: random() < 0.8 ? 0 : 300 },
    http2: {
      ...DEFAULT_HTTP2_CLIENT_OPTIONS,
      maxConcurrentStreams: pick(random, [1, 3, 100]),
      streamWindow: pick(random, [1000, 65_536, 262_144]),
      connectionWindow: pick(random, [65_536, 1_048_576]),
      pingInterval: pick(random, [0, 1000]),
      pingTimeout: 500,
    },
  };
}

/** What clients are held to. */
export function drawServer(random: () => number, { requests }: Plot): HttpServerOptions {
  const http2 = {
    ...DEFAULT_HTTP2_SERVER_OPTIONS,
    maxConcurrentStreams: 20,
    streamWindow: pick(random, [1000, 65_536]),
    abuseBudget: 100_000,
  };
  // where every request must be answered, the line for the one stream of the one connection may be long
  const streamIdleTimeout = requests === "honest" ? 300_000 : 20_000;
  return { ...DEFAULT_HTTP_SERVER_OPTIONS, headTimeout: 60_000, streamIdleTimeout, http2 };
}
