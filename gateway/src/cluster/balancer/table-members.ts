/** The members of a table brought into the order and the words it is known by, in parts: there may be ten thousands of them. */
import { createHash } from "node:crypto";
import { type HashingConfig, STEPS_A_PART, type TableMember } from "./hash-table.ts";

/** Sorted at once. */
const RUN = 64;
/** Put into words at once. */
const WORDS = 64;

/** Sorts by label, a part at each call of next(): runs, which are then merged. */
export function* sortMembers(members: readonly TableMember[]): Generator<void, readonly TableMember[]> {
  const first = members.slice(0, RUN).sort(byLabel);
  if (members.length <= RUN) return first;
  let from = first;
  for (let start = RUN; start < members.length; start += RUN) {
    yield;
    for (const member of members.slice(start, start + RUN).sort(byLabel)) from.push(member);
  }
  for (let width = RUN; width < members.length; width *= 2) {
    const to: TableMember[] = [];
    for (let start = 0; start < from.length; start += 2 * width) yield* merge(from, { start, width }, to);
    from = to;
  }
  return from;
}

/** What tables of the same members (sorted) under the same configuration have in common. Keys to look for do not matter. */
export function* toTableKey(config: HashingConfig, members: readonly TableMember[]): Generator<void, string> {
  const hash = createHash("sha256");
  hash.update(config.kind === "maglev" ? `m${config.tableSize}` : `r${config.minimumSize},${config.maximumSize}`);
  for (let start = 0; start < members.length; start += WORDS) {
    if (start > 0) yield;
    const part = members.slice(start, start + WORDS);
    hash.update(part.map(({ label, weight }) => `\n${label} ${weight}`).join(""));
  }
  return hash.digest("base64");
}

/** Two runs that follow each other become one at the end of `to`. */
function* merge(
  from: readonly TableMember[],
  { start, width }: { start: number; width: number },
  to: TableMember[],
): Generator<void> {
  const middle = Math.min(start + width, from.length);
  const end = Math.min(start + 2 * width, from.length);
  let left = start;
  let right = middle;
  while (left < middle || right < end) {
    const one = left < middle ? from[left] : undefined;
    const other = right < end ? from[right] : undefined;
    if (one !== undefined && (other === undefined || byLabel(one, other) <= 0)) {
      to.push(one);
      left++;
    } else if (other !== undefined) {
      to.push(other);
      right++;
    }
    if (to.length % STEPS_A_PART === 0) yield;
  }
}

function byLabel(one: TableMember, other: TableMember): number {
  return one.label < other.label ? -1 : Number(one.label > other.label);
}
