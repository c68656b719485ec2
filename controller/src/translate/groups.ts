/**
 * Groups of proxies: those of one Gateway (`namespace/name`), and those of all Ingresses (INGRESS_GROUP). A listener belongs to
 * the group that its key begins with.
 */
import { INGRESS_GROUP } from "@sallyport/model/distribution";
import type { World } from "../world/world.ts";
import { toGatewayKey } from "./gateway-api/gateway.ts";
import { isOurs } from "./ingress/classes.ts";
import type { TranslateOptions } from "./translator.ts";

/** Every group there is in this world, whether or not anything is served for it. */
export function findGroups(world: World, { controllerName }: Pick<TranslateOptions, "controllerName">): string[] {
  const classes = new Set(
    world
      .list("GatewayClass")
      .filter(({ object }) => object.spec.controllerName === controllerName)
      .map(({ name }) => name),
  );
  const gateways = world.list("Gateway").filter(({ object }) => classes.has(object.spec.gatewayClassName));
  return [...gateways.map(toGatewayKey), ...(world.list("IngressClass").some(isOurs) ? [INGRESS_GROUP] : [])];
}

/** The group of a listener, by its key. No namespace is called as the group of Ingresses: their names are lower case. */
export function toGroup(listenerKey: string): string {
  const [namespace = "", name = ""] = listenerKey.split("/", 2);
  return namespace === INGRESS_GROUP ? INGRESS_GROUP : `${namespace}/${name}`;
}
