/** What there is of all that controllers of this program have made, as the API server tells it. */
import type { KubeApi } from "../api/contract.ts";
import type { ApiLog } from "../api/log.ts";
import { watchList } from "../api/watch-list.ts";
import { type JsonObject, toObject, toObjects } from "../kube/json.ts";
import { MANAGED_BY_LABEL, MANAGER } from "./identity.ts";
import { manifestKinds, toKeyText, toKindPath, type ManifestKey } from "./manifest.ts";
import { findStall } from "./stall.ts";

/** An object of the API server as JSON. */
export type RawObject = JsonObject;

/** What is kept of an object. */
export interface LiveObject {
  readonly key: ManifestKey;
  readonly uid: string;
  readonly isEnding: boolean;
  readonly labels: RawObject;
  readonly annotations: RawObject;
  /** Uids of its owners. */
  readonly owners: readonly string[];
  /** `Kind name` of the owner that controls it, else of the first, for people; "" where it has none. */
  readonly ownerName: string;
  /** Of a Deployment: see findStall. */
  readonly stall: string | undefined;
}

/** Listens to what there is. `object` is as the server has it; undefined: gone. */
export type LiveListener = (key: ManifestKey, object: RawObject | undefined) => void;

/** What there is. */
export interface LiveObjects {
  /** Resolves when all kinds have been listed once. */
  readonly synced: Promise<void>;
  get(keyText: string): LiveObject | undefined;
  all(): Iterable<LiveObject>;
  /** Notes what a request of ours has just made of an object, before the watch tells; false: the watch has told what came after. */
  note(key: ManifestKey, object: RawObject): boolean;
  close(): Promise<void>;
}

/** Watches everything that is labelled as managed by us. */
export function openLiveObjects(
  api: KubeApi,
  { log, onChange }: { readonly log: ApiLog; readonly onChange: LiveListener },
): LiveObjects {
  const objects = new Map<string, LiveObject & { readonly version: bigint }>();
  const store = (key: ManifestKey, raw: RawObject): boolean => {
    const live = toLiveObject(key, raw);
    const version = toVersion(raw);
    const known = objects.get(toKeyText(key));
    // The watch may still tell what was before a request of ours.
    if (known !== undefined && known.uid === live.uid && known.version > version) return false;
    objects.set(toKeyText(key), { ...live, version });
    return true;
  };
  const query = { labelSelector: `${MANAGED_BY_LABEL}=${MANAGER}` };
  const lists = manifestKinds.map((kind) =>
    watchList(
      api,
      { path: toKindPath(kind), query, log },
      {
        onObject: (raw, { namespace, name }) => {
          const key = { kind, namespace, name };
          if (store(key, raw)) onChange(key, raw);
        },
        onDelete: ({ namespace, name }) => {
          const key = { kind, namespace, name };
          objects.delete(toKeyText(key));
          onChange(key, undefined);
        },
      },
    ),
  );
  return {
    synced: Promise.all(lists.map(async ({ synced }) => synced)).then(() => undefined),
    get: (keyText) => objects.get(keyText),
    all: () => objects.values(),
    note: store,
    close: async () => {
      await Promise.all(lists.map(async (list) => list.close()));
    },
  };
}

/** What is kept of an object of the API server. */
export function toLiveObject(key: ManifestKey, raw: RawObject): LiveObject {
  const metadata = toObject(raw["metadata"]);
  const owners = toObjects(metadata["ownerReferences"]);
  const first = owners.find((owner) => owner["controller"] === true) ?? owners[0];
  return {
    key,
    uid: toText(metadata["uid"]),
    isEnding: metadata["deletionTimestamp"] !== undefined,
    labels: toObject(metadata["labels"]),
    annotations: toObject(metadata["annotations"]),
    owners: owners.map((owner) => toText(owner["uid"])),
    ownerName: first === undefined ? "" : `${toText(first["kind"])} ${toText(first["name"])}`,
    stall: key.kind === "Deployment" ? findStall(raw) : undefined,
  };
}

/** Versions of one resource can be compared as numbers (KEP-5504); one that is none counts as the newest. */
function toVersion(raw: RawObject): bigint {
  const text = toText(toObject(raw["metadata"])["resourceVersion"]);
  return /^\d{1,30}$/.test(text) ? BigInt(text) : NEWEST;
}

const NEWEST = 1n << 128n;

function toText(value: unknown): string {
  return typeof value === "string" ? value : "";
}
