/** Statuses of routes: one entry for each parentRef that is ours, whatever the kind of route. */
import type { HTTPRouteParentRef } from "../../kube/generated/types/http-route.ts";
import { type Condition, type ConditionMaker, conditionsOf, tellFlaws } from "../condition.ts";
import { toObjectRef } from "../flaw.ts";
import type { ObjectStatus, TranslateOptions } from "../translator.ts";
import type { AttachResult } from "./attach.ts";
import type { RouteBody } from "./route-body.ts";
import { bodiesOf, mergeFlaws, type RouteDraft } from "./route-draft.ts";

/** The status a route should have: Accepted and ResolvedRefs under each parent, also under one that refuses it. */
export function toRouteStatus(draft: RouteDraft, { controllerName }: TranslateOptions): ObjectStatus {
  const conditions = conditionsOf(draft.subject);
  return {
    object: toObjectRef(draft.subject),
    status: {
      parents: draft.parents.map((parent) => {
        const bodies = bodiesOf(draft, parent);
        const unresolved = mergeFlaws(bodies.map((body) => body.unresolved));
        return {
          parentRef: toParentRef(parent.ref),
          controllerName,
          conditions: [
            ...judgeAcceptance(conditions, parent.result, bodies),
            conditions.judge("ResolvedRefs", unresolved, {
              reason: "ResolvedRefs",
              message: "every reference was resolved",
            }),
          ],
        };
      }),
    },
  };
}

function judgeAcceptance(conditions: ConditionMaker, result: AttachResult, bodies: readonly RouteBody[]): Condition[] {
  if (result.kind === "refused") return [conditions.judge("Accepted", [result.flaw], ACCEPTED)];
  const broken = bodies[0]?.broken ?? [];
  const flaws = broken.flatMap((rule) => rule.flaws);
  if (bodies.some(({ accepted }) => !accepted)) return [conditions.judge("Accepted", flaws, ACCEPTED)];
  const acceptance = conditions.holds("Accepted", ACCEPTED.reason, ACCEPTED.message);
  if (broken.length === 0) return [acceptance];
  const names = broken.map(({ index }) => index).join(", ");
  const message = `Dropped Rule ${names} (counted from 0), whose requests are not forwarded: ${tellFlaws(flaws)}`;
  return [acceptance, conditions.holds("PartiallyInvalid", "UnsupportedValue", message)];
}

const ACCEPTED = { reason: "Accepted", message: "the route is attached" };

/** The reference as the user wrote it, with the API's defaults and in one order. */
function toParentRef({ group, kind, namespace, name, sectionName, port }: HTTPRouteParentRef): HTTPRouteParentRef {
  return {
    group,
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    ...(sectionName === undefined ? {} : { sectionName }),
    ...(port === undefined ? {} : { port }),
  };
}
