/**
 * What the OpenAPI documents of built-in kinds leave out because the API server has it in code: defaults, enumerations,
 * bounds and rules between fields. Only what a gateway reads is here; each entry follows the API server's own validation.
 */
import { isObject } from "./schema.ts";
import type { CelRule, Schema } from "./schema.ts";

const port: Schema = { minimum: 1, maximum: 65535 };
const dnsLabel: Schema = { pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", maxLength: 63 };
const dnsSubdomain: Schema = {
  pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
  maxLength: 253,
};
const protocol: Schema = { enum: ["TCP", "UDP", "SCTP"], default: "TCP" };

function rules(...pairs: readonly (readonly [rule: string, message: string])[]): Schema {
  const list: CelRule[] = pairs.map(([rule, message]) => ({ rule, message }));
  return { "x-kubernetes-validations": list };
}

const service: Readonly<Record<string, Schema>> = {
  "": { required: ["spec"] },
  spec: rules(
    [
      "self.type == 'ExternalName' ? has(self.externalName) && self.externalName != '' : true",
      "externalName must be set when type is ExternalName",
    ],
    [
      "self.type == 'ExternalName' || (has(self.clusterIP) && self.clusterIP == 'None') ? true : has(self.ports) && size(self.ports) > 0",
      "ports must be set unless the Service is headless or of type ExternalName",
    ],
  ),
  "spec.type": { enum: ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"], default: "ClusterIP" },
  "spec.externalName": { maxLength: 253 },
  "spec.sessionAffinity": { enum: ["None", "ClientIP"], default: "None" },
  "spec.externalTrafficPolicy": { enum: ["Cluster", "Local"] },
  "spec.internalTrafficPolicy": { enum: ["Cluster", "Local"] },
  "spec.ipFamilyPolicy": { enum: ["SingleStack", "PreferDualStack", "RequireDualStack"] },
  "spec.ipFamilies[]": { enum: ["IPv4", "IPv6"] },
  "spec.ports": rules([
    "size(self) <= 1 || self.all(p, has(p.name) && p.name != '')",
    "every port must have a name when there are two or more",
  ]),
  "spec.ports[].name": dnsLabel,
  "spec.ports[].port": port,
  "spec.ports[].protocol": protocol,
  "spec.ports[].targetPort": { default: 0 },
};

const endpointSlice: Readonly<Record<string, Schema>> = {
  "": rules(
    [
      "!has(self.endpoints) || self.addressType != 'IPv4' || self.endpoints.all(e, e.addresses.all(a, isIPv4(a)))",
      "every address must be an IPv4 address when addressType is IPv4",
    ],
    [
      "!has(self.endpoints) || self.addressType != 'IPv6' || self.endpoints.all(e, e.addresses.all(a, isIPv6(a)))",
      "every address must be an IPv6 address when addressType is IPv6",
    ],
  ),
  addressType: { enum: ["IPv4", "IPv6", "FQDN"] },
  endpoints: { maxItems: 1000 },
  "endpoints[].addresses": { minItems: 1, maxItems: 100 },
  "endpoints[].addresses[]": { minLength: 1, maxLength: 253 },
  ports: { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] },
  "ports[].name": { ...dnsLabel, pattern: "^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", default: "" },
  "ports[].port": port,
  "ports[].protocol": protocol,
};

const ingressBackend = rules([
  "has(self.service) != has(self.resource)",
  "exactly one of service and resource must be set",
]);

const ingress: Readonly<Record<string, Schema>> = {
  "": { required: ["spec"] },
  spec: rules([
    "has(self.defaultBackend) || (has(self.rules) && size(self.rules) > 0)",
    "one of defaultBackend and rules must be set",
  ]),
  "spec.defaultBackend": ingressBackend,
  "spec.rules[].http.paths": { minItems: 1 },
  "spec.rules[].http.paths[]": rules(
    [
      "self.pathType in ['Exact', 'Prefix'] ? has(self.path) && self.path.startsWith('/') : true",
      "path must be absolute when pathType is Exact or Prefix",
    ],
    [
      "self.pathType in ['Exact', 'Prefix'] && has(self.path) ? !self.path.contains('//') && !self.path.contains('/./') && !self.path.contains('/../') && !self.path.contains('%2f') && !self.path.contains('%2F') && !self.path.endsWith('/..') && !self.path.endsWith('/.') : true",
      "path must not contain '//', '/./', '/../' or an encoded slash, nor end with '/.' or '/..'",
    ],
  ),
  "spec.rules[].http.paths[].pathType": { enum: ["Exact", "Prefix", "ImplementationSpecific"] },
  "spec.rules[].http.paths[].backend": ingressBackend,
  "spec.rules[].http.paths[].backend.service.port": rules([
    "(has(self.name) && self.name != '') != (has(self.number) && self.number != 0)",
    "exactly one of name and number must be set",
  ]),
};

const secret: Readonly<Record<string, Schema>> = {
  "": rules([
    "self.type == 'kubernetes.io/tls' ? (has(self.data) && 'tls.crt' in self.data || has(self.stringData) && 'tls.crt' in self.stringData) && (has(self.data) && 'tls.key' in self.data || has(self.stringData) && 'tls.key' in self.stringData) : true",
    "a Secret of type kubernetes.io/tls must have the keys tls.crt and tls.key",
  ]),
  type: { default: "Opaque" },
};

const configMap: Readonly<Record<string, Schema>> = {
  "": rules([
    "has(self.data) && has(self.binaryData) ? self.data.all(k, !(k in self.binaryData)) : true",
    "a key must not be in both data and binaryData",
  ]),
};

const metadata: Readonly<Record<string, Schema>> = {
  "": { required: ["name"] },
  name: { ...dnsSubdomain, minLength: 1 },
  namespace: { ...dnsLabel, minLength: 1 },
};

const overlays: Readonly<Record<string, Readonly<Record<string, Schema>>>> = {
  Service: service,
  EndpointSlice: endpointSlice,
  Ingress: ingress,
  IngressClass: { "spec.parameters.scope": { enum: ["Cluster", "Namespace"], default: "Cluster" } },
  Secret: secret,
  ConfigMap: configMap,
  ObjectMeta: metadata,
};

/** Adds to a built-in kind what its published schema lacks, and drops Go's zero values that are published as defaults. */
export function completeNative(kind: string, schema: Schema): Schema {
  const complete = dropZeroDefaults(schema);
  for (const [path, patch] of Object.entries(overlays[kind] ?? {})) {
    const node = path === "" ? complete : findNode(complete, path);
    if (node === undefined) throw new Error(`${kind}: the published schema has no ${path}`);
    mergePatch(node, patch);
  }
  return complete;
}

function mergePatch(node: Schema, patch: Schema): void {
  const required = [...(node.required ?? []), ...(patch.required ?? [])];
  Object.assign(node, patch);
  if (required.length > 0) node.required = [...new Set(required)];
}

function findNode(schema: Schema, path: string): Schema | undefined {
  let node: Schema | undefined = schema;
  for (const segment of path.split(".")) {
    node = node?.properties?.[segment.replace("[]", "")];
    if (segment.endsWith("[]")) node = node?.items;
  }
  return node;
}

/** A default of `{}`, or `""`/`0` of a required field, is how Go's zero value is published: not a default. */
function dropZeroDefaults(schema: Schema): Schema {
  const copy: Schema = { ...schema };
  if (schema.items !== undefined) copy.items = dropZeroDefaults(schema.items);
  if (schema.properties === undefined) return copy;
  copy.properties = Object.fromEntries(
    Object.entries(schema.properties).map(([name, property]) => {
      const clean = dropZeroDefaults(property);
      const isEmpty = isObject(clean.default) && Object.keys(clean.default).length === 0;
      const isZero = (schema.required?.includes(name) ?? false) && (clean.default === "" || clean.default === 0);
      if (isEmpty || isZero) delete clean.default;
      return [name, clean];
    }),
  );
  return copy;
}
