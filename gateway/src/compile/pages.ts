/** The pages of a snapshot, compiled once each, however many rules answer with them. */
import type { Page } from "@sallyport/model/page";
import type { Snapshot } from "@sallyport/model/snapshot";
import { type CompiledPage, compilePage } from "@sallyport/policies/page";
import { getResource } from "./changes.ts";

/** A page by key; undefined where the snapshot does not hold it. */
export function findPage(snapshot: Snapshot, key: string): CompiledPage | undefined {
  const page = getResource(snapshot, "page", key);
  if (page === undefined) return undefined;
  const known = compiled.get(page) ?? compilePage(page);
  compiled.set(page, known);
  return known;
}

const compiled = new WeakMap<Page, CompiledPage>();
