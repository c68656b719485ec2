/** Listeners of a runtime: each with the hosts it serves and, per host, the index of what may win a request. */
import { DEFAULT_DATAGRAM_OPTIONS, DEFAULT_STREAM_OPTIONS, type Listener } from "@sallyport/model/listener";
import type { RouteAttachment } from "@sallyport/model/route";
import type { Candidate } from "../router/candidate.ts";
import type { CompiledListener, RouteInput, RouteResult } from "../router/contract.ts";
import { HostTable } from "../router/host-table.ts";
import { type PathIndex, PathIndexEdit } from "../router/path-index.ts";
import { copyMap } from "./copy-map.ts";

/** By hostname: exact, `*.suffix` or `*`; that of routes whose own hostname is wider with the cut behind it. */
type Hosts = ReadonlyMap<string, PathIndex>;

/** One listener with its routes. */
export class ListenerRoutes {
  readonly resource: Listener;
  readonly compiled: CompiledListener;
  readonly hosts: Hosts;
  readonly #table: HostTable<RuleFinder>;
  readonly #unmatched: RouteResult;

  constructor(resource: Listener, compiled: CompiledListener, hosts: Hosts) {
    this.resource = resource;
    this.compiled = compiled;
    this.hosts = hosts;
    this.#table = new HostTable(toFinders(hosts));
    this.#unmatched = { listener: compiled, rule: undefined, matchedPrefix: undefined, cacheable: true };
  }

  /**
   * Only the rules of the most specific hostname are asked: where none of them matches there is no falling back to those
   * of a wildcard, as Envoy's virtual hosts have none.
   */
  route(input: RouteInput): RouteResult {
    const finder = this.#table.find(input.host);
    const found = input.method === "CONNECT" ? finder?.findConnect(input) : finder?.find(input);
    return found ?? this.#unmatched;
  }
}

/** Finds the rule of a request for one hostname. */
type RuleFinder = Pick<PathIndex, "find" | "findConnect">;

/** Indexes of one hostname, by cut: the next is asked where nothing in those before matches. */
class IndexChain implements RuleFinder {
  readonly #indexes: readonly PathIndex[];

  constructor(indexes: readonly PathIndex[]) {
    this.#indexes = indexes;
  }

  find(input: RouteInput): RouteResult | undefined {
    for (const index of this.#indexes) {
      const result = index.find(input);
      if (result !== undefined) return result;
    }
    return undefined;
  }

  findConnect(input: RouteInput): RouteResult | undefined {
    for (const index of this.#indexes) {
      const result = index.findConnect(input);
      if (result !== undefined) return result;
    }
    return undefined;
  }
}

const CUT = " ";

function toHostKeys({ hostnames, cuts = [] }: RouteAttachment): ReadonlySet<string> {
  const keys = hostnames.map((hostname, index) => {
    const cut = cuts[index] ?? 0;
    return cut === 0 ? hostname : `${hostname}${CUT}${cut}`;
  });
  return new Set(keys);
}

/** What answers for each hostname: its one index, or where routes come to it by several cuts a chain of them. */
function toFinders(hosts: Hosts): ReadonlyMap<string, RuleFinder> {
  const cut = [...hosts.keys()].filter((key) => key.includes(CUT));
  if (cut.length === 0) return hosts;
  const finders = new Map<string, RuleFinder>(hosts);
  const chains = new Map<string, (readonly [cut: number, index: PathIndex])[]>();
  for (const key of cut) {
    finders.delete(key);
    const [hostname = "", length] = key.split(CUT);
    const uncut = hosts.get(hostname);
    const chain = chains.get(hostname) ?? (uncut === undefined ? [] : [[0, uncut] as const]);
    const index = hosts.get(key);
    if (index !== undefined) chain.push([Number(length), index]);
    chains.set(hostname, chain);
  }
  for (const [hostname, chain] of chains) {
    const [first, ...others] = chain.toSorted(([left], [right]) => left - right).map(([, index]) => index);
    if (first === undefined) continue;
    finders.set(hostname, others.length === 0 ? first : new IndexChain([first, ...others]));
  }
  return finders;
}

/** A listener as requests see it; `before` where nothing they see has changed, so that its routes need not change. */
export function compileListener(
  resource: Listener,
  before: CompiledListener | undefined,
  metrics: number,
): CompiledListener {
  const { key, port, protocol, http } = resource;
  const stream = resource.stream ?? (protocol === "udp" ? DEFAULT_DATAGRAM_OPTIONS : DEFAULT_STREAM_OPTIONS);
  const compiled = { key, port, protocol, http, stream, metrics };
  return before !== undefined && JSON.stringify(before) === JSON.stringify(compiled) ? before : compiled;
}

/** The changes of one listener's routes. */
export class ListenerEdit {
  readonly resource: Listener;
  readonly compiled: CompiledListener;
  readonly #base: Hosts;
  readonly #edits = new Map<string, PathIndexEdit>();

  /** `base`: what it serves now. */
  constructor(resource: Listener, compiled: CompiledListener, base: Hosts) {
    this.resource = resource;
    this.compiled = compiled;
    this.#base = base;
  }

  add(attachment: RouteAttachment, candidates: readonly Candidate[]): void {
    for (const key of toHostKeys(attachment)) {
      const edit = this.#edit(key);
      for (const candidate of candidates) edit.add(candidate);
    }
  }

  /** The candidates must be there. */
  remove(attachment: RouteAttachment, candidates: readonly Candidate[]): void {
    for (const key of toHostKeys(attachment)) {
      const edit = this.#edit(key);
      for (const candidate of candidates) edit.remove(candidate);
    }
  }

  /** The listener with all changes. Yields now and then. */
  *finish(): Generator<void, ListenerRoutes, void> {
    const hosts = yield* copyMap(this.#base);
    for (const [hostname, edit] of this.#edits) {
      const index = edit.finish();
      if (index === undefined) hosts.delete(hostname);
      else hosts.set(hostname, index);
    }
    yield;
    return new ListenerRoutes(this.resource, this.compiled, hosts);
  }

  #edit(hostname: string): PathIndexEdit {
    const known = this.#edits.get(hostname);
    if (known !== undefined) return known;
    const edit = new PathIndexEdit(this.#base.get(hostname));
    this.#edits.set(hostname, edit);
    return edit;
  }
}
