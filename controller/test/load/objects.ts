/** Texts of object files, and what tests ask about outcomes. */
import { formatProblem } from "@sallyport/model/problem";
import type { Problem } from "@sallyport/model/problem";
import type { World } from "../../src/world/world.ts";

/** A ConfigMap with one value. */
export function configMapText(name: string, value: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  value: "${value}"\n`;
}

/** `name=value` of every ConfigMap. */
export function valuesOf(world: World | undefined): readonly string[] | undefined {
  return world?.list("ConfigMap").map(({ name, object }) => `${name}=${object.data?.["value"]}`);
}

/** Problems as users see them, with the root taken out of file names. */
export function toLines(problems: readonly Problem[], root: string): string[] {
  return problems.map((problem) => formatProblem(problem).replaceAll(`${root}/`, ""));
}
