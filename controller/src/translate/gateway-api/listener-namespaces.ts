/** Which namespaces a Gateway or a listener lets in: routes to a listener, ListenerSets to a Gateway. */
import type { World } from "../../world/world.ts";
import { type LabelSelector, selectsLabels } from "../label-selector.ts";

/** A rule about namespaces, as listeners (`allowedRoutes`) and Gateways (`allowedListeners`) write it. */
export interface NamespaceRule {
  readonly from: "All" | "Selector" | "Same" | "None";
  readonly selector?: LabelSelector;
}

/** Whether `namespace` is let in by a rule of an object in the namespace `home`. */
export function admitsNamespace(
  world: World,
  { from, selector }: NamespaceRule,
  { home, namespace }: { readonly home: string; readonly namespace: string },
): boolean {
  switch (from) {
    case "All":
      return true;
    case "Same":
      return namespace === home;
    case "Selector":
      return selector !== undefined && selectsLabels(selector, labelsOf(world, namespace));
    case "None":
      return false;
  }
}

/** Labels of a namespace; the API server labels each with its name, files and absent Namespace objects may not. */
function labelsOf(world: World, namespace: string): Readonly<Record<string, string>> {
  const labels = world.get("Namespace", "", namespace)?.object.metadata.labels;
  return { ...labels, "kubernetes.io/metadata.name": namespace };
}
