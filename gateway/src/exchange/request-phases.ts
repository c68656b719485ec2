/**
 * The phases a request goes through on its way upstream.
 *
 * | phase | when | may | a failure yields |
 * |---|---|---|---|
 * | beginRequest | the head is complete | answer by itself (overload, redirect, hop count) | a local reply |
 * | isMisdirected | before that, on TLS | find the host to be another listener's | 421 NR |
 * | routeRequest | then; skipped for a head that was routed under this runtime | find nothing | 404 NR |
 * | runFilters | rule, then backend; skipped where their outcome is in the head | wait, reply, change the head | 500 |
 * | chooseBackend | between the two | find no cluster | 500 NC |
 * | acquireConnection | all filters are through | wait (for the whole body, too) | what the cluster refuses with |
 * | sendRequest | a connection was assigned | | failUpstream in answer-phases.ts |
 */
import type { HttpServerOptions } from "@sallyport/model/listener";
import type { Filter, Verdict } from "@sallyport/policies/filter";
import type { UpstreamConnection } from "../cluster/contract.ts";
import type { RequestHead } from "../head/request-head.ts";
import type { CompiledBackend, CompiledRule, RouteResult } from "../router/contract.ts";
import { openSession } from "./affinity.ts";
import { holdsRequest } from "./request-body.ts";
import type { BodyMode, DownstreamStream, UpstreamStream } from "./contract.ts";
import type { Exchange } from "./exchange.ts";
import type { ExchangeStart } from "./exchange-state.ts";
import { parseGrpcTimeout } from "./grpc.ts";
import { failExchange, replyLocally } from "./local-reply.ts";
import { openMirrors } from "./mirror.ts";
import { repeatBody, startKeeping } from "./repetition.ts";

/** Starts the request phases. */
export function beginRequest(exchange: Exchange, start: ExchangeStart): void {
  const { dependencies } = exchange;
  const { head } = start;
  head.identify(dependencies.ids);
  if (dependencies.pressure.shed) failExchange(exchange, "overloaded");
  else if (isMisdirected(start)) refuseMisdirected(exchange, start);
  else if (head.redirectPath !== "") redirectPath(exchange, head);
  else if (head.maxForwards === 0) answerLastHop(exchange, head);
  else routeRequest(exchange, start);
}

/** Sends the request on the connection that was assigned. */
export function sendRequest(exchange: Exchange, connection: UpstreamConnection): void {
  const { start, rule } = exchange;
  if (start === undefined) return;
  const { head, downstream } = start;
  exchange.phase = "forwarding";
  exchange.connection = connection;
  exchange.upstreamHost = connection.endpoint.label;
  const upstream = connection.open(exchange);
  exchange.upstream = upstream;
  exchange.tries++;
  if (rule !== undefined && rule.backendTimeout > 0) exchange.timers.limitTry(rule.backendTimeout);
  if (head.mirrors.length > 0 && exchange.mirrors.length === 0) exchange.mirrors = openMirrors(exchange, start);
  const mode = exchange.bodyMode ?? chooseMode(exchange, start, upstream);
  if (mode === "raw" && !upstream.takesRaw) {
    failExchange(exchange, "upstream-refused");
    return;
  }
  sendHead(exchange, upstream, head, mode);
  if (head.framing === "none") endEmptyRequest(exchange, upstream, downstream);
  else if (exchange.bodyMode !== undefined) repeatBody(exchange, upstream, downstream);
  else {
    exchange.bodyMode = mode;
    exchange.kept = startKeeping(exchange, head, connection, upstream);
    downstream.takeBody(mode);
  }
}

function sendHead({ content }: Exchange, upstream: UpstreamStream, head: RequestHead, mode: BodyMode): void {
  const sent = content?.head ?? head;
  upstream.sendHead(sent, sent.framing, mode);
}

function chooseMode(exchange: Exchange, { head, downstream }: ExchangeStart, upstream: UpstreamStream): BodyMode {
  if (head.framing !== "stream" || !downstream.offersRaw || !upstream.takesRaw) return "content";
  // the next try may go to an endpoint that speaks HTTP/2
  return exchange.mirrors.length > 0 || exchange.rule?.retry !== undefined ? "content" : "raw";
}

