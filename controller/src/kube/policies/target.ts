/** What a policy is for, and what is said about it there: the same for all our policies (GEP-713). */
import { Type } from "typebox";
import { integer, list, section, text, word } from "./field.ts";
import type { Field } from "./field.ts";

const DNS_NAME = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
const GROUP = `^$|${DNS_NAME}`;
const KIND = "^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$";

/** How a kind of policy restricts what it may be for. */
export interface TargetRule {
  /** CEL over a target. */
  readonly rule: string;
  readonly message: string;
  /** What a section is, by kind of target. */
  readonly sections: string;
}

/** The field `targetRefs`. */
export function targetRefs({ rule, message, sections }: TargetRule): Field {
  const target = Type.Object(
    {
      group: Type.String({
        description: "API group of the target; empty for Services.",
        maxLength: 253,
        pattern: GROUP,
      }),
      kind: text("Kind of the target.", { maxLength: 63, pattern: KIND }),
      name: text("Name of the target, in the namespace of the policy.", { maxLength: 253 }),
      sectionName: Type.Optional(text(sections, { maxLength: 253, pattern: DNS_NAME })),
    },
    {
      description: "One object, or a part of it.",
      "x-kubernetes-validations": [
        { rule, message },
        {
          rule: "!has(self.sectionName) || self.kind != 'Ingress'",
          message: "an Ingress has no sections: leave sectionName out",
        },
      ],
    },
  );
  const same =
    "a.group == b.group && a.kind == b.kind && a.name == b.name && " +
    "(has(a.sectionName) ? a.sectionName : '') == (has(b.sectionName) ? b.sectionName : '')";
  return list("What the policy is for.", target, {
    minItems: 1,
    maxItems: 16,
    rules: [{ rule: `self.all(a, self.exists_one(b, ${same}))`, message: "each target may be named once" }],
  });
}

/** The field `status`: PolicyStatus of the Gateway API. */
export function policyStatus(): Field {
  const condition = section(
    "One aspect of the policy's state.",
    {
      type: text("Name of the aspect: Accepted, Overridden.", {
        minLength: 1,
        maxLength: 316,
        pattern: `^(${DNS_NAME.slice(1, -1)}/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$`,
      }),
      status: word("Whether it is so.", ["True", "False", "Unknown"]),
      observedGeneration: integer("The metadata.generation this was said of.", {
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
      }),
      lastTransitionTime: Type.String({ description: "When the status changed last.", format: "date-time" }),
      reason: text("Why, as one word.", { maxLength: 1024, pattern: "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$" }),
      message: text("Why, in words.", { minLength: 0, maxLength: 32_768 }),
    },
    { required: ["type", "status", "lastTransitionTime", "reason", "message"] },
  );
  const ancestor = section(
    "What a controller says of the policy, for one Gateway (or another object) that it matters to.",
    {
      ancestorRef: ancestorRef(),
      controllerName: text("Who says so.", {
        maxLength: 253,
        pattern: `^${DNS_NAME.slice(1, -1)}\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$`,
      }),
      conditions: list("The policy's state there.", condition, { minItems: 1, maxItems: 8, keys: ["type"] }),
    },
    { required: ["ancestorRef", "controllerName", "conditions"] },
  );
  return section(
    "State of the policy, written by controllers.",
    { ancestors: list("State by Gateway, 16 at most.", ancestor, { maxItems: 16 }) },
    { required: ["ancestors"] },
  );
}

function ancestorRef(): Field {
  return section(
    "The object it is about.",
    {
      group: text("API group.", { minLength: 0, maxLength: 253, pattern: GROUP, default: "gateway.networking.k8s.io" }),
      kind: text("Kind.", { maxLength: 63, pattern: KIND, default: "Gateway" }),
      namespace: text("Namespace; that of the policy where it is left out.", {
        maxLength: 63,
        pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
      }),
      name: text("Name.", { maxLength: 253 }),
      sectionName: text("Part of the object.", { maxLength: 253, pattern: DNS_NAME }),
      port: integer("Port of the object.", { minimum: 1, maximum: 65_535 }),
    },
    { required: ["name"] },
  );
}
