/** Who the proxy is: a key made in this process and never written, and the controller's certificate for it, renewed in time. */
import { X509Certificate } from "node:crypto";
import type { RemoteOptions } from "./contract.ts";
import { createKeyRequest } from "./signing-request.ts";

/** A key and its certificate, PEM. */
export interface Certificate {
  readonly key: string;
  readonly chain: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** A certificate is not used in its last seconds: clocks differ. */
const MARGIN = 30_000;
/** Renewal comes up to such a share of its time earlier, so that proxies do not renew all at once. */
const JITTER = 0.2;
/** Milliseconds until a failed renewal is tried again, while the old certificate is good. */
const RETRY = 60_000;

type Place = Pick<RemoteOptions, "controller" | "caFile" | "tokenFile">;

/** Holds the certificate. */
export class Identity {
  readonly #place: Place;
  readonly #onLate: (error: unknown) => void;
  #certificate: Certificate | undefined;
  #renewAt = 0;

  /** `onLate` is told when a renewal failed and the old certificate goes on. */
  constructor(place: Place, onLate: (error: unknown) => void) {
    this.#place = place;
    this.#onLate = onLate;
  }

  /** When the certificate ends, in milliseconds since 1970; 0 where there is none. */
  get expiresAt(): number {
    return this.#certificate?.expiresAt ?? 0;
  }

  /** When a new one is due. */
  get renewAt(): number {
    return this.#renewAt;
  }

  /** A certificate that is good now. Rejects with a ConnectionFailure where there is none to be had. */
  async obtain(): Promise<Certificate> {
    const held = this.#certificate;
    if (held !== undefined && Date.now() < this.#renewAt) return held;
    try {
      return await this.#renew();
    } catch (error) {
      if (held === undefined || held.expiresAt - MARGIN < Date.now()) throw error;
      this.#onLate(error);
      this.#renewAt = Math.min(Date.now() + RETRY, held.expiresAt - MARGIN);
      return held;
    }
  }

  /** The controller does not accept it: the next one is new. */
  forget(): void {
    this.#certificate = undefined;
  }

  async #renew(): Promise<Certificate> {
    const { certify, readOwn } = await import("./connection.ts");
    const token = await readOwn(this.#place.tokenFile, "--token", "the projected service account token");
    const { key, csr } = await createKeyRequest();
    const { chain, renewAt } = await certify(this.#place, { csr, token: token.toString("utf8").trim() });
    const expiresAt = new X509Certificate(chain).validToDate.getTime();
    const left = Math.max(RETRY, Math.min(renewAt, expiresAt - MARGIN) - Date.now());
    this.#renewAt = Date.now() + left * (1 - JITTER * Math.random());
    this.#certificate = { key, chain, expiresAt };
    return this.#certificate;
  }
}
