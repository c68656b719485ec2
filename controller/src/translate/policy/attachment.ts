/**
 * Where policies apply (GEP-713): who has which target, and what policies of several targets that meet come to, field by field.
 * For every kind of policy whose targets are in its own namespace.
 */

/** What a policy names as its target. */
export interface TargetRef {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  /** A listener, a rule of a route, or a port of a Service, by name. */
  readonly sectionName?: string;
}

/** A Gateway, an Ingress, or a target that is not there, by the words of a reference. */
export interface AncestorRef extends TargetRef {
  readonly namespace: string;
}

/** What attachment asks of a policy; objects of the world fit. `age` sorts older before newer as text. */
export interface AttachedPolicy {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly age: string;
  readonly object: { readonly spec: { readonly targetRefs: readonly TargetRef[] } };
}

/** By target: the policies that name it, of which the first has it and the others have nothing there. */
export type PolicyIndex<P extends AttachedPolicy> = ReadonlyMap<string, readonly P[]>;

/**
 * Indexes policies of one kind; once for each list. The older has a target, then the first by namespace and name, as a list of the
 * world is sorted. Whether a policy can be carried out is not asked: a broken one does not give way to one with other terms.
 */
export function indexPolicies<P extends AttachedPolicy>(policies: readonly P[]): PolicyIndex<P> {
  const known = indexes.get(policies);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is kept for a list was made of that list
  if (known !== undefined) return known as PolicyIndex<P>;
  const index = new Map<string, P[]>();
  for (const policy of policies.toSorted(compareAge)) {
    for (const ref of policy.object.spec.targetRefs) {
      const key = toTargetKey(policy.namespace, ref);
      const holders = index.get(key) ?? [];
      index.set(key, holders);
      if (!holders.includes(policy)) holders.push(policy);
    }
  }
  indexes.set(policies, index);
  return index;
}

const indexes = new WeakMap<readonly AttachedPolicy[], PolicyIndex<AttachedPolicy>>();

function compareAge({ age: left }: AttachedPolicy, { age: right }: AttachedPolicy): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** The policy that has exactly this target; one of a whole object does not have its sections here. */
export function findHolder<P extends AttachedPolicy>(
  index: PolicyIndex<P>,
  namespace: string,
  ref: TargetRef,
): P | undefined {
  return index.get(toTargetKey(namespace, ref))?.[0];
}

/** The policies that have an object or a part of it, those of one part aside as `findHolder` finds them. */
export function findHolders<P extends AttachedPolicy>(
  index: PolicyIndex<P>,
  namespace: string,
  { group, kind, name }: TargetRef,
): readonly P[] {
  const prefix = toTargetKey(namespace, { group, kind, name });
  return toObjects(index).get(prefix) ?? [];
}

/** By whole object; made when somebody asks. */
function toObjects<P extends AttachedPolicy>(index: PolicyIndex<P>): ReadonlyMap<string, readonly P[]> {
  const known = objects.get(index);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is kept for an index was made of that index
  if (known !== undefined) return known as ReadonlyMap<string, readonly P[]>;
  const byObject = new Map<string, P[]>();
  for (const [key, [holder]] of index) {
    if (holder === undefined) continue;
    const object = key.slice(0, key.lastIndexOf("/") + 1);
    const holders = byObject.get(object) ?? [];
    byObject.set(object, holders);
    if (!holders.includes(holder)) holders.push(holder);
  }
  objects.set(index, byObject);
  return byObject;
}

const objects = new WeakMap<object, ReadonlyMap<string, readonly AttachedPolicy[]>>();

/** An empty section name is none. */
function toTargetKey(namespace: string, { group, kind, name, sectionName = "" }: TargetRef): string {
  return `${group}/${kind}/${namespace}/${name}/${sectionName}`;
}

/** What one policy, or the object itself, says at one level of specificity. */
export interface Layer<F extends object> {
  /** Kind, namespace and name, as people are told. */
  readonly owner: string;
  /** What is undefined is not said. */
  readonly fields: Partial<F>;
}

/** A field of a policy where policies meet: in force where `by` is the owner itself. */
export interface FieldFate {
  readonly owner: string;
  readonly field: string;
  /** Whose field it is that counts. */
  readonly by: string;
}

/** What layers come to. */
export interface MergedLayers<F extends object> {
  readonly fields: Partial<F>;
  /** Of each field of each layer, in the order of layers. */
  readonly fates: readonly FieldFate[];
}

/** Merges layers, the most specific first: each field as a whole is of the first that says it. */
export function mergeLayers<F extends object>(layers: readonly Layer<F>[]): MergedLayers<F> {
  const fields: Partial<F> = {};
  const owners = new Map<string, string>();
  const fates: FieldFate[] = [];
  for (const { owner, fields: own } of layers) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- layers are made with the fields of their type
    for (const field of Object.keys(own) as (keyof F & string)[]) {
      if (own[field] === undefined) continue;
      const by = owners.get(field) ?? owner;
      if (!owners.has(field)) fields[field] = own[field];
      owners.set(field, by);
      fates.push({ owner, field, by });
    }
  }
  return { fields, fates };
}

/** Kind, namespace and name of a policy, for people and as the owner of a layer. */
export function tellPolicy({ kind, namespace, name }: AttachedPolicy): string {
  return `${kind} ${namespace}/${name}`;
}
