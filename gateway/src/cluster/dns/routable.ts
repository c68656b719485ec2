/**
 * Keeps answers to addresses that may be other machines'. Whoever writes a name, or runs the server that answers for it, says where the
 * proxy connects, and may say something else a second later (DNS rebinding): so the answers are judged, each of them, and not the name. What
 * is kept is what is dialled, as nothing is looked up after this.
 */
import { findSpecialUse } from "@sallyport/model/special-use";
import type { ResolvedName, UnresolvedName } from "../contract.ts";

/** The answer without addresses of special use; one of nothing else is the word that there are none. */
export function keepRoutable(answer: ResolvedName | UnresolvedName): ResolvedName | UnresolvedName {
  if ("kind" in answer) return answer;
  const addresses = answer.addresses.filter((address) => findSpecialUse(address) === undefined);
  if (addresses.length > 0) return { ...answer, addresses };
  const [first = ""] = [...answer.addresses].sort();
  return { kind: "negative", detail: `${first} is no address for a backend in a cluster (${findSpecialUse(first)})` };
}
