/** RequestMirror. */
import type { Fraction } from "@sallyport/model/policy";
import type { HTTPRouteRequestMirror } from "../../kube/generated/types/http-route.ts";
import { resolveBackend } from "./backend-ref.ts";
import { refuseEmpty, type TranslateFilter } from "./filter-outcome.ts";

/** RequestMirror to a mirror policy. One that leads nowhere is left out: the request itself is not to suffer. */
export const translateMirror: TranslateFilter = (context, { requestMirror }, place) => {
  if (requestMirror === undefined) return refuseEmpty(place, "requestMirror");
  const cluster = resolveBackend(context, requestMirror.backendRef, `${place.path}.requestMirror.backendRef`);
  if (!cluster.ok) return { unresolved: [cluster.error] };
  const share = toShare(requestMirror);
  return share.numerator === 0 ? {} : { policy: { kind: "mirror", cluster: cluster.value.cluster, share } };
};

function toShare({ percent, fraction }: HTTPRouteRequestMirror): Fraction {
  if (fraction !== undefined) return { numerator: fraction.numerator, denominator: fraction.denominator };
  return { numerator: percent ?? 100, denominator: 100 };
}
