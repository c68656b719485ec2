/**
 * Translation runs over the whole world after each change, and most of the world is as it was. What is made of one object is
 * remembered with everything that was read for it, and made again only where something of that is another object now.
 */
import type { Kind, World, WorldObject } from "../world/world.ts";

/** What was made of objects, by the object; those that nobody holds any more are forgotten. */
export class Recollection<S extends object, V> {
  readonly #known = new WeakMap<S, Remembered<V>>();

  /**
   * What `make` gives for the subject, made anew only if a read of the world or one of the other inputs differs. `make` must
   * depend on nothing else, and keep no hold of the world it is given.
   */
  recall(subject: S, { world, inputs = [] }: Sources, make: (world: World) => V): V {
    const known = this.#known.get(subject);
    if (known !== undefined && isSame(known.inputs, inputs) && isUnchanged(known.reads, world)) return known.value;
    const reader = new Reader(world);
    const value = make(reader);
    this.#known.set(subject, { value, inputs, reads: reader.reads });
    return value;
  }
}

/** What something is made from, the subject aside. */
export interface Sources {
  readonly world: World;
  /** Compared one by one, as they are. */
  readonly inputs?: readonly unknown[];
}

interface Remembered<V> {
  readonly value: V;
  readonly inputs: readonly unknown[];
  readonly reads: readonly Read[];
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
