// Specs made from the schema of a CRD: most of what is in them is right, some of it is at or beyond a limit.
import fc from "fast-check";

/** What is used of a schema. */
export interface ObjectSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, ObjectSchema>>;
  readonly required?: readonly string[];
  readonly items?: ObjectSchema;
  readonly additionalProperties?: ObjectSchema;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly "x-kubernetes-int-or-string"?: boolean;
}

const DURATIONS = ["0s", "1ms", "99ms", "1s", "5m", "1h", "24h1ms", "100h", "1h30m10s500ms", "1d", "s", "-1s", "1.5s"];
const SIZES = [0, 1, 65_536, -1, "0", "64Ki", "1.5M", "0.001Gi", "1K", "10MB", "-1", "", ".5Mi", "1e6"];
const STATUSES = [100, 404, 599, 99, 600, "404", "500-599", "599-500", "404-404", "600", "4xx", "404-", ""];
const TEXTS = [
  ...["a", "web", "x-user", "X-Request-Id", "/", "/health?x=1", "text/html", "text/*", "image/svg+xml", "eu-west/a/*"],
  ...["*", "10.0.0.0/8", "192.0.2.1", "fe80::/10", "::1", "10.0.0.0/33", "10.0.0.1/08", "TLS_AES_128_GCM_SHA256"],
  ...[
    "",
    "a b",
    "a\r\nb",
    "é",
    "a;b",
    "Ingress",
    "Service",
    "Gateway",
    "gateway.networking.k8s.io",
    "networking.k8s.io",
  ],
  ...[
    "x".repeat(64),
    "x".repeat(254),
    "y".repeat(1025),
    "fe80::1%eth0",
    "::ffff:10.0.0.1",
    "10.0.0.0/8/8",
    "https://a/",
  ],
];

/** Specs with one or two fields beside their targets, so that what is wrong in one does not hide the others. */
export function specsOf(schema: ObjectSchema): fc.Arbitrary<Readonly<Record<string, unknown>>> {
  const { targetRefs, ...others } = schema.properties ?? {};
  const target = { group: "gateway.networking.k8s.io", kind: "Gateway", name: "web" };
  const targets = fc.oneof(
    { weight: 9, arbitrary: fc.constant([target]) },
    { weight: 1, arbitrary: valuesOf(targetRefs ?? {}) },
  );
  const names = fc.uniqueArray(fc.constantFrom(...Object.keys(others)), { minLength: 1, maxLength: 2 });
  const fields = names.chain((chosen) =>
    fc.record(Object.fromEntries(chosen.map((name) => [name, valuesOf(others[name] ?? {})]))),
  );
  return fc.tuple(targets, fields).map(([targetRefs, rest]) => ({ targetRefs, ...rest }));
}

function valuesOf(schema: ObjectSchema): fc.Arbitrary<unknown> {
  if (schema["x-kubernetes-int-or-string"] === true)
    return fc.constantFrom(...(isPattern(schema, "Ki") ? SIZES : STATUSES));
  if (schema.enum !== undefined) return mostly(fc.constantFrom(...schema.enum), fc.constantFrom("Other", 1.2, true));
  switch (schema.type) {
    case "object":
      return objectsOf(schema);
    case "array":
      return fc.array(valuesOf(schema.items ?? {}), { maxLength: 3 });
    case "integer":
    case "number":
      return numbersOf(schema);
    case "boolean":
      return mostly(fc.boolean(), fc.constantFrom("true", 1));
    default:
      return isPattern(schema, "(h|m|s|ms)") ? durations : textsOf(schema);
  }
}

function isPattern({ pattern = "" }: ObjectSchema, part: string): boolean {
  return pattern.includes(part);
}

const durations = mostly(fc.constantFrom(...DURATIONS.slice(0, 6)), fc.constantFrom(...DURATIONS, 10));

function mostly(right: fc.Arbitrary<unknown>, wrong: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 49, arbitrary: right }, { weight: 1, arbitrary: wrong });
}

/** Texts that fit the pattern come far more often. */
function textsOf({ pattern }: ObjectSchema): fc.Arbitrary<unknown> {
  const fitting = TEXTS.filter((text) => text !== "" && text.length < 64 && new RegExp(pattern ?? "", "u").test(text));
  return mostly(fc.constantFrom(...(fitting.length > 0 ? fitting : TEXTS)), fc.constantFrom(...TEXTS, 7, false));
}

function numbersOf({ minimum = 0, maximum = 100, type }: ObjectSchema): fc.Arbitrary<unknown> {
  const right = [minimum, maximum, minimum + 1, Math.min(maximum, minimum + 7)];
  const wrong = [minimum - 1, maximum + 1, "5", ...(type === "integer" ? [minimum + 0.5] : [])];
  return mostly(fc.constantFrom(...right), fc.constantFrom(...wrong));
}

function objectsOf({ properties, required = [], additionalProperties }: ObjectSchema): fc.Arbitrary<unknown> {
  if (properties === undefined)
    return fc.dictionary(
      fc.constantFrom("a", "eu/a", "*", "eu/*", "a", "b", "a/b/c/d"),
      valuesOf(additionalProperties ?? {}),
      { maxKeys: 3 },
    );
  const fields = Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, valuesOf(field)]));
  const complete = fc.record(fields, { requiredKeys: [...required] });
  return mostly(complete, fc.oneof(fc.record(fields, { requiredKeys: [] }), fc.constantFrom([], "text")));
}
