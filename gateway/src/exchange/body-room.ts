/** Room for the body of one exchange among those that its worker keeps: every byte that is taken here is given back here. */
import type { BodyPurpose } from "../observe/contract.ts";
import type { Exchange } from "./exchange.ts";

/** Takes room for more bytes of the body; where there is none, false, and that is noted. */
export function takeRoom(exchange: Exchange, purpose: BodyPurpose, more: number): boolean {
  const { dependencies, rule } = exchange;
  const room = (exchange.room ??= dependencies.kept[purpose].open(rule?.routeKey ?? ""));
  if (!room.take(more)) {
    noteShortage(exchange, purpose);
    return false;
  }
  dependencies.recorder.bodyKept(purpose, more);
  return true;
}

/** Gives back all that the exchange has taken. */
export function freeRoom(exchange: Exchange): void {
  const { room, dependencies } = exchange;
  if (room === undefined) return;
  exchange.room = undefined;
  dependencies.recorder.bodyKept(room.room.purpose, -room.close());
}

const CONSEQUENCES: Readonly<Record<BodyPurpose, string>> = {
  retry: "requests that fail are not tried again",
  whole: "requests are answered 503 (OM)",
};
const REMEDIES: Readonly<Record<BodyPurpose, string>> = {
  retry: "look for endpoints that take long to answer",
  whole:
    "look for clients that upload slowly; lower requestBody.maxBytes, or timeout.requestBodyIdle of the ClientTrafficPolicy",
};

/** A body has no room: it is counted, and said once in a while, with who holds most. */
export function noteShortage({ dependencies, rule }: Exchange, purpose: BodyPurpose): void {
  const { kept, recorder, log } = dependencies;
  const room = kept[purpose];
  recorder.bodyRefused(purpose);
  const refused = room.refuse(dependencies.now());
  if (refused === 0) return;
  const largest = room.findLargest();
  log.warn("no room to keep request bodies", {
    purpose,
    route: rule?.routeKey,
    consequence: CONSEQUENCES[purpose],
    bodiesSinceLastLine: refused,
    bytesKept: room.held,
    bytesAtMost: room.size,
    bytesOfOneBodyAtMost: room.most,
    ...(largest !== undefined && { largestHolder: largest.key, bytesOfLargest: largest.held }),
    do: REMEDIES[purpose],
  });
}
