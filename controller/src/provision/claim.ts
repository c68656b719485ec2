/** Whether an object that has the name of one of ours is ours to change. Somebody's own Deployment must never be taken over. */
import { CONTROLLER_ANNOTATION, MANAGED_BY_LABEL, MANAGER } from "./identity.ts";
import type { LiveObject } from "./live-objects.ts";
import { toKeyText } from "./manifest.ts";

/** What to do with an object that is there: change it, wait until it is gone, or leave it to whoever has it, for this reason. */
export type Claim =
  | { readonly kind: "ours" }
  | { readonly kind: "ending" }
  | { readonly kind: "foreign"; readonly message: string };

/** Who asks. */
export interface Claimant {
  readonly owners: ReadonlySet<string>;
  readonly controllerName: string;
}

/** Judges an object that is there. One that was deleted with its owner left behind (`--cascade=orphan`) is ours again. */
export function judgeClaim(live: LiveObject, { owners, controllerName }: Claimant): Claim {
  if (live.isEnding) return { kind: "ending" };
  if (live.owners.some((owner) => owners.has(owner))) return { kind: "ours" };
  const isMadeByUs = isManaged(live, controllerName);
  if (isMadeByUs && live.owners.length === 0) return { kind: "ours" };
  const whose = isMadeByUs ? `was made for ${live.ownerName}, which is another one` : tellOwner(live);
  const message = `${toKeyText(live.key)} ${whose}: it is left alone; delete or rename it, or rename the Gateway`;
  return { kind: "foreign", message };
}

/** Whether this controller made it. */
export function isManaged(live: LiveObject, controllerName: string): boolean {
  return live.labels[MANAGED_BY_LABEL] === MANAGER && live.annotations[CONTROLLER_ANNOTATION] === controllerName;
}

function tellOwner({ ownerName }: LiveObject): string {
  return ownerName === "" ? "exists already and was not made by this controller" : `belongs to ${ownerName}`;
}
