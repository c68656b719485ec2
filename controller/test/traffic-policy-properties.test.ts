/** What traffic policies come to in any world is what a simple specification says, and each policy is told so. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cluster } from "@sallyport/model/cluster";
import type { HttpRule, WeightedBackend } from "@sallyport/model/route";
import { resourcesOf, type Snapshot } from "@sallyport/model/snapshot";
import { validateSnapshot } from "@sallyport/model/validate";
import fc from "fast-check";
import { translateWorld } from "../src/translate/run.ts";
import type { ObjectStatus, WorldTranslation } from "../src/translate/translator.ts";
import { goldenOptions } from "./golden-world.ts";
import { loadWorld } from "./load-world.ts";
import { anyCase, type Case, type CasePolicy, type Target, toObjects } from "./traffic-case.ts";
import { holderOf, type Place, placesOf, ruleWinnerAt, targetsAt, winnerAt } from "./traffic-specification.ts";

async function translate(
  world: Case,
  order: (objects: string[]) => string[] = (same) => same,
): Promise<WorldTranslation> {
  const loaded = await loadWorld({ "case.yaml": order(toObjects(world)).join("\n---\n") });
  assert.deepEqual(loaded.problems, []);
  return translateWorld(loaded.world, goldenOptions);
}

interface Found {
  readonly rule: HttpRule;
  readonly backend: Extract<WeightedBackend, { kind: "cluster" }>;
  readonly cluster: Cluster;
}

function find(snapshot: Snapshot, { route, rule, listener, backend }: Place): Found {
  const key = listener === "s0" ? "shop/edge/shop/set/s0" : `shop/edge/${listener}`;
  const carrying = resourcesOf(snapshot, "http-route").filter(
    (each) => each.key.split("~")[0] === `shop/${route.name}` && each.attachments.some((at) => at.listener === key),
  );
  assert.equal(carrying.length, 1, `${route.name} on ${listener}`);
  const foundRule = carrying[0]!.rules[rule]!;
  const foundBackend = foundRule.backends[backend]!;
  assert.ok(foundBackend.kind === "cluster");
  const cluster = resourcesOf(snapshot, "cluster").find((each) => each.key === foundBackend.cluster);
  assert.ok(cluster !== undefined);
  return { rule: foundRule, backend: foundBackend, cluster };
}

function maxBytesOf({ rule, backend }: Found): number | undefined {
  const bodies = [...rule.policies, ...backend.policies].filter((policy) => policy.kind === "request-body");
  assert.ok(bodies.length <= 1);
  return bodies[0]?.maxBytes;
}

test("every field at every place is that of the policy the specification names", async () => {
  let checked = 0;
  await fc.assert(
    fc.asyncProperty(anyCase, async (world) => {
      const { snapshot } = await translate(world);
      assert.deepEqual(validateSnapshot(snapshot), []);
      for (const place of placesOf(world)) {
        const found = find(snapshot, place);
        const { rule, cluster } = found;
        const { hasTimeout, backends } = place.route.rules[place.rule]!;
        const seconds = (policy: CasePolicy | undefined) => policy && policy.value * 1000;
        const request = hasTimeout ? 77_000 : seconds(ruleWinnerAt(world, place, "timeout"));
        assert.equal(rule.requestTimeout, request);
        assert.equal(rule.retry?.attempts, ruleWinnerAt(world, place, "retry")?.value);
        assert.equal(cluster.connectTimeout, seconds(winnerAt(world, place, "timeout")) ?? 10_000);
        assert.equal(cluster.limits.connections, winnerAt(world, place, "circuitBreaker")?.value ?? 4096);
        assert.equal(cluster.pool.tcpKeepAlive, seconds(winnerAt(world, place, "connection")));
        // What takes no requests has no contents either.
        if (backends[place.backend]!.weight > 0)
          assert.equal(maxBytesOf(found), winnerAt(world, place, "requestBody")?.value);
        checked += 1;
      }
    }),
    { numRuns: 100 },
  );
  assert.ok(checked > 150, `${checked} places`);
});

test("clusters of one Service port are as many as it has different settings", async () => {
  await fc.assert(
    fc.asyncProperty(anyCase, async (world) => {
      const { snapshot } = await translate(world);
      const clusters = resourcesOf(snapshot, "cluster").map(({ key, ...settings }) =>
        JSON.stringify([key.split("~")[0], settings]),
      );
      assert.equal(new Set(clusters).size, clusters.length);
    }),
    { numRuns: 100 },
  );
});

interface Ancestor {
  readonly ancestorRef: { readonly kind: string; readonly name: string; readonly sectionName?: string };
  readonly conditions: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
}

function ancestorsOf(statuses: readonly ObjectStatus[], { name }: CasePolicy): readonly Ancestor[] {
  const own = statuses.filter(({ object }) => object.kind === "BackendTrafficPolicy" && object.name === name);
  assert.ok(own.length <= 1);
  // The form is that of PolicyStatus.
  return (own[0]?.status as { readonly ancestors: readonly Ancestor[] } | undefined)?.ancestors ?? [];
}

const isSame = (left: Target, right: Target) => JSON.stringify(left) === JSON.stringify(right);

/** Whether a target is one that matters to the Gateway, is not there, or is nobody's of ours. */
function judge(world: Case, target: Target): "used" | "missing" | "nothing" {
  const { kind, name, section } = target;
  if (kind === "Gateway") return name === "foreign" ? "nothing" : section === "nowhere" ? "missing" : "used";
  if (kind === "ListenerSet") return "used";
  if (kind === "Service") {
    if (section === "p9") return "missing";
    return placesOf(world).some((place) => targetsAt(place).service.some((own) => isAt(own, target)))
      ? "used"
      : "nothing";
  }
  const route = world.routes.find((each) => each.name === name);
  const hasRule = section === undefined || route?.rules.some((rule) => rule.name === section) === true;
  return route !== undefined && hasRule ? "used" : "missing";
}

