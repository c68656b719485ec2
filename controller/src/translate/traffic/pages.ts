/** Pages of policies that rules answer with. */
import type { Page } from "@sallyport/model/page";
import type { Resource } from "@sallyport/model/snapshot";
import { pagesOf } from "@sallyport/model/validate";
import type { World } from "../../world/world.ts";
import { judgeTraffic } from "./judge.ts";

/** The pages that routes among the resources name, each once; a policy that holds nowhere brings none. */
export function findUsedPages(world: World, resources: readonly Resource[]): readonly Page[] {
  const policies = world.list("BackendTrafficPolicy");
  if (policies.length === 0) return [];
  const used = new Set<string>();
  for (const resource of resources)
    if (resource.kind === "http-route") for (const key of pagesOf(resource)) used.add(key);
  if (used.size === 0) return [];
  return policies.flatMap((policy) => judgeTraffic(policy).pages.filter(({ key }) => used.has(key)));
}
