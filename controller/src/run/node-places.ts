/**
 * Places of nodes, by which proxies know which endpoints are near: of all that a Node says only its metadata is asked for, and where it is
 * is kept.
 */
import type { Place } from "@sallyport/model/distribution";
import type { KubeApi } from "../api/contract.ts";
import type { ApiLog } from "../api/log.ts";
import { watchList } from "../api/watch-list.ts";
import type { NodePlaces } from "../distribute/proxy-stream.ts";
import { isRecord } from "../kube/field-path.ts";
import type { NodeFacts } from "../translate/services/endpoint-places.ts";

/** Places that are kept up to date. */
export interface WatchedPlaces extends NodePlaces {
  /** Resolves when all nodes have been told of once. */
  readonly synced: Promise<void>;
  /** For translation. */
  readonly facts: NodeFacts;
  close(): Promise<void>;
}

/** What a node says of where it is. */
type NodePlace = Pick<Place, "region" | "zone" | "subzone">;

const LABELS = {
  region: "topology.kubernetes.io/region",
  zone: "topology.kubernetes.io/zone",
  subzone: "topology.istio.io/subzone",
} as const satisfies Record<keyof NodePlace, string>;

/** Watches the Nodes of a cluster until closed. */
export function watchPlaces(api: KubeApi, log: ApiLog): WatchedPlaces {
  const places = new KnownPlaces();
  const nodes = watchList(
    api,
    { path: "/api/v1/nodes", part: "metadata", log },
    {
      onObject: (node, { name }) => places.put(name, readPlace(node)),
      onDelete: ({ name }) => places.put(name, undefined),
    },
  );
  return {
    synced: nodes.synced,
    get facts() {
      return places.facts;
    },
    placeOf: (node) => places.placeOf(node),
    onChange: (listener) => places.onChange(listener),
    close: async () => nodes.close(),
  };
}

/** Where nodes are, and what that makes of zones. Exported for its test. */
export class KnownPlaces implements NodePlaces {
  readonly #nodes = new Map<string, NodePlace>();
  readonly #listeners = new Set<() => void>();
  /** What proxies are told, by where they are: made once, so that thousands of nodes cost nothing each. */
  readonly #told = new Map<string, Place>();
  /** Of zones that had nodes at any time: a zone does not move to another region. */
  readonly #regions = new Map<string, string>();

  #facts: NodeFacts | undefined;

  /** As they are now; another object after a change. */
  get facts(): NodeFacts {
    return (this.#facts ??= {
      localityOf: (node) => {
        const known = this.#nodes.get(node);
        const isSaid = known !== undefined && Object.keys(known).length > 0;
        return isSaid ? { region: "", zone: "", subzone: "", ...known } : undefined;
      },
    });
  }

  placeOf(node: string | undefined): Place {
    const known = (node === undefined ? undefined : this.#nodes.get(node)) ?? {};
    const key = JSON.stringify([known.region, known.zone, known.subzone]);
    const told = this.#told.get(key) ?? this.#tell(known);
    this.#told.set(key, told);
    return told;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Takes over where a node is; undefined: it is gone. */
  put(node: string, place: NodePlace | undefined): void {
    const before = this.#nodes.get(node);
    if (place === undefined) this.#nodes.delete(node);
    else this.#nodes.set(node, place);
    const isNews = place !== undefined && this.#learn(place);
    if (!isNews && isSame(before, place)) return;
    this.#facts = undefined;
    for (const listener of this.#listeners) listener();
  }

  #learn({ region, zone }: NodePlace): boolean {
    if (region === undefined || zone === undefined || this.#regions.get(zone) === region) return false;
    this.#regions.set(zone, region);
    this.#told.clear();
    return true;
  }

  #tell(place: NodePlace): Place {
    return { kind: "place", ...place, ...(this.#regions.size > 0 && { regions: Object.fromEntries(this.#regions) }) };
  }
}

function readPlace({ metadata }: Readonly<Record<string, unknown>>): NodePlace {
  const labels = isRecord(metadata) && isRecord(metadata["labels"]) ? metadata["labels"] : {};
  const read = (name: keyof NodePlace): NodePlace => {
    const value = labels[LABELS[name]];
    return typeof value === "string" && value !== "" ? { [name]: value } : {};
  };
  return { ...read("region"), ...read("zone"), ...read("subzone") };
}

function isSame(one: NodePlace | undefined, other: NodePlace | undefined): boolean {
  return one?.region === other?.region && one?.zone === other?.zone && one?.subzone === other?.subzone;
}
