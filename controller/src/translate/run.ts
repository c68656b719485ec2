/** The whole world to one snapshot: every family of objects in order, then the Services their routes use. */
import type { Problem } from "@sallyport/model/problem";
import type { HttpRoute, StreamRoute } from "@sallyport/model/route";
import { type Snapshot, toResourceId, toSnapshot } from "@sallyport/model/snapshot";
import { kindNames } from "../kube/kinds.ts";
import type { World } from "../world/world.ts";
import { settleFamilies } from "./family-conflicts.ts";
import { findGroups } from "./groups.ts";
import { translateGatewayApi } from "./gateway-api/translate.ts";
import { translateIngresses } from "./ingress/translate.ts";
import { hasChanged, type Stamp, toStamp } from "./recollection.ts";
import { translateClusters } from "./services/clusters.ts";
import { ToldObstacles } from "./told-obstacles.ts";
import { findUsedPages } from "./traffic/pages.ts";
import { translateTrafficPolicies } from "./traffic/statuses.ts";
import type { TrafficVariants } from "./traffic/variant.ts";
import type { ObjectStatus, Translate, TranslateOptions, WorldTranslation } from "./translator.ts";

/** Families of objects that bring listeners and routes. None knows of another; an earlier one keeps what two of them want. */
const FAMILIES: readonly Translate[] = [translateGatewayApi, translateIngresses];

/**
 * Kinds that families read. Where endpoints are they do not ask: in a large cluster an EndpointSlice changes every moment, and
 * nothing but endpoint sets may be made anew for it.
 */
const FAMILY_KINDS = kindNames.filter((kind) => kind !== "EndpointSlice");

/**
 * Translates everything. Total: bad objects are problems and statuses, never an exception. In a cluster, what is the same as in
 * `before` is not made again.
 */
export function translateWorld(world: World, options: TranslateOptions, before?: WorldTranslation): WorldTranslation {
  const known = before && origins.get(before);
  const families = known !== undefined && isStill(known, world, options) ? known : translateFamilies(world, options);
  const services = translateClusters(world, families.routes, {
    variants: families.variants,
    trust: options.trust,
    nodes: () => options.proxies?.nodes,
  });
  const resources = new Map(families.snapshot.resources);
  for (const resource of services.resources) resources.set(toResourceId(resource), resource);
  const translation: WorldTranslation = {
    snapshot: { resources },
    groups: findGroups(world, options),
    statuses: families.statuses,
    problems: [...families.problems, ...services.problems],
  };
  // One process that serves a directory translates when somebody saves a file: memory counts for more there.
  if (options.proxies !== undefined) origins.set(translation, families);
  return translation;
}

/** What families made of a world, and what of. */
interface Families {
  readonly snapshot: Snapshot;
  readonly routes: readonly (HttpRoute | StreamRoute)[];
  readonly variants: TrafficVariants;
  readonly statuses: readonly ObjectStatus[];
  readonly problems: readonly Problem[];
  readonly options: TranslateOptions;
  readonly told: ToldObstacles | undefined;
  readonly stamp: Stamp | undefined;
}

const origins = new WeakMap<WorldTranslation, Families>();

function translateFamilies(world: World, options: TranslateOptions): Families {
  const told = options.proxies && new ToldObstacles(options.proxies);
  const noting: TranslateOptions = told === undefined ? options : { ...options, proxies: told };
  const families = FAMILIES.map((translate) => translate(world, noting));
  // In a cluster each family has proxies of its own.
  const translations = told === undefined ? settleFamilies(families) : families;
  const traffic = translations.flatMap((translation) => translation.traffic ?? []);
  const judged = [...translations, translateTrafficPolicies(world, options.controllerName, traffic)];
  const translated = translations.flatMap((translation) => translation.resources);
  const resources = [...translated, ...findUsedPages(world, translated)];
  return {
    snapshot: toSnapshot(resources),
    routes: resources.filter((resource) => resource.kind === "http-route" || resource.kind === "stream-route"),
    variants: new Map(traffic.flatMap(({ variants }) => [...variants])),
    statuses: judged.flatMap(({ statuses }) => statuses),
    problems: judged.flatMap(({ problems }) => problems),
    options,
    told,
    stamp: toStamp(world),
  };
}

function isStill({ stamp, options: before, told }: Families, world: World, options: TranslateOptions): boolean {
  const now = toStamp(world);
  if (stamp === undefined || now === undefined || hasChanged(FAMILY_KINDS, stamp, now)) return false;
  const { proxies, controllerName, toBindPort, bindAddress, http, trust } = options;
  const isSameOtherwise =
    controllerName === before.controllerName &&
    toBindPort === before.toBindPort &&
    bindAddress === before.bindAddress &&
    http === before.http &&
    trust === before.trust;
  return isSameOtherwise && proxies !== undefined && told?.isSame(proxies) === true;
}
