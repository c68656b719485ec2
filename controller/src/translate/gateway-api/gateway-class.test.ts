import assert from "node:assert/strict";
import { test } from "node:test";
import type { GatewayClass } from "../../kube/generated/types/gateway-class.ts";
import { indexWorld } from "../../world/indexed-world.ts";
import type { TranslateOptions } from "../translator.ts";
import { translateGatewayClasses } from "./gateway-class.ts";

test("the features of a class are in alphabetical order and each is named once, as the API demands", () => {
  const object: GatewayClass = {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "GatewayClass",
    metadata: { namespace: "", name: "ours" },
    spec: { controllerName: "example.com/ours" },
  };
  const world = indexWorld([{ kind: "GatewayClass", namespace: "", name: "ours", object, age: "1" }]);
  const options = { controllerName: "example.com/ours" } as Partial<TranslateOptions> as TranslateOptions;
  const names = translateGatewayClasses(world, options).statuses.flatMap(({ status }) => {
    const { supportedFeatures } = status as { readonly supportedFeatures: readonly { readonly name: string }[] };
    return supportedFeatures.map(({ name }) => name);
  });
  assert.ok(names.length > 0);
  assert.deepEqual(names, [...new Set(names)].toSorted());
});
