/** Our own kinds whose CustomResourceDefinitions are made from schemas in controller/src/kube/policies. */
import { backendTrafficPolicy } from "../../controller/src/kube/policies/backend-traffic-policy.ts";
import { clientTrafficPolicy } from "../../controller/src/kube/policies/client-traffic-policy.ts";

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: "string" | "integer" | "date";
  readonly jsonPath: string;
  /** 1: shown by `-o wide` only. */
  readonly priority?: 1;
}

/** One kind, and all that its CustomResourceDefinition says beside the schema. */
export interface OwnKind {
  readonly kind: string;
  readonly plural: string;
  readonly group: string;
  readonly version: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly columns: readonly PrinterColumn[];
  /** Where its fields are described. */
  readonly page: string;
  /** Description, `spec` and `status`. */
  readonly schema: object;
}

interface PolicyNames {
  readonly plural: string;
  readonly short: string;
  readonly page: string;
}

/** Policies are inherited: what a Gateway's says holds for listeners, ListenerSets and routes below it, unless theirs say otherwise (GEP-713). */
function policy(kind: string, names: PolicyNames, schema: object): OwnKind {
  return {
    kind,
    plural: names.plural,
    group: "policy.sallyport.io",
    version: "v1alpha1",
    shortNames: [names.short],
    categories: ["sallyport", "gateway-api"],
    labels: { "app.kubernetes.io/part-of": "sallyport", "gateway.networking.k8s.io/policy": "Inherited" },
    columns: [
      { name: "Target Kind", type: "string", jsonPath: ".spec.targetRefs[0].kind", priority: 1 },
      { name: "Target", type: "string", jsonPath: ".spec.targetRefs[0].name", priority: 1 },
      {
        name: "Accepted",
        type: "string",
        jsonPath: '.status.ancestors[0].conditions[?(@.type=="Accepted")].status',
      },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
    page: `docs/reference/${names.page}.md`,
    schema,
  };
}

/** All of them. */
export const ownKinds: readonly OwnKind[] = [
  policy(
    "BackendTrafficPolicy",
    { plural: "backendtrafficpolicies", short: "btp", page: "backend-traffic-policy" },
    backendTrafficPolicy(),
  ),
  policy(
    "ClientTrafficPolicy",
    { plural: "clienttrafficpolicies", short: "ctp", page: "client-traffic-policy" },
    clientTrafficPolicy(),
  ),
];
