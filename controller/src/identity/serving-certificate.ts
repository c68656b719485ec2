/** The certificate the controller serves with, made anew at half of its life. New connections get the new one; open ones stay. */
import { clearTimeout, setTimeout } from "node:timers";
import type { experimental } from "@grpc/grpc-js";
import type { Authority } from "./authority.ts";

type Provider = experimental.CertificateProvider;
type IdentityListener = Parameters<Provider["addIdentityCertificateListener"]>[0];
type CaListener = Parameters<Provider["addCaCertificateListener"]>[0];

/** Milliseconds after which a failed renewal is tried again. */
const RETRY = 60_000;

/** Host names the controller of a namespace is called by. */
export function toServingNames(namespace: string): readonly string[] {
  const name = `sallyport-controller.${namespace}.svc`;
  return [name, `${name}.cluster.local`];
}

/** Feeds the gRPC server's TLS contexts. */
export class ServingCertificate implements Provider {
  readonly #authority: Authority;
  readonly #hosts: readonly string[];
  readonly #onFailure: (error: unknown) => void;
  readonly #listeners = new Set<IdentityListener>();
  #current: { readonly certificate: Buffer; readonly privateKey: Buffer } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(authority: Authority, hosts: readonly string[], onFailure: (error: unknown) => void) {
    this.#authority = authority;
    this.#hosts = hosts;
    this.#onFailure = onFailure;
  }

  /** Makes a certificate now, and the next one when half of its life is over. */
  async renew(): Promise<void> {
    const { chain, key, renewAt } = await this.#authority.issueServing(this.#hosts);
    this.#current = { certificate: Buffer.from(chain), privateKey: Buffer.from(key) };
    for (const listener of this.#listeners) listener(this.#current);
    // An authority about to end makes certificates that live for seconds.
    this.#schedule(Math.max(RETRY, renewAt - Date.now()));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#listeners.add(listener);
    // grpc-js begins to listen to its credentials after these have begun to listen to us.
    queueMicrotask(() => listener(this.#current ?? null));
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#listeners.delete(listener);
  }

  addCaCertificateListener(listener: CaListener): void {
    queueMicrotask(() => listener({ caCertificate: Buffer.from(this.#authority.trusted) }));
  }

  removeCaCertificateListener(): void {
    // What is trusted stays as it was when the process began.
  }

  #schedule(delay: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#renewOrRetry(), delay);
    this.#timer.unref();
  }

  async #renewOrRetry(): Promise<void> {
    try {
      await this.renew();
    } catch (error) {
      this.#onFailure(error);
      this.#schedule(RETRY);
    }
  }
}
