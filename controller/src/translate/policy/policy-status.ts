/** Statuses of policies (GEP-713, PolicyStatus): an entry for each ancestor that a policy concerns. */
import { type Condition, type ConditionMaker, conditionsOf } from "../condition.ts";
import type { Finding, Flaw } from "../flaw.ts";
import { toObjectRef, toProblem } from "../flaw.ts";
import type { Translation } from "../translator.ts";
import type { Kind, WorldObject } from "../../world/world.ts";
import { type AncestorRef, type AttachedPolicy, type FieldFate, tellPolicy, type TargetRef } from "./attachment.ts";

/** PolicyStatus: a list of ancestors holds no more. */
export const MOST_ANCESTORS = 16;

/** What becomes of a policy for one ancestor. */
export interface AncestorVerdict {
  readonly ref: AncestorRef;
  /** Values that cannot be used (Invalid), and why a target of it counts for nothing there: the first says the reason. */
  readonly flaws: readonly Flaw[];
  /** Fates of the policy's fields there, those in force as well. */
  readonly fates: readonly FieldFate[];
}

/** The status and the problems of one policy; a policy without ancestors has no status. */
export function toPolicyTranslation(
  policy: WorldObject<Kind> & AttachedPolicy,
  { controllerName, verdicts, findings }: PolicyVerdict,
): Translation {
  const ancestors = mergeVerdicts(verdicts);
  const flaws = new Map(ancestors.flatMap((verdict) => verdict.flaws.map((flaw) => [JSON.stringify(flaw), flaw])));
  const excess = ancestors.length > MOST_ANCESTORS ? [toExcess(ancestors.length)] : [];
  const status = {
    ancestors: ancestors.slice(0, MOST_ANCESTORS).map((verdict) => ({
      ancestorRef: toRef(verdict.ref),
      controllerName,
      conditions: toConditions(policy, verdict),
    })),
  };
  return {
    resources: [],
    statuses: ancestors.length === 0 ? [] : [{ object: toObjectRef(policy), status }],
    problems: [...flaws.values(), ...findings, ...excess].map((finding) => toProblem(policy, finding)),
  };
}

/** All that is to say of a policy. */
export interface PolicyVerdict {
  readonly controllerName: string;
  /** In any order; several of one ancestor are told as one. */
  readonly verdicts: readonly AncestorVerdict[];
  /** What is worth telling and changes nothing. */
  readonly findings: readonly Finding[];
}

/** The flaw of a target that an older policy has. */
export function toConflict(path: string, { kind, name }: TargetRef, holder: AttachedPolicy): Flaw {
  const message = `the ${tellPolicy(holder)}, which is older or first by name, has the ${kind} ${name}`;
  const hint = "nothing of this one is in force there: put what it says into the other, or name a more specific target";
  return { reason: "Conflicted", code: "conflict", path, message, hint };
}

/** One verdict for each ancestor, sorted; what is there comes before targets that are not. */
function mergeVerdicts(verdicts: readonly AncestorVerdict[]): AncestorVerdict[] {
  const byRef = Map.groupBy(verdicts, ({ ref }) => toSortKey(ref));
  const merged = [...byRef.keys()].toSorted().flatMap((key): AncestorVerdict[] => {
    const same = byRef.get(key) ?? [];
    const [first] = same;
    if (first === undefined) return [];
    return [{ ref: first.ref, flaws: mergeFlaws(same), fates: same.flatMap(({ fates }) => fates) }];
  });
  return [...merged.filter((verdict) => !isMissing(verdict)), ...merged.filter(isMissing)];
}

function mergeFlaws(verdicts: readonly AncestorVerdict[]): readonly Flaw[] {
  return [
    ...new Map(verdicts.flatMap(({ flaws }) => flaws).map((flaw) => [JSON.stringify(flaw), flaw])).values(),
  ].toSorted((left, right) => rank(left) - rank(right));
}

/** What concerns the policy as a whole is said before what concerns one of its targets. */
function rank({ reason }: Flaw): number {
  return reason === "Invalid" ? 0 : 1;
}

function toSortKey({ group, kind, namespace, name, sectionName = "" }: AncestorRef): string {
  return `${group} ${kind} ${namespace}/${name} ${sectionName}`;
}

/** A target that is not there is an ancestor of its own. */
function isMissing({ flaws }: AncestorVerdict): boolean {
  return flaws.some(({ reason }) => reason === "TargetNotFound");
}

function toRef({ group, kind, namespace, name, sectionName }: AncestorRef): AncestorRef {
  return { group, kind, namespace, name, ...(sectionName === undefined ? {} : { sectionName }) };
}

const ACCEPTED = { reason: "Accepted", message: "its targets are served as it says" };

function toConditions(policy: WorldObject<Kind> & AttachedPolicy, { flaws, fates }: AncestorVerdict): Condition[] {
  const conditions = conditionsOf(policy);
  const accepted = judgeAccepted(conditions, flaws);
  const overrides = flaws.every(isOfValue) ? tellOverrides(fates) : "";
  return overrides === "" ? [accepted] : [accepted, conditions.holds("Overridden", "Overridden", overrides)];
}

/**
 * False also where only a value is left out (GEP-713 knows no word for that): who waits for a policy must not take for done what is done in
 * part. What else is in force is said with it.
 */
function judgeAccepted(conditions: ConditionMaker, flaws: readonly Flaw[]): Condition {
  const accepted = conditions.judge("Accepted", flaws, ACCEPTED);
  if (flaws.length === 0 || !flaws.every(isOfValue)) return accepted;
  return { ...accepted, message: `${accepted.message}; ${REST}` };
}

const REST = "this is left out, and the rest of the policy is in force";

function isOfValue({ reason }: Flaw): boolean {
  return reason === "Invalid";
}

const MOST_OWNERS = 3;
const MOST_FIELDS = 8;

/** Which fields others decide, and whether everywhere or for a part; "" where none. */
function tellOverrides(fates: readonly FieldFate[]): string {
  const byField = Map.groupBy(fates, ({ field }) => field);
  const told = [...byField.keys()].toSorted().flatMap((field) => {
    const own = byField.get(field) ?? [];
    const others = [...new Set(own.flatMap(({ owner, by }) => (by === owner ? [] : [by])))].toSorted();
    if (others.length === 0) return [];
    const where = own.some(({ owner, by }) => by === owner) ? "in part" : "everywhere";
    return [`${field} ${where} by ${tellSome(others, MOST_OWNERS, ", ")}`];
  });
  return tellSome(told, MOST_FIELDS, "; ");
}

function tellSome(all: readonly string[], most: number, separator: string): string {
  const told = all.slice(0, most).join(separator);
  return all.length > most ? `${told} and ${all.length - most} more` : told;
}

function toExcess(count: number): Finding {
  const message = `it concerns ${count} Gateways, Ingresses and missing targets, and its status has room for ${MOST_ANCESTORS}`;
  return { code: "limit-exceeded", path: "spec.targetRefs", message };
}
