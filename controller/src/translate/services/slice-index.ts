/** EndpointSlices by Service. Endpoints change more often than all else together: a changed slice costs by what it changes. */
import type { EndpointSlice } from "../../kube/generated/types/endpoint-slice.ts";
import type { World, WorldObject } from "../../world/world.ts";

/** The label by which a slice belongs to a Service. */
const SERVICE_NAME = "kubernetes.io/service-name";

type Slices = readonly WorldObject<"EndpointSlice">[];
type SliceIndex = ReadonlyMap<string, readonly EndpointSlice[]>;

/** The slices of a Service, by their names; the same list as long as they are the same. */
export function slicesOf(
  world: World,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): readonly EndpointSlice[] {
  return indexSlices(namespace, world.list("EndpointSlice", namespace)).get(name) ?? NONE;
}

const NONE: readonly EndpointSlice[] = [];

const indexes = new WeakMap<Slices, SliceIndex>();
/** The list of each namespace that was indexed last. */
const latest = new Map<string, WeakRef<Slices>>();

/** Once for each list: a namespace of a thousand Services is walked once, not a thousand times. */
function indexSlices(namespace: string, slices: Slices): SliceIndex {
  const known = indexes.get(slices);
  if (known !== undefined) return known;
  const before = latest.get(namespace)?.deref();
  const indexBefore = before && indexes.get(before);
  const index = (before && indexBefore && patchIndex(indexBefore, before, slices)) ?? makeIndex(slices);
  indexes.set(slices, index);
  latest.set(namespace, new WeakRef(slices));
  return index;
}

function makeIndex(slices: Slices): SliceIndex {
  const index = new Map<string, EndpointSlice[]>();
  for (const { object } of slices) {
    const name = serviceOf(object);
    if (name === undefined) continue;
    const siblings = index.get(name) ?? [];
    siblings.push(object);
    index.set(name, siblings);
  }
  return index;
}

/** The index after changes of slices that stay where they are in the list; undefined where some came, went or moved. */
function patchIndex(index: SliceIndex, before: Slices, now: Slices): SliceIndex | undefined {
  if (before.length !== now.length) return undefined;
  const patched = new Map(index);
  for (const [place, { object }] of now.entries()) {
    const old = before[place]?.object;
    if (old === object) continue;
    const service = serviceOf(object);
    if (old?.metadata.name !== object.metadata.name || serviceOf(old) !== service) return undefined;
    if (service === undefined) continue;
    const siblings = patched.get(service) ?? NONE;
    patched.set(
      service,
      siblings.map((sibling) => (sibling === old ? object : sibling)),
    );
  }
  return patched;
}

function serviceOf({ metadata }: EndpointSlice): string | undefined {
  return metadata.labels?.[SERVICE_NAME];
}
