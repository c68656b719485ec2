/** Traffic policies by themselves: what each field says, and which values cannot be used. */
import type { Page } from "@sallyport/model/page";
import type { BackendTrafficPolicySpec } from "../../kube/generated/types/backend-traffic-policy.ts";
import type { WorldObject } from "../../world/world.ts";
import { translateLoadBalancer, translateLocality } from "./balancing.ts";
import {
  translateConnection,
  translateDns,
  translateHttp2,
  translateProxyProtocol,
  translateTimeout,
} from "./connections.ts";
import { translateCompression, translateFault, translateOverrides, translateRequestBody } from "./contents.ts";
import { translateCircuitBreaker, translateHealthCheck } from "./health.ts";
import { translateRetryConstraint, translateRetryField, translateSession } from "./repetition.ts";
import type { FieldSettings, JudgedTraffic, TrafficFields } from "./settings.ts";
import { ValueReader } from "./values.ts";

/** A policy of traffic to backends, of either kind. */
export type TrafficPolicy = WorldObject<"BackendTrafficPolicy"> | WorldObject<"XBackendTrafficPolicy">;

/**
 * Judges a policy by itself; once for each object. A value that cannot be used is as if it were not written, and all else is in force:
 * the rule of ClientTrafficPolicies, too. A typing error in one field must not take away the limits that others keep (which is what a policy
 * without effect would do), nor answer every request with an error. What was in force before the error is not kept either:
 * a translation depends on the objects there are and on nothing else, so that replicas agree and a restart changes nothing.
 */
export function judgeTraffic(policy: TrafficPolicy): JudgedTraffic {
  const known = judged.get(policy);
  if (known !== undefined) return known;
  const read = new ValueReader(`${policy.kind}/${policy.namespace}/${policy.name}`);
  const fields = policy.kind === "BackendTrafficPolicy" ? toFields(policy.object.spec, read) : toXFields(policy, read);
  const judgement: JudgedTraffic = { fields, pages: pagesOf(fields), flaws: read.flaws };
  judged.set(policy, judgement);
  return judgement;
}

const judged = new WeakMap<TrafficPolicy, JudgedTraffic>();

function pagesOf(fields: TrafficFields): readonly Page[] {
  return fields.responseOverride?.pages ?? [];
}

type FieldName = Exclude<keyof BackendTrafficPolicySpec, "targetRefs">;

type TranslateField<F extends FieldName> = (
  spec: NonNullable<BackendTrafficPolicySpec[F]>,
  path: string,
  read: ValueReader,
) => FieldSettings;

const TRANSLATORS: { readonly [F in FieldName]: TranslateField<F> } = {
  loadBalancer: translateLoadBalancer,
  locality: translateLocality,
  retry: translateRetryField,
  circuitBreaker: translateCircuitBreaker,
  healthCheck: translateHealthCheck,
  timeout: translateTimeout,
  sessionPersistence: translateSession,
  faultInjection: translateFault,
  compression: translateCompression,
  responseOverride: translateOverrides,
  requestBody: translateRequestBody,
  connection: translateConnection,
  http2: translateHttp2,
  dns: translateDns,
  proxyProtocol: translateProxyProtocol,
};

function toFields(spec: BackendTrafficPolicySpec, read: ValueReader): TrafficFields {
  const translate = <F extends FieldName>(field: F): FieldSettings | undefined => {
    const value = spec[field];
    return value === undefined ? undefined : TRANSLATORS[field](value, `spec.${field}`, read);
  };
  return {
    loadBalancer: translate("loadBalancer"),
    locality: translate("locality"),
    retry: translate("retry"),
    circuitBreaker: translate("circuitBreaker"),
    healthCheck: translate("healthCheck"),
    timeout: translate("timeout"),
    sessionPersistence: translate("sessionPersistence"),
    faultInjection: translate("faultInjection"),
    compression: translate("compression"),
    responseOverride: translate("responseOverride"),
    requestBody: translate("requestBody"),
    connection: translate("connection"),
    http2: translate("http2"),
    dns: translate("dns"),
    proxyProtocol: translate("proxyProtocol"),
  };
}

function toXFields({ object: { spec } }: WorldObject<"XBackendTrafficPolicy">, read: ValueReader): TrafficFields {
  const { retryConstraint: constraint, sessionPersistence: session } = spec;
  return {
    ...(constraint === undefined
      ? {}
      : { retryConstraint: translateRetryConstraint(constraint, "spec.retryConstraint", read) }),
    ...(session === undefined
      ? {}
      : { sessionPersistence: translateSession(session, "spec.sessionPersistence", read) }),
  };
}
