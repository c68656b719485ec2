/**
 * How the TLS of a listener is terminated. Everything is made when the first handshake asks for it, so that thousands of
 * listeners cost nothing to compile, and kept while it means the same, so that contexts and sessions can be kept by it.
 */
import type { Listener, ListenerTls } from "@sallyport/model/listener";
import type { Authorities, CertificateSecret } from "@sallyport/model/secret";
import type { Snapshot } from "@sallyport/model/snapshot";
import type { ServerCertificate, TlsClientValidation, TlsTermination } from "../router/contract.ts";
import { toApplicationProtocols } from "./application-protocols.ts";
import { chooseCertificates } from "./certificates.ts";
import { getResource } from "./changes.ts";
import { digestOf, digestTexts } from "./digests.ts";

/** The TLS of one listener that terminates it. */
export class ListenerTermination {
  readonly secrets: readonly CertificateSecret[];
  readonly terms: TerminationTerms;

  constructor(secrets: readonly CertificateSecret[], terms: TerminationTerms) {
    this.secrets = secrets;
    this.terms = terms;
  }

  /** For a server name; undefined where it cannot be terminated as it must, and so not at all. */
  find(serverName: string | undefined): TlsTermination | undefined {
    if (this.secrets.length === 0 || !this.terms.isComplete) return undefined;
    return this.terms.terminate(chooseCertificates(this.secrets, serverName));
  }
}

/** The termination of a listener; `before` where nothing of it changed. undefined: it does not terminate. */
export function compileTermination(
  resource: Listener,
  snapshot: Snapshot,
  before: ListenerTermination | undefined,
): ListenerTermination | undefined {
  const { tls, protocol } = resource;
  if (tls === undefined || (protocol !== "https" && protocol !== "tls")) return undefined;
  const secrets = findAll(tls.certificates, (key) => getResource(snapshot, "secret", key));
  const authorities = findAll(tls.clientValidation?.authorities ?? [], (key) =>
    getResource(snapshot, "authorities", key),
  );
  const terms = before?.terms.isFor(resource.key, protocol, tls, authorities) === true ? before.terms : undefined;
  if (before !== undefined && terms !== undefined && isSameList(before.secrets, secrets)) return before;
  return new ListenerTermination(secrets, terms ?? new TerminationTerms(resource.key, protocol, tls, authorities));
}

/** All that handshakes with a listener depend on but the certificates it shows. */
class TerminationTerms {
  readonly #listener: string;
  readonly #protocol: "https" | "tls";
  readonly #tls: ListenerTls;
  readonly #authorities: readonly Authorities[];
  /** By the first certificate that is shown. */
  readonly #made = new WeakMap<CertificateSecret, Made[]>();
  /** Other secrets may hold the same certificates. */
  readonly #byId = new Map<string, WeakRef<TlsTermination>>();
  #sessionContext = "";
  #validation: TlsClientValidation | undefined = undefined;

  constructor(listener: string, protocol: "https" | "tls", tls: ListenerTls, authorities: readonly Authorities[]) {
    this.#listener = listener;
    this.#protocol = protocol;
    this.#tls = tls;
    this.#authorities = authorities;
  }

  /** False where clients are to be held against authorities that are not there: then nobody may come in. */
  get isComplete(): boolean {
    const { clientValidation } = this.#tls;
    if (clientValidation === undefined || clientValidation.mode === "request") return true;
    return this.#authorities.length > 0 && this.#authorities.length === clientValidation.authorities.length;
  }

  isFor(listener: string, protocol: string, tls: ListenerTls, authorities: readonly Authorities[]): boolean {
    return (
      listener === this.#listener &&
      protocol === this.#protocol &&
      isSameList(authorities, this.#authorities) &&
      (tls === this.#tls || toTermsText(tls) === toTermsText(this.#tls))
    );
  }

  terminate(shown: readonly CertificateSecret[]): TlsTermination | undefined {
    const [first] = shown;
    if (first === undefined) return undefined;
    const known = this.#made.get(first) ?? [];
    const found = known.find((made) => isSameList(made.shown, shown));
    if (found !== undefined) return found.termination;
    const termination = this.#make(shown);
    this.#made.set(first, [...known, { shown, termination }]);
    return termination;
  }

  #make(shown: readonly CertificateSecret[]): TlsTermination {
    const { minVersion = "1.2", maxVersion = "1.3", ciphers } = this.#tls;
    this.#sessionContext ||= this.#digestProofs();
    this.#validation ??= this.#toValidation();
    const sessionContext = this.#sessionContext;
    const versions = [minVersion, maxVersion, JSON.stringify(ciphers ?? null)];
    const id = digestTexts([sessionContext, ...versions, ...shown.map(digestOf)]);
    const known = this.#byId.get(id)?.deref();
    if (known !== undefined) return known;
    const termination: TlsTermination = {
      id,
      sessionContext,
      certificates: shown.map(toServerCertificate),
      clientValidation: this.#validation,
      minVersion,
      maxVersion,
      ciphers,
      applicationProtocols: this.#protocol === "https" ? toApplicationProtocols(this.#tls) : [],
    };
    for (const [other, made] of this.#byId) if (made.deref() === undefined) this.#byId.delete(other);
    this.#byId.set(id, new WeakRef(termination));
    return termination;
  }

  /** See TlsTermination.sessionContext. */
  #digestProofs(): string {
    const mode = this.#tls.clientValidation?.mode ?? "none";
    return digestTexts([this.#listener, this.#protocol, mode, ...this.#authorities.map(digestOf)]);
  }

  #toValidation(): TlsClientValidation | undefined {
    const { clientValidation } = this.#tls;
    if (clientValidation === undefined) return undefined;
    return {
      mode: clientValidation.mode,
      authorities: this.#authorities.map(({ certificates }) => certificates),
      revocations: this.#authorities.flatMap(({ revocations }) => (revocations === undefined ? [] : [revocations])),
    };
  }
}

interface Made {
  readonly shown: readonly CertificateSecret[];
  readonly termination: TlsTermination;
}

function isSameList<T>(one: readonly T[], other: readonly T[]): boolean {
  return one.length === other.length && one.every((item, at) => item === other[at]);
}

function toTermsText({ clientValidation, minVersion, maxVersion, ciphers }: ListenerTls): string {
  return JSON.stringify([clientValidation, minVersion, maxVersion, ciphers]);
}

function toServerCertificate({ certificateChain, privateKey, ocspStaple }: CertificateSecret): ServerCertificate {
  return {
    chain: certificateChain,
    key: privateKey,
    ocspStaple: ocspStaple === undefined ? undefined : Buffer.from(ocspStaple, "base64"),
  };
}

function findAll<T>(keys: readonly string[], find: (key: string) => T | undefined): T[] {
  return keys.map(find).filter((found) => found !== undefined);
}
