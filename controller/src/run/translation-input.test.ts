import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeObject } from "../kube/decode.ts";
import { type AnyWorldObject, indexWorld } from "../world/indexed-world.ts";
import { isInputChanged } from "./translation-input.ts";

interface Shape {
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly status?: unknown;
  readonly description?: string;
}

async function toClass({ generation, labels, status, description }: Shape): Promise<AnyWorldObject> {
  const raw = {
    metadata: {
      name: "sallyport",
      uid: "u",
      ...(generation === undefined ? {} : { generation }),
      ...(labels && { labels }),
    },
    spec: { controllerName: "sallyport.io/gateway-controller", ...(description && { description }) },
    ...(status === undefined ? {} : { status }),
  };
  const { object } = await decodeObject("GatewayClass", structuredClone(raw), "lenient");
  assert.ok(object);
  return { kind: "GatewayClass", namespace: "", name: "sallyport", object, age: "" };
}

async function compare(before: Shape, after: Shape): Promise<boolean> {
  const world = indexWorld([await toClass(before)]);
  return isInputChanged(world, indexWorld([await toClass(after)], world));
}

test("a status of ours is no input", async () => {
  assert.equal(await compare({ generation: 1 }, { generation: 1, status: { conditions: [] } }), false);
});

test("a generation, labels and objects that come and go are input", async () => {
  assert.equal(await compare({ generation: 1 }, { generation: 2 }), true);
  assert.equal(await compare({ generation: 1 }, { generation: 1, labels: { a: "b" } }), true);
  assert.equal(isInputChanged(indexWorld([]), indexWorld([await toClass({ generation: 1 })])), true);
});

test("a spec that another definition shows more of is input, whatever its generation", async () => {
  assert.equal(await compare({ generation: 1 }, { generation: 1, description: "shown now" }), true);
});

test("an object without a generation is looked at whatever changed", async () => {
  assert.equal(await compare({}, { status: {} }), true);
});
