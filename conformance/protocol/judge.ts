// Compares what was observed with the outcomes a case allows; pure, so that it can itself be tested.
import { fieldValues } from "@sallyport/testkit/strict-http";
import type { Message } from "@sallyport/testkit/strict-http";
import type { Field } from "@sallyport/testkit/strict-head";
import { backendInvariants, clientInvariants } from "./invariants.ts";
import type { ExpectedRequest, ExpectedResponse, FieldCheck, Outcome, ProtocolCase } from "./case.ts";

/** What happened when a case was run. */
export interface Observation {
  /** How the client reached the system. */
  readonly scheme: "http" | "https";
  /** Complete requests the backend saw. */
  readonly backend: readonly Message[];
  /** What the backend could not read as HTTP/1.1. */
  readonly backendProblem?: string;
  readonly interim: readonly Message[];
  readonly client: readonly Message[];
  /** What the client could not read as HTTP/1.1. */
  readonly clientProblem?: string;
  readonly after: "open" | "ended" | "reset" | "hung";
  readonly tunnel: { readonly backend: string; readonly client: string };
  /** Every byte the client received, latin1. */
  readonly received: string;
  /** The backend connection of the first request carried another request. */
  readonly reused: boolean;
  /** Why a fresh request on a fresh connection was not answered as it should; empty if it was. */
  readonly fence: string;
}

/** Which system is judged: one that only proxies is not asked for Sallyport's own fields and rules. */
export type Subject = "sallyport" | "peer";

/** Nothing if one allowed outcome fits, else why each of them does not. */
export function judge(testCase: ProtocolCase, seen: Observation, subject: Subject): readonly string[] {
  const faults = [...alwaysWrong(seen, subject)];
  const misses = testCase.allow.map((outcome) => compare(outcome, seen, subject));
  if (!misses.some((reasons) => reasons.length === 0)) {
    const nearest = misses.reduce((best, reasons) => (reasons.length < best.length ? reasons : best));
    faults.push(...nearest);
  }
  return faults;
}

/** What no outcome allows: bytes that are not HTTP, broken invariants, a poisoned next request. */
function alwaysWrong(seen: Observation, subject: Subject): string[] {
  const faults: string[] = [];
  if (seen.backendProblem !== undefined)
    faults.push(`the backend got what is not strict HTTP/1.1: ${seen.backendProblem}`);
  if (seen.clientProblem !== undefined)
    faults.push(`the client got what is not strict HTTP/1.1: ${seen.clientProblem}`);
  if (seen.fence !== "") faults.push(`the next request on a new connection failed: ${seen.fence}`);
  for (const request of seen.backend) faults.push(...backendInvariants(request, subject, seen.scheme));
  for (const response of [...seen.interim, ...seen.client]) faults.push(...clientInvariants(response));
  return faults;
}

function compare(outcome: Outcome, seen: Observation, subject: Subject): string[] {
  const faults: string[] = [];
  if (seen.backend.length !== outcome.backend.length) {
    const targets = seen.backend.map((request) => `${request.method} ${request.target}`).join(", ");
    faults.push(`backend saw ${seen.backend.length} requests (${targets}), not ${outcome.backend.length}`);
  } else {
    for (const [index, wanted] of outcome.backend.entries()) {
      const request = seen.backend[index];
      if (request !== undefined) faults.push(...compareRequest(wanted, request, { subject, scheme: seen.scheme }));
    }
  }
  if (seen.client.length !== outcome.client.length) {
    faults.push(`client read [${seen.client.map((r) => r.status).join(", ")}], not ${outcome.client.length} responses`);
  } else {
    for (const [index, wanted] of outcome.client.entries()) {
      const response = seen.client[index];
      if (response !== undefined) faults.push(...compareResponse(wanted, response));
    }
  }
  return [...faults, ...compareConnection(outcome, seen)];
}

function compareConnection(outcome: Outcome, seen: Observation): string[] {
  const faults: string[] = [];
  const closed = seen.after === "ended" || seen.after === "reset";
  const fits = outcome.after === "any" || outcome.after === seen.after || (outcome.after === "closed" && closed);
  if (!fits) faults.push(`client connection is ${seen.after}, not ${outcome.after}`);
  if (outcome.interim !== undefined) {
    const codes = seen.interim.map((response) => response.status).join(",");
    if (codes !== outcome.interim.join(",")) faults.push(`interim [${codes}], not [${outcome.interim.join(",")}]`);
  }
  if (outcome.backendConnection === "not-reused" && seen.reused) faults.push("the backend connection was used again");
  if (outcome.received !== undefined && !outcome.received.test(seen.received))
    faults.push(`the client received ${show(seen.received)}`);
  return [...faults, ...compareTunnel(outcome.tunnel, seen.tunnel)];
}

