/**
 * Golden folders: the objects of `golden/<name>/input.yaml`, beside those of `golden/prelude.yaml`, are translated;
 * `snapshot.yaml` and `statuses.yaml` (with the problems) say what they must give. The name of the folder is the name of the
 * test; `npm test -- --update` rewrites them. Statuses of the prelude are left out.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { decodeResource } from "@sallyport/model/decode";
import { formatProblem } from "@sallyport/model/problem";
import { validateSnapshot } from "@sallyport/model/validate";
import { assertGolden } from "@sallyport/testkit/golden";
import { translateWorld } from "../src/translate/run.ts";
import { toCompactYaml } from "./compact-yaml.ts";
import { goldenNames, goldenOptions, goldenRoot, loadGolden } from "./golden-world.ts";

for (const name of goldenNames) {
  test(name, async () => {
    const { world, problems: broken } = await loadGolden(name);
    assert.deepEqual(broken.map(formatProblem), [], "the input must be good in form: goldens are about its meaning");
    const { snapshot, statuses, problems } = translateWorld(world, goldenOptions);
    const resources = [...snapshot.resources.values()];
    for (const resource of resources) assert.deepEqual(decodeResource(resource), { ok: true, value: resource });
    assert.deepEqual(validateSnapshot(snapshot), []);
    assertGolden(join(goldenRoot, name, "snapshot.yaml"), toCompactYaml(resources));
    const ours = statuses.filter(({ object }) => object.kind !== "GatewayClass" || object.name !== "sallyport");
    const seen = { statuses: ours, problems: problems.map(formatProblem) };
    assertGolden(join(goldenRoot, name, "statuses.yaml"), toCompactYaml(seen));
  });
}
