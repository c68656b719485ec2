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

/**
 * As `hintName`, for the name of an object. Remembers its answers for a list: one deleted Service may leave thousands of
 * routes with the same question.
 */
export function hintObject(wanted: string, known: readonly WorldObject<Kind>[]): { readonly hint?: string } {
  const answers = answersByList.get(known) ?? new Map<string, { readonly hint?: string }>();
  answersByList.set(known, answers);
  const answer = answers.get(wanted) ?? hintName(wanted, namesOf(known));
  answers.set(wanted, answer);
  return answer;
}

const answersByList = new WeakMap<readonly WorldObject<Kind>[], Map<string, { readonly hint?: string }>>();
const namesByList = new WeakMap<readonly WorldObject<Kind>[], readonly string[]>();

function namesOf(list: readonly WorldObject<Kind>[]): readonly string[] {
  const names = namesByList.get(list) ?? list.map(({ name }) => name);
  namesByList.set(list, names);
  return names;
}

/** More names than this are no help on one line. */
const MOST_NAMES = 8;
