/** Gives proxies their certificates: bytes of a request in, bytes of the answer or a refusal out. Everything in a request is hostile. */
import { decodeCertifyRequest, encodeMessage } from "@sallyport/model/message";
import { fail, ok, type Result } from "@sallyport/model/result";
import type { KubeApi } from "../api/contract.ts";
import type { Authority } from "./authority.ts";
import { PeerRate } from "./peer-rate.ts";
import { toSpiffeId } from "./spiffe.ts";
import { TokenReviewer } from "./token-review.ts";

/** Why there is no certificate. `message` is for the operator of the proxy. */
export interface CertifyRefusal {
  readonly code: "invalid" | "unauthenticated" | "too-often" | "unavailable";
  readonly message: string;
}

/** What certificates are made with. */
export interface CertifierOptions {
  readonly api: KubeApi;
  readonly authority: Authority;
  readonly trustDomain: string;
}

/** Bytes of a request: a token, a request of 2 KB, and room. */
const LARGEST = 65_536;
/** A proxy asks twice a day, and at most every second where something is wrong. */
const RATE = { burst: 20, interval: 500 } as const;

/** Answers requests for certificates. */
export class Certifier {
  readonly #options: CertifierOptions;
  readonly #reviewer: TokenReviewer;
  readonly #rate = new PeerRate(RATE);

  constructor(options: CertifierOptions) {
    this.#options = options;
    this.#reviewer = new TokenReviewer(options.api);
  }

  /** `peer` is the address the request came from. */
  async certify(bytes: Uint8Array, peer: string): Promise<Result<Uint8Array, CertifyRefusal>> {
    if (!this.#rate.take(peer, performance.now())) return refuse("too-often", `${peer} asks too often; wait a second`);
    if (bytes.length > LARGEST) return refuse("invalid", `the request is larger than ${LARGEST} bytes`);
    const request = decodeCertifyRequest(bytes);
    if (!request.ok) return refuse("invalid", request.error);
    const account = await this.#reviewer.review(request.value.token.trim());
    if (!account.ok) {
      const { kind, message } = account.error;
      return refuse(kind === "refused" ? "unauthenticated" : "unavailable", message);
    }
    const { authority, trustDomain } = this.#options;
    const issued = await authority.signRequest(request.value.csr, toSpiffeId(account.value, trustDomain));
    return issued.ok ? ok(encodeMessage(issued.value)) : refuse("invalid", issued.error);
  }
}

function refuse(code: CertifyRefusal["code"], message: string): Result<never, CertifyRefusal> {
  return fail({ code, message });
}
