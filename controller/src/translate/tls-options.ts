/**
 * TLS options of listeners and of policies for backends (Gateway API: `options`, implementation-specific):
 *
 *     sallyport.io/tls-min-version: "1.2"      1.2 or 1.3
 *     sallyport.io/tls-max-version: "1.3"
 *     sallyport.io/tls-cipher-suites: ECDHE-RSA-AES128-GCM-SHA256,TLS_AES_128_GCM_SHA256
 *
 * Cipher suites have their names of OpenSSL or of IANA and stand best first. A list that names none of TLS 1.2 or of TLS 1.3
 * leaves those of that version as they are.
 */
import type { TlsVersion } from "@sallyport/model/listener";
import { type Finding, type Flaw, hintName } from "./flaw.ts";

/** What options say. What they say wrong is a flaw: without it the user would have less protection than asked for. */
export interface TlsOptions {
  readonly minVersion?: TlsVersion;
  readonly maxVersion?: TlsVersion;
  readonly ciphers?: readonly string[];
  readonly flaws: readonly Flaw[];
  /** Options that have no effect. */
  readonly remarks: readonly Finding[];
}

const MIN_VERSION = "sallyport.io/tls-min-version";
const MAX_VERSION = "sallyport.io/tls-max-version";
const CIPHERS = "sallyport.io/tls-cipher-suites";
const OPTIONS = [MIN_VERSION, MAX_VERSION, CIPHERS];

/** Reads options; `path` is theirs. `others` are options that somebody else reads. */
export function parseTlsOptions(
  options: Readonly<Record<string, string>>,
  path: string,
  others: readonly string[] = [],
): TlsOptions {
  const flaws: Flaw[] = [];
  const refuse = (name: string, flaw: Omit<Flaw, "reason" | "code" | "path">): undefined =>
    void flaws.push({ reason: "UnsupportedValue", code: "unsupported-value", path: toPath(path, name), ...flaw });
  const minVersion = parseVersion(options, MIN_VERSION, refuse);
  const maxVersion = parseVersion(options, MAX_VERSION, refuse);
  const ciphers = parseCiphers(options, refuse);
  if (minVersion === "1.3" && maxVersion === "1.2") {
    refuse(MAX_VERSION, { message: "no version of TLS is left between 1.3 and 1.2" });
  }
  if (maxVersion === "1.2" && ciphers?.every((cipher) => cipher.startsWith(TLS_1_3)) === true) {
    refuse(CIPHERS, { message: "none of these cipher suites is of TLS 1.2, the only version that is left" });
  }
  return {
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...(ciphers === undefined ? {} : { ciphers }),
    flaws,
    remarks: toRemarks(options, path, [...OPTIONS, ...others]),
  };
}

type Refuse = (name: string, flaw: Omit<Flaw, "reason" | "code" | "path">) => undefined;

function parseVersion(options: Readonly<Record<string, string>>, name: string, refuse: Refuse): TlsVersion | undefined {
  const text = options[name];
  if (text === undefined || text === "1.2" || text === "1.3") return text;
  return refuse(name, {
    message: `${JSON.stringify(text)} is not a version of TLS we serve`,
    hint: 'write "1.2" or "1.3"',
  });
}

function parseCiphers(options: Readonly<Record<string, string>>, refuse: Refuse): readonly string[] | undefined {
  const text = options[CIPHERS];
  if (text === undefined) return undefined;
  const { suites, foreign } = toCipherSuites(text.split(/[,:]/).map((name) => name.trim()));
  for (const flaw of foreign) refuse(CIPHERS, flaw);
  return foreign.length === 0 ? suites : undefined;
}

/** Cipher suites by OpenSSL's or IANA's names, as OpenSSL's, and what is to say of those that we do not serve. */
export function toCipherSuites(names: readonly string[]): {
  readonly suites: string[];
  readonly foreign: readonly Pick<Flaw, "message" | "hint">[];
} {
  const suites = [...new Set(names.map(toOpenSslName))];
  const foreign = suites
    .filter((name) => !CIPHER_SUITES.includes(name))
    .map((name) => {
      const message = name === "" ? "a name of a cipher suite is empty" : `${name} is not a cipher suite we serve`;
      return { message, ...hintName(name, CIPHER_SUITES) };
    });
  return { suites, foreign };
}

/** IANA's `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` is OpenSSL's `ECDHE-RSA-AES128-GCM-SHA256`; TLS 1.3 has one name for each. */
function toOpenSslName(name: string): string {
  const [, exchange = "", cipher = ""] = /^TLS_(ECDHE_(?:ECDSA|RSA))_WITH_([A-Z0-9_]+)$/.exec(name) ?? [];
  if (exchange === "") return name;
  const bulk = cipher === "CHACHA20_POLY1305_SHA256" ? "CHACHA20_POLY1305" : cipher.replace(/^AES_/, "AES");
  const translated = `${exchange}-${bulk}`.replaceAll("_", "-");
  return CIPHER_SUITES.includes(translated) ? translated : name;
}

/** How suites of TLS 1.3 begin, and no other's. */
export const TLS_1_3 = "TLS_";

/** All with authenticated encryption and forward secrecy; what is older has no place at an edge of today (RFC 9325 section 4.2). */
const CIPHER_SUITES: readonly string[] = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
];

function toRemarks(options: Readonly<Record<string, string>>, path: string, known: readonly string[]): Finding[] {
  const unknown = Object.keys(options).filter((name) => !known.includes(name));
  return unknown.toSorted().map((name) => ({
    code: "unsupported-value",
    path: toPath(path, name),
    message: `the TLS option ${name} is not known and has no effect`,
    ...(name.startsWith("sallyport.io/") ? hintName(name, known) : {}),
  }));
}

function toPath(path: string, name: string): string {
  return `${path}["${name}"]`;
}
