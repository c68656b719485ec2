/** How an instance of the shop can be told to behave. */

/** What each word means, as the back door explains it. */
export const BEHAVIOURS = {
  well: "answers at once",
  slow: "answers after ?ms= milliseconds",
  failing: "answers ?status= (503)",
  hanging: "takes requests and answers when it is told otherwise, or released",
  refusing: "does not listen: connections are refused",
  losing: "does what is asked, and closes the connection without an answer",
  unwell: "fails its health checks, and answers all else at once",
} as const;

/** One of them with what it needs; `milliseconds` is for `slow`, `status` for `failing`. */
export interface Behaviour {
  readonly kind: keyof typeof BEHAVIOURS;
  readonly milliseconds: number;
  readonly status: number;
}

/** How instances begin. */
export const WELL: Behaviour = { kind: "well", milliseconds: 0, status: 503 };

/** Reads one from the query of a request to the back door; a text says what is wrong with it. */
export function parseBehaviour(query: URLSearchParams): Behaviour | string {
  const kind = query.get("be") ?? "";
  if (!isKind(kind)) return `be= is one of ${Object.keys(BEHAVIOURS).join(", ")}`;
  const milliseconds = Number(query.get("ms") ?? 1000);
  const status = parseStatus(query.get("status") ?? "503");
  if (!(milliseconds >= 0 && milliseconds <= 600_000)) return "ms= is 0 to 600000";
  if (typeof status === "string") return status;
  return { kind, milliseconds, status };
}

/** Reads the status of an answer. */
export function parseStatus(text: string): number | string {
  const status = Number(text);
  return Number.isInteger(status) && status >= 200 && status <= 599 ? status : "status= is 200 to 599";
}

function isKind(text: string): text is Behaviour["kind"] {
  return Object.hasOwn(BEHAVIOURS, text);
}
