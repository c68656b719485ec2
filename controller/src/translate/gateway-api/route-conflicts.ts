/**
 * HTTPRoutes and GRPCRoutes that want one hostname of one listener: "the implementation MUST accept exactly one of these
 * two", the older one, then the one first by namespace and name (Gateway API, GRPCRouteSpec.hostnames; GEP-1016, cross serving).
 */
import type { Finding, Flaw } from "../flaw.ts";
import { ANY_HOST } from "../hostname.ts";
import type { Attachment } from "./attach.ts";
import type { ListenerPlan } from "./gateway-plan.ts";
import { HostClaims } from "./host-claims.ts";
import { attachmentsOf, isSound, type RouteDraft } from "./route-draft.ts";
import type { Parent } from "./route-parents.ts";

/** The kinds that may be on one listener and cannot share a hostname. */
const RIVALS = ["HTTPRoute", "GRPCRoute"] as const;

type Rival = (typeof RIVALS)[number];

/** The drafts, with the younger of two rivals taken off the listeners they would share. */
export function settleRivals(drafts: readonly RouteDraft[]): readonly RouteDraft[] {
  const rivals = drafts.filter(({ subject }) => isRival(subject.kind));
  if (!RIVALS.every((kind) => rivals.some(({ subject }) => subject.kind === kind))) return drafts;
  const claims: Claims = new Map();
  const settled = new Map<RouteDraft, RouteDraft>();
  for (const draft of rivals.toSorted(byPrecedence)) settled.set(draft, settleRival(claims, draft));
  return drafts.map((draft) => settled.get(draft) ?? draft);
}

/** Who has which hostnames of a listener, by kind. */
type Claims = Map<ListenerPlan, Record<Rival, HostClaims>>;

function isRival(kind: string): kind is Rival {
  return RIVALS.some((rival) => rival === kind);
}

/** A route that is not accepted comes after all others: what it answers with 500 must not be another's. */
function byPrecedence(left: RouteDraft, right: RouteDraft): number {
  const [leftKey = "", rightKey = ""] = [left, right].map((draft) => {
    const { age, namespace, name } = draft.subject;
    return `${isSound(draft) ? 0 : 1}${age}\0${namespace}/${name}`;
  });
  if (leftKey === rightKey) return 0;
  return leftKey < rightKey ? -1 : 1;
}

function settleRival(claims: Claims, draft: RouteDraft): RouteDraft {
  const findings: Finding[] = [];
  const parents = draft.parents.map((parent) => {
    const attachments = attachmentsOf(parent);
    const lost = attachments.flatMap((attachment): Flaw[] => {
      const owner = findOwner(claims, draft, attachment);
      return owner === undefined ? [] : [toConflict(parent, attachment, owner)];
    });
    const kept = attachments.filter((attachment) => findOwner(claims, draft, attachment) === undefined);
    const [flaw] = lost;
    if (flaw === undefined) return parent;
    if (kept.length === 0) return { ...parent, result: { kind: "refused" as const, flaw } };
    findings.push(...lost);
    return { ...parent, result: { kind: "attached" as const, attachments: kept } };
  });
  // One that loses nothing stays the same object: what is remembered of it still holds.
  const isSame = parents.every((parent, index) => parent === draft.parents[index]);
  const settled = isSame ? draft : { ...draft, parents, findings: [...draft.findings, ...findings] };
  claimAll(claims, settled);
  return settled;
}

/** The route of the other kind that has one of the hostnames. */
function findOwner(claims: Claims, { subject }: RouteDraft, { listener, hostnames }: Attachment): string | undefined {
  const held = claims.get(listener)?.[subject.kind === "HTTPRoute" ? "GRPCRoute" : "HTTPRoute"];
  if (held === undefined) return undefined;
  for (const hostname of hostnames) {
    const owner = held.find(hostname);
    if (owner !== undefined) return owner;
  }
  return undefined;
}

function claimAll(claims: Claims, { subject, parents }: RouteDraft): void {
  const { kind, namespace, name } = subject;
  if (!isRival(kind)) return;
  for (const { listener, hostnames } of parents.flatMap(attachmentsOf)) {
    const held = claims.get(listener) ?? { HTTPRoute: new HostClaims(), GRPCRoute: new HostClaims() };
    claims.set(listener, held);
    for (const hostname of hostnames) held[kind].claim(hostname, `${kind} ${namespace}/${name}`);
  }
}

function toConflict({ path }: Parent, { listener, hostnames }: Attachment, owner: string): Flaw {
  const hosts = hostnames.includes(ANY_HOST) ? "all hostnames" : `the hostnames ${hostnames.join(", ")}`;
  return {
    reason: "HostnameConflict",
    code: "conflict",
    path,
    message: `on the listener ${listener.spec.name} it wants ${hosts}, some of which the ${owner} has`,
    hint: "an HTTPRoute and a GRPCRoute cannot share a hostname of a listener: give one of them other hostnames",
  };
}
