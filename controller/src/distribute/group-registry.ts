/** Groups of proxies: what each should have, who is connected, and how far they are. */
import type { Snapshot } from "@sallyport/model/snapshot";
import type { GroupState } from "../run/contract.ts";
import type { ProxyState } from "./proxy-state.ts";
import { toVersionedSlice, type VersionedSlice } from "./versioned-slice.ts";

/** A connected proxy. */
export interface Member {
  readonly state: ProxyState;
  /** Has it sent what it should have now. */
  readonly advance: () => void;
}

/** Holds groups by key. */
export class GroupRegistry {
  readonly #slices = new Map<string, VersionedSlice>();
  readonly #members = new Map<string, Set<Member>>();
  readonly #listeners = new Set<() => void>();
  #isTelling = false;

  /** Sets what all groups should have; a group that is absent has nothing to be sent. */
  publish(slices: ReadonlyMap<string, Snapshot>): void {
    for (const group of this.#slices.keys()) if (!slices.has(group)) this.#set(group, undefined);
    for (const [group, snapshot] of slices) {
      const before = this.#slices.get(group);
      const slice = toVersionedSlice(snapshot, before);
      if (slice !== before) this.#set(group, slice);
    }
    this.tell();
  }

  /** Takes a proxy in. Returns what takes it out again. */
  join(group: string, member: Member): () => void {
    const members = this.#members.get(group) ?? new Set();
    this.#members.set(group, members.add(member));
    member.state.want(this.#slices.get(group));
    member.advance();
    this.tell();
    return () => {
      members.delete(member);
      if (members.size === 0 && this.#members.get(group) === members) this.#members.delete(group);
      this.tell();
    };
  }

  /** How far the proxies of a group are. */
  stateOf(group: string): GroupState {
    const members = [...(this.#members.get(group) ?? [])];
    return {
      connected: members.length,
      current: members.filter(({ state }) => state.isCurrent).length,
      refusals: [...new Set(members.flatMap(({ state }) => state.reasons))],
    };
  }

  /** Proxies that are connected, of all groups. */
  get connected(): number {
    return [...this.#members.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** `listener` is called after states changed, once for many of one turn. Returns what stops it. */
  onState(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Tells the listeners, soon. */
  tell(): void {
    if (this.#isTelling || this.#listeners.size === 0) return;
    this.#isTelling = true;
    setImmediate(() => {
      this.#isTelling = false;
      for (const listener of this.#listeners) listener();
    });
  }

  #set(group: string, slice: VersionedSlice | undefined): void {
    if (slice === undefined) this.#slices.delete(group);
    else this.#slices.set(group, slice);
    for (const member of this.#members.get(group) ?? []) {
      member.state.want(slice);
      member.advance();
    }
  }
}