/** What the client takes back in the same turn of reading was never written. */
function endEmptyRequest(exchange: Exchange, upstream: UpstreamStream, downstream: DownstreamStream): void {
  if (!exchange.requestEnded) for (let i = 0; i < exchange.mirrors.length; i++) exchange.mirrors[i]?.endBody("");
  exchange.requestEnded = true;
  upstream.endBody("");
  if (downstream.awaitTurn?.() !== true) upstream.flush();
}

function findRoute({ head, runtime, bind }: ExchangeStart): RouteResult | undefined {
  if (head.routedBy !== runtime) {
    if (head.touched) head.resetEdits();
    head.route = bind.route(head);
    head.routedBy = runtime;
    head.settled = false;
  }
  return head.route;
}

/**
 * RFC 9110 section 7.4: what a TLS connection proved (the server's certificate to the client, the client's to us) counts
 * for the listener it was made with, and as long as that asks for the same. By key, because a changed configuration compiles
 * its listeners anew. One without TLS has proved nothing to a port that speaks TLS by now.
 */
function isMisdirected(start: ExchangeStart): boolean {
  const { tls } = start.downstream.connection;
  if (tls === undefined) return start.bind.transport === "tls";
  return start.outdated || findRoute(start)?.listener.key !== tls.listenerKey;
}

/** Where another handshake for the same name would prove something else by now, nothing can go right any more: it ends. */
function refuseMisdirected(exchange: Exchange, { head, outdated, downstream }: ExchangeStart): void {
  if (outdated || downstream.connection.tls === undefined) head.persistent = false;
  failExchange(exchange, "misdirected");
}

function routeRequest(exchange: Exchange, start: ExchangeStart): void {
  const { head } = start;
  const route = findRoute(start);
  exchange.listener = route?.listener;
  exchange.rule = route?.rule;
  if (route !== undefined && asksForHealth(route.listener.http, head)) answerHealth(exchange);
  else if (route === undefined || route.rule === undefined) failExchange(exchange, "no-route");
  else runRule(exchange, head, route, route.rule);
}

/** Of any host of the listener, before its routes: a load balancer asks by address as a rule. */
function asksForHealth({ healthPath }: HttpServerOptions, { routePath, method }: RequestHead): boolean {
  return healthPath !== undefined && routePath === healthPath && (method === "GET" || method === "HEAD");
}

/** No rule has a part in it: neither its filters nor its name in metrics. */
function answerHealth(exchange: Exchange): void {
  exchange.rule = undefined;
  const headers = [["cache-control", "no-store"]] as const;
  if (exchange.dependencies.pressure.draining) failExchange(exchange, "draining");
  else replyLocally(exchange, { status: 200, headers, body: "", flag: "-" }, "health-check");
}

function runRule(exchange: Exchange, head: RequestHead, route: RouteResult, rule: CompiledRule): void {
  if (rule.requestTimeout > 0) exchange.timers.limitRequest(rule.requestTimeout);
  if (rule.limits !== undefined && rule.limits.maxDuration > 0) exchange.timers.limitLife(rule.limits.maxDuration);
  if (head.settled) {
    exchange.ruleFilters = rule.filters.length;
    chooseBackend(exchange, head, rule);
    return;
  }
  if (head.touched) head.resetEdits();
  head.matchedPrefix = route.matchedPrefix;
  head.listenerPort = route.listener.port;
  runFilters(exchange, rule.filters, 0);
}

/** Runs filters of the rule from `from` on, or of the backend once that is chosen. */
function runFilters(exchange: Exchange, filters: readonly Filter[], from: number): void {
  const head = exchange.start?.head;
  if (head === undefined) return;
  for (let i = from; i < filters.length; i++) {
    const verdict = filters[i]?.onRequest?.(head);
    if (verdict === undefined) continue;
    if (!isPending(verdict)) {
      noteFilters(exchange, i);
      replyLocally(exchange, verdict, "filter_reply");
      return;
    }
    noteFilters(exchange, i);
    awaitVerdict(exchange, verdict, () => runFilters(exchange, filters, i + 1));
    return;
  }
  noteFilters(exchange, filters.length);
  if (exchange.backend === undefined && exchange.rule !== undefined) chooseBackend(exchange, head, exchange.rule);
  else acquireConnection(exchange);
}

