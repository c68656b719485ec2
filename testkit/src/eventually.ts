// Waiting for something that announces itself by nothing but its effect; where there is an event, await the event.
import { setTimeout } from "node:timers/promises";

/** How long to wait, and for what. */
export interface EventuallyOptions {
  /** Milliseconds until it counts as never. Default 20 000: a machine may do other things. */
  readonly within?: number;
  /** Completes the sentence "waited 20000 ms in vain for ...". */
  readonly what?: string;
}

const FIRST_PAUSE = 1;
const LONGEST_PAUSE = 25;

/**
 * Calls `probe` until it returns without throwing anything but false, and resolves with that value.
 * Throws when the time is over, with the probe's last error as cause. Assertions make good probes: they say what was wrong.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<Exclude<T, false | undefined>> {
  const { within = 20_000, what = "a condition" } = options;
  const deadline = performance.now() + within;
  let pause = FIRST_PAUSE;
  for (;;) {
    const outcome = await attempt(probe);
    if (outcome.ok) return outcome.value;
    if (performance.now() + pause > deadline) {
      throw new Error(`waited ${within} ms in vain for ${what}`, { cause: outcome.error });
    }
    await setTimeout(pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
}

type Attempt<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

async function attempt<T>(probe: () => T | Promise<T>): Promise<Attempt<Exclude<T, false | undefined>>> {
  try {
    const value = await probe();
    if (value === false || value === undefined) return { ok: false, error: undefined };
    return { ok: true, value: value as Exclude<T, false | undefined> };
  } catch (error) {
    return { ok: false, error };
  }
}