const isAt = (place: Target, target: Target) =>
  place.name === target.name && (target.section === undefined || place.section === target.section);

test("each policy is told once for the Gateway, and for each target that is not there", async () => {
  const reasons = new Set<string>();
  await fc.assert(
    fc.asyncProperty(anyCase, async (world) => {
      const { statuses } = await translate(world);
      for (const policy of world.policies) {
        const ancestors = ancestorsOf(statuses, policy);
        const judged = policy.targets.map((target) => ({ target, verdict: judge(world, target) }));
        const used = judged.filter(({ verdict }) => verdict === "used").map(({ target }) => target);
        const missing = judged.filter(({ verdict }) => verdict === "missing");
        const gateways = ancestors.filter(
          ({ ancestorRef: { kind, sectionName } }) => kind === "Gateway" && sectionName === undefined,
        );
        assert.equal(gateways.length, used.length > 0 ? 1 : 0);
        assert.equal(ancestors.length - gateways.length, missing.length);
        const isBeaten = used.some((target) => holderOf(world, target) !== policy);
        for (const { conditions } of gateways) {
          assert.equal(conditions[0]?.reason, isBeaten ? "Conflicted" : "Accepted");
          if (!isBeaten) assert.equal(conditions.length > 1, isOverridden(world, policy), JSON.stringify(conditions));
        }
        for (const { conditions } of ancestors) reasons.add(conditions.map(({ reason }) => reason).join());
      }
    }),
    { numRuns: 100 },
  );
  assert.deepEqual([...reasons].toSorted(), ["Accepted", "Accepted,Overridden", "Conflicted", "TargetNotFound"]);
});

/** Whether a field of a policy does not count at some place that takes requests where the policy is. */
function isOverridden(world: Case, policy: CasePolicy): boolean {
  return placesOf(world).some((place) => {
    const { above, service, below } = targetsAt(place);
    const { backends, hasTimeout } = place.route.rules[place.rule]!;
    const isIdle = backends[place.backend]!.weight === 0;
    if (isIdle && backends.some(({ weight }) => weight > 0)) return false;
    const here = isIdle ? [...above, ...below] : [...above, ...service, ...below];
    if (!here.some((target) => policy.targets.some((own) => isSame(own, target)))) return false;
    return policy.fields.some((field) => {
      const winners = [
        ...(field === "timeout" || field === "retry" ? [ruleWinnerAt(world, place, field)] : []),
        ...(field === "retry" || isIdle ? [] : [winnerAt(world, place, field)]),
        ...(isIdle && field !== "timeout" && field !== "retry" ? [ruleWinnerAt(world, place, field)] : []),
      ];
      return winners.some((winner) => winner !== policy) || (field === "timeout" && hasTimeout);
    });
  });
}

test("the order of objects changes nothing", async () => {
  const anyOrder = fc.array(fc.nat(), { minLength: 20, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(anyCase, anyOrder, async (world, ranks) => {
      const shuffle = (objects: string[]) =>
        objects
          .map((object, index) => ({ object, rank: ranks[index % ranks.length] ?? 0 }))
          .toSorted((left, right) => left.rank - right.rank)
          .map(({ object }) => object);
      const [first, second] = [await translate(world), await translate(world, shuffle)];
      assert.deepEqual([...second.snapshot.resources], [...first.snapshot.resources]);
      assert.deepEqual(second.statuses, first.statuses);
    }),
    { numRuns: 30 },
  );
});
