import assert from "node:assert/strict";
import { test } from "node:test";
import type { GatewayClass } from "../../kube/generated/types/gateway-class.ts";
import { indexWorld } from "../../world/indexed-world.ts";
import type { TranslateOptions } from "../translator.ts";
import { translateGatewayClasses } from "./gateway-class.ts";

function featuresOf(proxies?: TranslateOptions["proxies"]): readonly string[] {
  const object: GatewayClass = {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "GatewayClass",
    metadata: { namespace: "", name: "ours" },
    spec: { controllerName: "example.com/ours" },
  };
  const world = indexWorld([{ kind: "GatewayClass", namespace: "", name: "ours", object, age: "1" }]);
  const options = { controllerName: "example.com/ours", proxies } as Partial<TranslateOptions> as TranslateOptions;
  return translateGatewayClasses(world, options).statuses.flatMap(({ status }) => {
    const { supportedFeatures } = status as { readonly supportedFeatures: readonly { readonly name: string }[] };
    return supportedFeatures.map(({ name }) => name);
  });
}

const inCluster = { obstaclesOf: () => [], ingressService: { namespace: "x", name: "x" } };

test("the features of a class are in alphabetical order and each is named once, as the API demands", () => {
  for (const names of [featuresOf(), featuresOf(inCluster)]) {
    assert.ok(names.length > 0);
    assert.deepEqual(names, [...new Set(names)].toSorted());
  }
});

test("features that need a cluster are claimed in one only", () => {
  const only = featuresOf(inCluster).filter((name) => !featuresOf().includes(name));
  assert.deepEqual(only, ["GatewayAddressEmpty", "GatewayInfrastructure", "GatewayStaticAddresses"]);
});
