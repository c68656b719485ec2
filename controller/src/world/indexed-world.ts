/** The World over a set of objects, indexed by kind, namespace and name; the parts that did not change are shared. */
import { kindNames } from "../kube/kinds.ts";
import type { Kind, World, WorldObject } from "./world.ts";

/** An object of any kind. */
export type AnyWorldObject = { readonly [K in Kind]: WorldObject<K> }[Kind];

interface ObjectKey {
  readonly namespace: string;
  readonly name: string;
}

/** An object that is new or another than before; gone if `object` is absent. */
export interface ObjectChange extends ObjectKey {
  readonly kind: Kind;
  readonly object?: AnyWorldObject;
}

/**
 * The world of these objects; no two may have the same kind, namespace and name. Kinds whose objects are the same as in
 * `previous` keep their index.
 */
export function indexWorld(objects: Iterable<AnyWorldObject>, previous?: IndexedWorld): IndexedWorld {
  const byKind = new Map<Kind, AnyWorldObject[]>(kindNames.map((kind) => [kind, []]));
  for (const object of objects) byKind.get(object.kind)?.push(object);
  const tables = new Map<Kind, KindTable>();
  for (const [kind, members] of byKind) {
    const known = previous?.tableOf(kind);
    tables.set(kind, known?.holds(members) === true ? known : toTable(members));
  }
  return new IndexedWorld(tables);
}

/** The table of objects of one kind, no two of the same namespace and name. */
function toTable(members: readonly AnyWorldObject[]): KindTable {
  const namespaces = new Map<string, Map<string, AnyWorldObject>>();
  for (const member of members) {
    const names = namespaces.get(member.namespace);
    if (names === undefined) namespaces.set(member.namespace, new Map([[member.name, member]]));
    else names.set(member.name, member);
  }
  return new KindTable(new Map([...namespaces].map(([namespace, names]) => [namespace, new NamespaceTable(names)])));
}

/**
 * The world after changes, which costs by what changed: everything else is shared with `previous`, which stays as it is. At
 * most one change for each object.
 */
export function changeWorld(previous: IndexedWorld, changes: readonly ObjectChange[]): IndexedWorld {
  const tables = new Map<Kind, KindTable>();
  const byKind = Map.groupBy(changes, ({ kind }) => kind);
  for (const kind of kindNames) {
    const known = previous.tableOf(kind) ?? toTable([]);
    const own = byKind.get(kind);
    tables.set(kind, own === undefined ? known : known.change(own));
  }
  return new IndexedWorld(tables);
}

/** A World held in memory. */
export class IndexedWorld implements World {
  readonly #tables: ReadonlyMap<Kind, KindTable>;

  /** Use `indexWorld`. */
  constructor(tables: ReadonlyMap<Kind, KindTable>) {
    this.#tables = tables;
  }

  /** See World. */
  get<K extends Kind>(kind: K, namespace: string, name: string): WorldObject<K> | undefined {
    const found = this.#tables.get(kind)?.get(namespace, name);
    return found === undefined ? undefined : narrow<K>(found);
  }

  /** See World. */
  list<K extends Kind>(kind: K, namespace?: string): readonly WorldObject<K>[] {
    return narrowAll<K>(this.#tables.get(kind)?.list(namespace) ?? []);
  }

  /** The index of one kind, for the next world to share. */
  tableOf(kind: Kind): KindTable | undefined {
    return this.#tables.get(kind);
  }
}

/** Always the same list: what is made of a list is remembered by it. */
const NOTHING: readonly AnyWorldObject[] = [];

/** All objects of one kind. */
class KindTable {
  readonly #namespaces: ReadonlyMap<string, NamespaceTable>;
  readonly #size: number;
  #sorted: readonly AnyWorldObject[] | undefined;

  constructor(namespaces: ReadonlyMap<string, NamespaceTable>, sorted?: readonly AnyWorldObject[]) {
    this.#namespaces = namespaces;
    this.#sorted = sorted;
    let size = 0;
    for (const table of namespaces.values()) size += table.size;
    this.#size = size;
  }

