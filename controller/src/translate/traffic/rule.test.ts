/** Where contents of traffic policies stand among the filters of a rule, and what a rule says itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Policy } from "@sallyport/model/policy";
import type { TrafficLayer } from "./policies.ts";
import { insertContents, shapeRule, toCallContents } from "./rule.ts";
import type { ContentPolicy, RuleTraffic } from "./settings.ts";

const contents: readonly ContentPolicy[] = [
  { kind: "compression", codings: [], minimumLength: 0, contentTypes: [] },
  { kind: "response-override", overrides: [] },
  { kind: "fault" },
  { kind: "request-body", maxBytes: 1, whole: true },
];

const cors: Policy = {
  kind: "cors",
  allowOrigins: [],
  allowMethods: [],
  allowHeaders: [],
  exposeHeaders: [],
  allowCredentials: false,
  maxAgeSeconds: 1,
};
const rewrite: Policy = { kind: "rewrite", hostname: "a" };
const kindsOf = (policies: readonly Policy[]) => policies.map(({ kind }) => kind);

test("answers pass through everything before they are replaced, and are compressed last", () => {
  assert.deepEqual(kindsOf(insertContents([rewrite], contents)), [
    "compression",
    "response-override",
    "fault",
    "request-body",
    "rewrite",
  ]);
});

test("what a fault answers has the fields of CORS", () => {
  const kinds = kindsOf(insertContents([rewrite, cors, rewrite], contents));
  assert.deepEqual(kinds, ["compression", "response-override", "rewrite", "cors", "fault", "request-body", "rewrite"]);
});

test("calls are not kept back, and their answers stay as they are", () => {
  assert.deepEqual(toCallContents(contents), [{ kind: "fault" }, { kind: "request-body", maxBytes: 1, whole: false }]);
});

const own = { owner: "HTTPRoute shop/a", ruleId: "a" };

function shape(rule: RuleTraffic, parts: Partial<Parameters<typeof shapeRule>[2]> = {}) {
  const layer: TrafficLayer = { owner: "p", fields: { timeout: { rule } } };
  return shapeRule({ above: [layer], below: [] }, [], { ...own, ...parts }).extras;
}

test("a try may take what the retry says, before what the timeouts say, and after what the rule says", () => {
  assert.deepEqual(shape({ tryTimeout: 5, backendTimeout: 6 }), { backendTimeout: 5 });
  assert.deepEqual(shape({ tryTimeout: 0, backendTimeout: 6 }), {});
  const retry = { attempts: 1, on: [], statuses: [], backoff: { least: 0, base: 1, max: 2 } };
  assert.deepEqual(shape({ tryTimeout: 5, backendTimeout: 6 }, { retry }), { backendTimeout: 6, retry });
  const timeouts = { requestTimeout: 9, backendTimeout: 0 };
  assert.deepEqual(shape({ requestTimeout: 8, tryTimeout: 5 }, { timeouts }), { requestTimeout: 9 });
});

test("a rule that names one of its timeouts has no other from a policy's timeouts", () => {
  const timeouts = { requestTimeout: 9, backendTimeout: undefined };
  assert.deepEqual(shape({ requestTimeout: 8, backendTimeout: 20 }, { timeouts }), { requestTimeout: 9 });
});

test("silence without a limit is said, other limits of nothing are none", () => {
  assert.deepEqual(shape({ streamIdleTimeout: 0, maxDuration: 0, requestTimeout: 0 }), { streamIdleTimeout: 0 });
});

test("sessions without a name are named after their rule", () => {
  const session = { carrier: { kind: "header", name: undefined } } as const;
  const names = ["a", "b", "a"].map((ruleId) => shape({ session }, { ruleId }).session?.carrier.name);
  assert.match(names[0] ?? "", /^sallyport-session-[0-9a-f]{8}$/);
  assert.ok(names[0] !== names[1] && names[0] === names[2]);
});
