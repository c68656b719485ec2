/** The World over a set of objects, indexed by kind, namespace and name; the parts that did not change are shared. */
import { kindNames } from "../kube/kinds.ts";
import type { Kind, World, WorldObject } from "./world.ts";

/** An object of any kind. */
export type AnyWorldObject = { readonly [K in Kind]: WorldObject<K> }[Kind];

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
    tables.set(kind, known?.holds(members) === true ? known : new KindTable(members));
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

/** All objects of one kind. */
class KindTable {
  readonly #members: readonly AnyWorldObject[];
  readonly #namespaces = new Map<string, Map<string, AnyWorldObject>>();
  #sorted: readonly AnyWorldObject[] | undefined;
  readonly #sortedByNamespace = new Map<string, readonly AnyWorldObject[]>();

  constructor(members: readonly AnyWorldObject[]) {
    this.#members = members;
    for (const member of members) {
      const names = this.#namespaces.get(member.namespace);
      if (names === undefined) this.#namespaces.set(member.namespace, new Map([[member.name, member]]));
      else names.set(member.name, member);
    }
  }

  /** Whether these are the very objects of the table, in the same order. */
  holds(members: readonly AnyWorldObject[]): boolean {
    return members.length === this.#members.length && members.every((member, index) => member === this.#members[index]);
  }

  get(namespace: string, name: string): AnyWorldObject | undefined {
    return this.#namespaces.get(namespace)?.get(name);
  }

  list(namespace?: string): readonly AnyWorldObject[] {
    if (namespace === undefined) return (this.#sorted ??= this.#members.toSorted(compareObjects));
    const known = this.#sortedByNamespace.get(namespace);
    if (known !== undefined) return known;
    const sorted = [...(this.#namespaces.get(namespace)?.values() ?? [])].toSorted(compareObjects);
    this.#sortedByNamespace.set(namespace, sorted);
    return sorted;
  }
}

function compareObjects(left: AnyWorldObject, right: AnyWorldObject): number {
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