/** How many filters' response phases are due: of the list that is running. */
function noteFilters(exchange: Exchange, count: number): void {
  if (exchange.backend === undefined) exchange.ruleFilters = count;
  else exchange.backendFilters = count;
}

function isPending(verdict: Exclude<Verdict, undefined> | Promise<Verdict>): verdict is Promise<Verdict> {
  return "then" in verdict;
}

/** Goes on when the promise is settled, unless the exchange is over by then. */
function awaitVerdict(exchange: Exchange, verdict: Promise<Verdict>, goOn: () => void): void {
  const { generation } = exchange;
  exchange.waiting = true;
  const resume = (run: () => void): void => {
    if (exchange.generation !== generation) return;
    exchange.waiting = false;
    try {
      run();
    } catch (error) {
      exchange.failInside(error);
    }
  };
  verdict.then(
    (reply) => resume(reply === undefined ? goOn : () => replyLocally(exchange, reply, "filter_reply")),
    (error: unknown) =>
      resume(() => {
        exchange.failInside(error);
      }),
  );
}

function chooseBackend(exchange: Exchange, head: RequestHead, rule: CompiledRule): void {
  const kept = rule.session === undefined ? undefined : openSession(exchange, head, rule.session);
  const backend = kept ?? rule.single ?? rule.pick();
  exchange.backend = backend;
  if (backend === undefined || backend.cluster === undefined) {
    failExchange(exchange, "invalid-backend", backend === undefined ? "no-backend" : backend.invalid);
    return;
  }
  exchange.cluster = backend.cluster;
  if (backend.filters.length === 0) {
    head.settled ||= !head.idTouched && areDeterministic(rule.filters);
    acquireConnection(exchange);
  } else if (head.settled && backend === rule.single) {
    exchange.backendFilters = backend.filters.length;
    acquireConnection(exchange);
  } else runBackend(exchange, head, rule, backend);
}

function runBackend(exchange: Exchange, head: RequestHead, rule: CompiledRule, backend: CompiledBackend): void {
  const { generation } = exchange;
  head.settled = false;
  runFilters(exchange, backend.filters, 0);
  // the outcome is that of every request with this head only where no other backend could have been chosen
  if (exchange.generation !== generation || exchange.waiting || backend !== rule.single) return;
  head.settled = !head.idTouched && areDeterministic(rule.filters) && areDeterministic(backend.filters);
}

function areDeterministic(filters: readonly Filter[]): boolean {
  for (let i = 0; i < filters.length; i++) if (filters[i]?.deterministic !== true) return false;
  return true;
}

/** Asks the cluster for a connection, unless the request must not go upstream yet. */
export function acquireConnection(exchange: Exchange): void {
  const { start } = exchange;
  if (start !== undefined && start.head.bodyLimit >= 0 && holdsRequest(exchange, start)) return;
  if (start !== undefined && start.head.isGrpc) limitCall(exchange, start);
  exchange.phase = "acquiring";
  exchange.cluster?.acquire(exchange, false);
}

/** The deadline that the client of a call set, where it is before that of the rule. It counts from the beginning, filters included. */
function limitCall(exchange: Exchange, { head, startedAt }: ExchangeStart): void {
  const timeout = parseGrpcTimeout(head.received("grpc-timeout"));
  const limit = exchange.rule?.requestTimeout ?? 0;
  if (timeout === undefined || (limit > 0 && limit <= timeout)) return;
  exchange.hurried = true;
  exchange.timers.limitRequest(Math.max(0, timeout - (exchange.dependencies.now() - startedAt)));
}

/** Envoy: unescape-and-redirect. Absolute, because a path that begins with `//` would name another host. */
function redirectPath(exchange: Exchange, head: RequestHead): void {
  const location = `${head.scheme}://${head.authority}${head.redirectPath}`;
  const headers = [["location", location]] as const;
  replyLocally(exchange, { status: 307, headers, body: "", flag: "-" }, "path-normalized");
}

/** RFC 9110 section 7.6.2: the last recipient answers for itself. */
function answerLastHop(exchange: Exchange, head: RequestHead): void {
  if (head.method === "OPTIONS") {
    const headers = [["allow", "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"]] as const;
    replyLocally(exchange, { status: 200, headers, body: "", flag: "-" }, "max-forwards");
  } else replyLocally(exchange, { status: 405, headers: [], body: "", flag: "-" }, "max-forwards");
}
