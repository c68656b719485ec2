/** Hostnames of listeners and routes: exact names, and wildcards (`*.example.com`) that stand for one or more labels. */

/** Stands for any host. */
export const ANY_HOST = "*";

/**
 * The hosts both patterns cover, as one pattern, or undefined where they share none. Patterns are exact names, wildcards
 * or ANY_HOST; of two that nest the narrower is what they share.
 */
export function intersectHostnames(left: string, right: string): string | undefined {
  if (left === right || covers(left, right)) return right;
  return covers(right, left) ? left : undefined;
}

/** Whether every host of `narrow` is one of `wide`; a wildcard covers its own subdomains but not its apex. */
function covers(wide: string, narrow: string): boolean {
  if (wide === ANY_HOST) return true;
  return wide.startsWith("*.") && narrow !== ANY_HOST && narrow.endsWith(wide.slice(1)) && narrow !== wide.slice(1);
}
