/**
 * A flaw is a part of an object that cannot be done as written. It is said twice: as a False condition in the object's
 * status and as a problem on the operator's screen.
 */
import type { ObjectRef, Problem } from "@sallyport/model/problem";
import { suggestName } from "@sallyport/model/suggest";
import { kinds } from "../kube/kinds.ts";
import type { Kind, WorldObject } from "../world/world.ts";

/** What is wrong, where, and what to do about it. */
export interface Finding extends Pick<Problem, "code" | "message" | "hint"> {
  /** Path inside the object. */
  readonly path: string;
}

/** A finding that turns a condition of the object False. */
export interface Flaw extends Finding {
  /** The condition's reason. */
  readonly reason: string;
}

/** The reference by which statuses and problems name an object. */
export function toObjectRef(subject: WorldObject<Kind>): ObjectRef {
  const { kind, namespace, name } = subject;
  return { group: kinds[kind].group, kind, namespace, name };
}

/** The problem a finding makes of its object: a warning, see translator.ts. */
export function toProblem(subject: WorldObject<Kind>, finding: Finding): Problem {
  return {
    code: finding.code,
    severity: "warning",
    message: finding.message,
    object: toObjectRef(subject),
    path: finding.path,
    ...(subject.source === undefined ? {} : { source: subject.source }),
    ...(finding.hint === undefined ? {} : { hint: finding.hint }),
  };
}

/** The hint for a name nobody knows: what was meant, or what there is to choose from. */
export function hintName(wanted: string, known: readonly string[]): { readonly hint?: string } {
  const suggestion = suggestName(wanted, known);
  if (suggestion !== undefined) return { hint: `did you mean ${suggestion}?` };
  if (known.length === 0 || known.length > MOST_NAMES) return {};
  return { hint: `known: ${known.join(", ")}` };
}

/** More names than this are no help on one line. */
const MOST_NAMES = 8;
