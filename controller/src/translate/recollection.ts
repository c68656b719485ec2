/**
 * Translation runs over the whole world after each change, and most of the world is as it was. What is made of one object is
 * remembered with everything that was read for it, and made again only where something of that is another object now.
 */
import { kindNames } from "../kube/kinds.ts";
import type { Kind, World, WorldObject } from "../world/world.ts";

/** What was made of objects, by the object; those that nobody holds any more are forgotten. */
export class Recollection<S extends object, V> {
  readonly #known = new WeakMap<S, Remembered<V>>();

  /**
   * What `make` gives for the subject, made anew only if a read of the world or one of the other inputs differs. `make` must
   * depend on nothing else, and keep no hold of the world it is given.
   */
  recall(subject: S, sources: Sources, make: (world: World) => V): V {
    const { world, origin } = sources;
    const known = this.#known.get(subject);
    const isSameOrigin = known !== undefined && origin !== undefined && known.origin === origin;
    if (isSameOrigin && isStill(known, world)) return known.value;
    const inputs = sources.inputs?.() ?? [];
    if (known !== undefined && isSame(known.inputs, inputs) && isStill(known, world)) {
      known.origin = origin;
      return known.value;
    }
    const reader = new Reader(world);
    const value = make(reader);
    const kinds = [...new Set(reader.reads.map(({ kind }) => kind))];
    this.#known.set(subject, { value, inputs, origin, reads: reader.reads, kinds, stamp: toStamp(world) });
    return value;
  }
}

/** What something is made from, the subject aside. */
export interface Sources {
  readonly world: World;
  /** Compared one by one, as they are. */
  readonly inputs?: () => readonly unknown[];
  /** What all inputs are taken from, if they are always the same of the same object: they are then asked for once. */
  readonly origin?: object;
}

interface Remembered<V> {
  readonly value: V;
  readonly inputs: readonly unknown[];
  origin: object | undefined;
  readonly reads: readonly Read[];
  /** Of the reads, each once. */
  readonly kinds: readonly Kind[];
  /** Of a world in which the reads were found to be as they were. */
  stamp: Stamp | undefined;
}

/** An object that was asked for, or with `name` undefined a list. */
interface Read {
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly found: WorldObject<Kind> | readonly WorldObject<Kind>[] | undefined;
}

/** Notes what is read, and passes on what it is asked: a reader may read through another. */
class Reader implements World {
  readonly reads: Read[] = [];
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  get<K extends Kind>(kind: K, namespace: string, name: string): WorldObject<K> | undefined {
    const found = this.#world.get(kind, namespace, name);
    this.#note({ kind, namespace, name, found });
    return found;
  }

  list<K extends Kind>(kind: K, namespace?: string): readonly WorldObject<K>[] {
    const found = this.#world.list(kind, namespace);
    this.#note({ kind, namespace, name: undefined, found });
    return found;
  }

  /** Reads are few and repeat: the rules of a route ask for the same Services and grants. */
  #note(read: Read): void {
    const isKnown = this.reads.some(
      ({ kind, namespace, name }) => kind === read.kind && namespace === read.namespace && name === read.name,
    );
    if (!isKnown) this.reads.push(read);
  }
}

/** Whether everything would be read again as it was. Where no kind that was read has changed, reads need not be compared. */
function isStill(known: Remembered<unknown>, world: World): boolean {
  const stamp = toStamp(world);
  const isSettled = stamp !== undefined && known.stamp !== undefined && !hasChanged(known.kinds, known.stamp, stamp);
  if (!isSettled && !isUnchanged(known.reads, world)) return false;
  known.stamp = stamp ?? known.stamp;
  return true;
}

/** A number for the table of each kind, in the order of kinds: equal where nothing of the kind is different. */
export type Stamp = readonly number[];

const stamps = new WeakMap<World, Stamp>();
const numbers = new WeakMap<object, number>();
let lastNumber = 0;

/** The stamp of a world; undefined where reads are noted: who notes them must see them. It holds no world in memory, as tables would. */
export function toStamp(world: World): Stamp | undefined {
  const known = stamps.get(world);
  if (known !== undefined || world.tableOf === undefined) return known;
  const stamp = kindNames.map((kind) => toNumber(world.tableOf?.(kind)));
  stamps.set(world, stamp);
  return stamp;
}

function toNumber(table: object | undefined): number {
  if (table === undefined) return 0;
  const number = numbers.get(table) ?? ++lastNumber;
  numbers.set(table, number);
  return number;
}

/** What differs between two worlds; thousands of questions about the same two come one after the other. */
let difference = { before: [] as Stamp, now: [] as Stamp, kinds: new Set<Kind>() };

/** Whether anything of some kinds differs between two worlds. */
export function hasChanged(kinds: readonly Kind[], before: Stamp, now: Stamp): boolean {
  if (before === now) return false;
  if (difference.before !== before || difference.now !== now) {
    difference = { before, now, kinds: new Set(kindNames.filter((_, index) => before[index] !== now[index])) };
  }
  return kinds.some((kind) => difference.kinds.has(kind));
}

function isUnchanged(reads: readonly Read[], world: World): boolean {
  return reads.every(({ kind, namespace, name, found }) => {
    if (name !== undefined) return isAsBefore(found, world.get(kind, namespace ?? "", name));
    return Array.isArray(found) && isSameList(found, world.list(kind, namespace));
  });
}

/** Kinds whose statuses translation writes and does not read. */
const JUDGED: ReadonlySet<Kind> = new Set([
  "GatewayClass",
  "Gateway",
  "ListenerSet",
  "HTTPRoute",
  "GRPCRoute",
  "TLSRoute",
  "TCPRoute",
  "UDPRoute",
  "BackendTLSPolicy",
  "XBackendTrafficPolicy",
  "BackendTrafficPolicy",
  "ClientTrafficPolicy",
  "XMesh",
  "Ingress",
] satisfies Kind[]);

/** Whether an object is what it was, but for its status: what translation says must not make it start over. */
export function isAsBefore(before: unknown, now: unknown): boolean {
  if (before === now) return true;
  if (!isWorldObject(before) || !isWorldObject(now) || !JUDGED.has(now.kind)) return false;
  const last = judgements.get(now);
  if (last?.before === before) return last.same;
  const same = before.age === now.age && before.source === now.source && toContent(before) === toContent(now);
  judgements.set(now, { before, same });
  return same;
}

const judgements = new WeakMap<object, { readonly before: object; readonly same: boolean }>();

function isWorldObject(value: unknown): value is WorldObject<Kind> {
  return typeof value === "object" && value !== null && "object" in value && "kind" in value;
}

function toContent({ object }: WorldObject<Kind>): string {
  const { metadata, ...body } = object;
  return JSON.stringify([
    { ...metadata, resourceVersion: undefined },
    { ...body, status: undefined },
  ]);
}

/** Lists are made anew when any object of their kind changes; what many have read is compared once. */
function isSameList(before: readonly unknown[], now: readonly unknown[]): boolean {
  if (before === now) return true;
  if (before.length !== now.length) return false;
  const last = comparisons.get(before);
  if (last?.now === now) return last.same;
  const same = before.every((entry, index) => isAsBefore(entry, now[index]));
  comparisons.set(before, { now, same });
  return same;
}

const comparisons = new WeakMap<readonly unknown[], { readonly now: readonly unknown[]; readonly same: boolean }>();

function isSame(before: readonly unknown[], now: readonly unknown[]): boolean {
  return before.length === now.length && before.every((entry, index) => entry === now[index]);
}