  /** Whether these are the very objects of the table. */
  holds(members: readonly AnyWorldObject[]): boolean {
    return (
      members.length === this.#size && members.every((member) => this.get(member.namespace, member.name) === member)
    );
  }

  get(namespace: string, name: string): AnyWorldObject | undefined {
    return this.#namespaces.get(namespace)?.get(name);
  }

  list(namespace?: string): readonly AnyWorldObject[] {
    if (namespace !== undefined) return this.#namespaces.get(namespace)?.list() ?? NOTHING;
    return (this.#sorted ??= [...this.#namespaces.values()]
      .flatMap((table) => table.members())
      .toSorted(compareObjects));
  }

  /** The table after the changes; it shares the namespaces that have none. */
  change(changes: readonly ObjectChange[]): KindTable {
    const namespaces = new Map(this.#namespaces);
    for (const [namespace, own] of Map.groupBy(changes, (change) => change.namespace)) {
      const table = (namespaces.get(namespace) ?? emptyNamespace).change(own);
      if (table.size === 0) namespaces.delete(namespace);
      else namespaces.set(namespace, table);
    }
    return new KindTable(namespaces, patchSorted(this.#sorted, changes));
  }
}

/** The objects of one kind in one namespace. */
class NamespaceTable {
  readonly #names: ReadonlyMap<string, AnyWorldObject>;
  #sorted: readonly AnyWorldObject[] | undefined;

  constructor(names: ReadonlyMap<string, AnyWorldObject>, sorted?: readonly AnyWorldObject[]) {
    this.#names = names;
    this.#sorted = sorted;
  }

  get size(): number {
    return this.#names.size;
  }

  get(name: string): AnyWorldObject | undefined {
    return this.#names.get(name);
  }

  /** In no order. */
  members(): readonly AnyWorldObject[] {
    return [...this.#names.values()];
  }

  list(): readonly AnyWorldObject[] {
    return (this.#sorted ??= this.members().toSorted(compareObjects));
  }

  change(changes: readonly ObjectChange[]): NamespaceTable {
    const names = new Map(this.#names);
    for (const { name, object } of changes) {
      if (object === undefined) names.delete(name);
      else names.set(name, object);
    }
    return new NamespaceTable(names, patchSorted(this.#sorted, changes));
  }
}

const emptyNamespace = new NamespaceTable(new Map());

/** Above this part of a list, sorting all of it anew is cheaper than one insertion after the other. */
const largestPatch = 0.02;

/** A sorted list after the changes; undefined if it is to be made anew by whoever asks for it. */
function patchSorted(
  sorted: readonly AnyWorldObject[] | undefined,
  changes: readonly ObjectChange[],
): readonly AnyWorldObject[] | undefined {
  if (sorted === undefined || changes.length > Math.max(1, sorted.length * largestPatch)) return undefined;
  const next = [...sorted];
  for (const change of changes) {
    const index = findPlace(next, change);
    const found = next[index];
    const isThere = found !== undefined && compareObjects(found, change) === 0;
    if (change.object === undefined) next.splice(index, isThere ? 1 : 0);
    else next.splice(index, isThere ? 1 : 0, change.object);
  }
  return next;
}

/** Index of the object, or where it would be. */
function findPlace(sorted: readonly AnyWorldObject[], wanted: ObjectKey): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const candidate = sorted[middle];
    if (candidate !== undefined && compareObjects(candidate, wanted) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compareObjects(left: ObjectKey, right: ObjectKey): number {
  if (left.namespace !== right.namespace) return left.namespace < right.namespace ? -1 : 1;
  if (left.name === right.name) return 0;
  return left.name < right.name ? -1 : 1;
}

// A table holds objects of its kind only, which TypeScript cannot follow through the map of tables.

function narrow<K extends Kind>(object: AnyWorldObject): WorldObject<K> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return object as unknown as WorldObject<K>;
}

function narrowAll<K extends Kind>(objects: readonly AnyWorldObject[]): readonly WorldObject<K>[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return objects as unknown as readonly WorldObject<K>[];
}
