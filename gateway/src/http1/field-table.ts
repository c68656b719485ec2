/** Finds the role of a field name straight from its bytes: one hash of length, first and last byte, then one comparison. */
import { FIELD_RULES, UNTRUSTED_PREFIXES, type FieldRole } from "../head/field-rules.ts";
import { spells, toBytes } from "../head/bytes.ts";

/** A role as a number, for a switch on the hot path. */
export type RoleCode = number;

/** Passes unchanged. */
export const PASS: RoleCode = 0;
/** Codes of the roles. */
export const ROLE = {
  host: 1,
  "content-length": 2,
  "transfer-encoding": 3,
  connection: 4,
  upgrade: 5,
  te: 6,
  expect: 7,
  trailer: 8,
  "hop-by-hop": 9,
  "forwarded-for": 10,
  "forwarded-proto": 11,
  "request-id": 12,
  untrusted: 13,
  "max-forwards": 14,
  date: 15,
  "client-certificate": 16,
} as const satisfies Record<FieldRole, RoleCode>;

const SLOTS = 1024;

/** Names of requests, or of responses, by hash. */
export class FieldTable {
  /** 0: no name has this hash; n: entry n-1 and those chained behind it. */
  readonly #slots = new Uint8Array(SLOTS);
  readonly #next: number[] = [];
  readonly #names: Uint8Array[] = [];
  readonly #roles: RoleCode[] = [];
  readonly #prefixes: readonly Uint8Array[];

  constructor(side: "request" | "response") {
    for (const rule of FIELD_RULES) if (rule.in === "both" || rule.in === side) this.#add(rule.name, ROLE[rule.role]);
    this.#prefixes = side === "request" ? UNTRUSTED_PREFIXES.map(({ prefix }) => toBytes(prefix)) : [];
  }

  /** The role of the name at bytes[at, at + length), which are token characters. */
  roleOf(bytes: Uint8Array, at: number, length: number): RoleCode {
    const first = byteAt(bytes, at) | 32;
    const entry = this.#slots[hash(length, first, byteAt(bytes, at + length - 1) | 32)] ?? 0;
    if (entry !== 0) {
      const role = this.#find(entry, bytes, at, length);
      if (role !== PASS) return role;
    }
    // "x-": the only beginning that prefixes have
    return first === 120 && byteAt(bytes, at + 1) === 45 ? this.#prefixRole(bytes, at, length) : PASS;
  }

  #find(first: number, bytes: Uint8Array, at: number, length: number): RoleCode {
    for (let entry = first; entry !== 0; entry = this.#next[entry - 1] ?? 0) {
      const name = this.#names[entry - 1];
      if (name !== undefined && name.length === length && spells(bytes, at, name))
        return this.#roles[entry - 1] ?? PASS;
    }
    return PASS;
  }

  #prefixRole(bytes: Uint8Array, at: number, length: number): RoleCode {
    for (const prefix of this.#prefixes) if (length > prefix.length && spells(bytes, at, prefix)) return ROLE.untrusted;
    return PASS;
  }

  #add(name: string, role: RoleCode): void {
    const bytes = toBytes(name);
    const slot = hash(bytes.length, bytes[0] ?? 0, bytes[bytes.length - 1] ?? 0);
    this.#names.push(bytes);
    this.#roles.push(role);
    this.#next.push(this.#slots[slot] ?? 0);
    this.#slots[slot] = this.#names.length;
  }
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

function hash(length: number, first: number, last: number): number {
  return (length * 61 + first * 7 + last * 131) & (SLOTS - 1);
}
