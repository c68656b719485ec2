/**
 * Priorities of RFC 9218. A request that says nothing shares with its like, frame by frame, so that a large answer holds up no
 * small one; who says so without `i` has its answers one after the other.
 */

/** What orders the DATA of streams. */
export interface Priority {
  /** 0 first, 7 last. */
  readonly urgency: number;
  /** Takes turns with others of its urgency. */
  readonly incremental: boolean;
}

/** Of who says nothing. */
export const DEFAULT_PRIORITY: Priority = { urgency: 3, incremental: true };

/** Longer values are not looked at. */
const MAX_LENGTH = 128;

/**
 * Reads a Priority field value (RFC 9218 section 4): a dictionary of structured fields, of which `u` and `i` count. What cannot be
 * read counts as not said.
 */
export function parsePriority(value: string): Priority {
  if (value === "" || value.length > MAX_LENGTH) return DEFAULT_PRIORITY;
  let urgency = DEFAULT_PRIORITY.urgency;
  let incremental = false;
  for (const member of value.split(",")) {
    const [item = ""] = member.split(";", 1);
    const text = item.trim();
    const digit = text.charCodeAt(2) - 48;
    if (text.length === 3 && text.startsWith("u=") && digit >= 0 && digit <= 7) urgency = digit;
    else if (text === "i" || text === "i=?1") incremental = true;
    else if (text === "i=?0") incremental = false;
  }
  return { urgency, incremental };
}
