/** The whole world to one snapshot: every family of objects in order, then the Services their routes use. */
import { toSnapshot } from "@sallyport/model/snapshot";
import type { World } from "../world/world.ts";
import { settleFamilies } from "./family-conflicts.ts";
import { findGroups } from "./groups.ts";
import { translateGatewayApi } from "./gateway-api/translate.ts";
import { translateIngresses } from "./ingress/translate.ts";
import { translateClusters } from "./services/clusters.ts";
import type { Translate, TranslateOptions, Translation, WorldTranslation } from "./translator.ts";

/** Families of objects that bring listeners and routes. None knows of another; an earlier one keeps what two of them want. */
const FAMILIES: readonly Translate[] = [translateGatewayApi, translateIngresses];

/** Translates everything. Total: bad objects are problems and statuses, never an exception. */
export function translateWorld(world: World, options: TranslateOptions): WorldTranslation {
  const families = FAMILIES.map((translate) => translate(world, options));
  // In a cluster each family has proxies of its own.
  const translations: Translation[] = options.proxies === undefined ? settleFamilies(families) : families;
  const routes = translations
    .flatMap(({ resources }) => resources)
    .filter((resource) => resource.kind === "http-route" || resource.kind === "stream-route");
  translations.push(translateClusters(world, routes));
  return {
    snapshot: toSnapshot(translations.flatMap(({ resources }) => resources)),
    groups: findGroups(world, options),
    statuses: translations.flatMap(({ statuses }) => statuses),
    problems: translations.flatMap(({ problems }) => problems),
  };
}
