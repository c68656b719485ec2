/** Labels that `locality.priorities` can name: those that say where a node is, and which. */

/** The label of endpoints and proxies that names their node. */
export const HOSTNAME = "kubernetes.io/hostname";

/** Of the proxy and of endpoints these are known, and no labels of pods. */
const KNOWN_LABELS: ReadonlySet<string> = new Set([
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
  "topology.istio.io/subzone",
  HOSTNAME,
]);

/** Those of the priorities (`key` or `key=value`) whose label nobody knows. */
export function findUnknownLabels(priorities: readonly string[]): readonly string[] {
  return priorities.filter((priority) => !KNOWN_LABELS.has(toLabelKey(priority)));
}

/** All labels that priorities can name, for people. */
export function tellKnownLabels(): string {
  return [...KNOWN_LABELS].join(", ");
}

/** The label that a priority is about. */
export function toLabelKey(priority: string): string {
  const equals = priority.indexOf("=");
  return equals === -1 ? priority : priority.slice(0, equals);
}