function compareTunnel(wanted: Outcome["tunnel"], seen: Observation["tunnel"]): string[] {
  if (wanted === undefined) return seen.client === "" ? [] : [`tunnel to the client ${show(seen.client)}`];
  const faults: string[] = [];
  if (seen.backend !== wanted.backend) faults.push(`tunnel to the backend ${show(seen.backend)}`);
  if (seen.client !== wanted.client) faults.push(`tunnel to the client ${show(seen.client)}`);
  return faults;
}

function compareRequest(wanted: ExpectedRequest, seen: Message, run: Run): string[] {
  const faults: string[] = [];
  if (wanted.method !== undefined && wanted.method !== seen.method)
    faults.push(`method ${seen.method}, not ${wanted.method}`);
  if (wanted.target !== undefined && wanted.target !== seen.target) {
    faults.push(`target ${show(seen.target)}, not ${show(wanted.target)}`);
  }
  if (wanted.body !== undefined && wanted.body !== seen.body) {
    faults.push(`request body ${show(seen.body)}, not ${show(wanted.body)}`);
  }
  const fields = Object.entries(wanted.fields ?? {}).filter(([name]) => run.subject === "sallyport" || !OWN.has(name));
  faults.push(
    ...fields.flatMap(([name, check]) => compareField("field", name, overScheme(name, check, run), seen.fields)),
  );
  faults.push(...compareFields("trailer", wanted.trailers, seen.trailers));
  return faults;
}

interface Run {
  readonly subject: Subject;
  readonly scheme: Observation["scheme"];
}

/** The tables are written for clients without TLS. */
function overScheme(name: string, check: FieldCheck, { scheme }: Run): FieldCheck {
  return name === "x-forwarded-proto" && check === "http" ? scheme : check;
}

/** Fields that Sallyport's policy or configuration decides, so that a peer is not asked for them. */
const OWN = new Set(["x-matched", "x-forwarded-for", "x-forwarded-proto", "x-request-id"]);

function compareResponse(wanted: ExpectedResponse, seen: Message): string[] {
  const faults: string[] = [];
  const allowed = typeof wanted.status === "number" ? [wanted.status] : wanted.status;
  if (!allowed.includes(seen.status)) faults.push(`status ${seen.status}, not ${allowed.join(" or ")}`);
  if (seen.complete !== (wanted.complete ?? true)) faults.push(`response is ${seen.complete ? "whole" : "cut"}`);
  if (wanted.body !== undefined && !matches(wanted.body, seen.body)) {
    faults.push(`response body ${show(seen.body)}, not ${show(String(wanted.body))}`);
  }
  faults.push(...compareFields("response field", wanted.fields, seen.fields));
  faults.push(...compareFields("response trailer", wanted.trailers, seen.trailers));
  return faults;
}

function matches(wanted: string | RegExp, seen: string): boolean {
  return typeof wanted === "string" ? wanted === seen : wanted.test(seen);
}

function compareFields(kind: string, wanted: ExpectedResponse["fields"], seen: readonly Field[]): string[] {
  return Object.entries(wanted ?? {}).flatMap(([name, check]) => compareField(kind, name, check, seen));
}

function compareField(kind: string, name: string, check: FieldCheck, fields: readonly Field[]): string[] {
  const values = fieldValues(fields, name.toLowerCase());
  const joined = values.join(", ");
  if (check === null) return values.length === 0 ? [] : [`${kind} ${name} is there: ${show(joined)}`];
  if (values.length === 0) {
    // A pattern may say by itself that absence is fine (it matches the empty string).
    return check instanceof RegExp && check.test("") ? [] : [`${kind} ${name} is missing`];
  }
  if (check === true) return [];
  const fits = matches(check, joined);
  return fits
    ? []
    : [`${kind} ${name} is ${show(joined)}, not ${typeof check === "string" ? show(check) : String(check)}`];
}

/** Bytes for people: escaped, and shortened in the middle. */
export function show(bytes: string): string {
  const text = JSON.stringify(
    bytes.length > 400 ? `${bytes.slice(0, 300)} ...(${bytes.length} bytes)... ${bytes.slice(-60)}` : bytes,
  );
  return text.replaceAll(/[\u007f-\u00ff]/g, (c) => `\\x${c.charCodeAt(0).toString(16)}`);
}
