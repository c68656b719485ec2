/**
 * Golden folders: the objects of `golden/<name>/input.yaml`, beside those of `golden/prelude.yaml`, are translated;
 * `snapshot.yaml` and `statuses.yaml` (with the problems) say what they must give. The name of the folder is the name of the
 * test; `npm test -- --update` rewrites them. Statuses of the prelude are left out.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { decodeResource } from "@sallyport/model/decode";
import { formatProblem } from "@sallyport/model/problem";
import { validateSnapshot } from "@sallyport/model/validate";
import { assertGolden } from "@sallyport/testkit/golden";
import { translateWorld } from "../src/translate/run.ts";
import type { TranslateOptions } from "../src/translate/translator.ts";
import { toCompactYaml } from "./compact-yaml.ts";
import { loadWorld } from "./load-world.ts";

const root = join(import.meta.dirname, "golden");
const prelude = readFileSync(join(root, "prelude.yaml"), "utf8");

const options: TranslateOptions = {
  controllerName: "sallyport.io/gateway-controller",
  portMap: new Map([
    [80, 10_080],
    [443, 10_443],
  ]),
  bindAddress: "0.0.0.0",
};

const names = readdirSync(root, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

for (const name of names.toSorted()) {
  test(name, async () => {
    const folder = join(root, name);
    const input = readFileSync(join(folder, "input.yaml"), "utf8");
    const { world, problems: broken } = await loadWorld({ "input.yaml": input, "prelude.yaml": prelude });
    assert.deepEqual(broken.map(formatProblem), [], "the input must be good in form: goldens are about its meaning");
    const { snapshot, statuses, problems } = translateWorld(world, options);
    const resources = [...snapshot.resources.values()];
    for (const resource of resources) assert.deepEqual(decodeResource(resource), { ok: true, value: resource });
    assert.deepEqual(validateSnapshot(snapshot), []);
    assertGolden(join(folder, "snapshot.yaml"), toCompactYaml(resources));
    const ours = statuses.filter(({ object }) => object.kind !== "GatewayClass" || object.name !== "sallyport");
    const seen = { statuses: ours, problems: problems.map(formatProblem) };
    assertGolden(join(folder, "statuses.yaml"), toCompactYaml(seen));
  });
}
