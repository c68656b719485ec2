/** Pages for tests of exchanges: what a rule answers with is in the key, so that no table has to be kept beside it. */
import { type CompiledPage, compilePage } from "@sallyport/policies/page";

/** The key of a page. */
export function toPageKey(contentType: string, text: string): string {
  return `${contentType} ${text}`;
}

/** The page of that key. */
export function pageOf(key: string): CompiledPage {
  const space = key.indexOf(" ");
  return compilePage({ contentType: key.slice(0, space), text: key.slice(space + 1) });
}
