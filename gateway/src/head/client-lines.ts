/** What is said upstream of the client of a connection, in the lines that every request of it gets. */
import type { DownstreamConnection } from "../exchange/contract.ts";
import { toClientCertificateLine } from "./client-certificate.ts";
import { type ClientTrust, toClientTrust, type TrustOptions } from "./client-trust.ts";
import { flatten } from "./flat-string.ts";
import { identifyClient } from "./identity.ts";
import type { RequestHead } from "./request-head.ts";

/** What a request says of its client; "" where it does not. Believed only of proxies in front of us that are trusted. */
export interface ClaimedIdentity {
  readonly forwardedFor: string;
  readonly forwardedProto: string;
  readonly requestId: string;
}

/** Tells of the client of one connection. */
export class ClientLines {
  readonly #connection: DownstreamConnection;
  readonly #trust: ClientTrust;
  /** Where nobody is trusted: the same for every request of the connection. */
  readonly #plain: string;
  /** What is told of the client's certificate. */
  readonly #certificate: string;

  constructor(connection: DownstreamConnection, options: TrustOptions) {
    this.#connection = connection;
    const { remoteAddress, scheme } = connection;
    this.#trust = toClientTrust(options, remoteAddress);
    const nobody = { forwardedFor: "", forwardedProto: "", remoteAddress, scheme, trust: { kind: "nobody" } } as const;
    this.#certificate = flatten(toClientCertificateLine(connection.tls?.clientCertificate));
    this.#plain = flatten(identifyClient(nobody).lines + this.#certificate);
  }

  /** What the peer says of its clients is believed. */
  get isTrusted(): boolean {
    return this.#trust.kind !== "nobody";
  }

  /** Who shows a certificate speaks for itself: what a trusted proxy says of others' certificates must not go on. */
  get speaksForItself(): boolean {
    return this.#connection.tls?.clientCertificate !== undefined;
  }

  /** Sets address, id and lines of a head. */
  identify(head: RequestHead, claimed: ClaimedIdentity): void {
    const { remoteAddress, scheme } = this.#connection;
    head.receivedId = "";
    head.clientAddress = remoteAddress;
    head.extra = this.#plain;
    const trust = this.#trust;
    if (trust.kind === "nobody") return;
    const { forwardedFor, forwardedProto } = claimed;
    const identity = identifyClient({ forwardedFor, forwardedProto, remoteAddress, scheme, trust });
    head.clientAddress = identity.clientAddress;
    head.extra = identity.lines + this.#certificate;
    head.receivedId = claimed.requestId;
  }
}
