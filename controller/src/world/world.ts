/**
 * The world: one immutable, indexed view of all objects the translators may read. Reads go through `get` and `list` only,
 * so that a tracked world can note what a translation depended on.
 */
import type { SourceLocation } from "@sallyport/model/problem";
import type { KindMap } from "../kube/kinds.ts";

/** A kind the translators know. */
export type Kind = keyof KindMap;

/** An object with where it came from. `age` sorts older before newer as text (creationTimestamp, else file and document). */
export interface WorldObject<K extends Kind> {
  readonly kind: K;
  readonly namespace: string;
  readonly name: string;
  readonly object: KindMap[K];
  readonly age: string;
  /** Where it stands in a file; absent for objects from an API server. */
  readonly source?: SourceLocation;
}

/** What translators read. */
export interface World {
  /** The object, or undefined. `namespace` is "" for cluster-scoped kinds. */
  get<K extends Kind>(kind: K, namespace: string, name: string): WorldObject<K> | undefined;
  /** All objects of a kind, of one namespace if given, sorted by namespace and name. */
  list<K extends Kind>(kind: K, namespace?: string): readonly WorldObject<K>[];
  /**
   * Another object whenever any object of the kind is another, so that nothing of a kind need be compared where nothing changed.
   * Absent where what is read is noted.
   */
  tableOf?(kind: Kind): object | undefined;
}
