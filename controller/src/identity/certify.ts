/** Gives proxies their certificates: bytes of a request in, bytes of the answer or a refusal out. Everything in a request is hostile. */
import { decodeCertifyRequest, encodeMessage } from "@sallyport/model/message";
import { fail, ok, type Result } from "@sallyport/model/result";
import type { KubeApi } from "../api/contract.ts";
import type { Authority } from "./authority.ts";
import { toSpiffeId } from "./spiffe.ts";
import { TokenReviewer } from "./token-review.ts";

/** Why there is no certificate. `message` is for the operator of the proxy. */
export interface CertifyRefusal {
  readonly code: "invalid" | "unauthenticated" | "unavailable";
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
/** Answers requests for certificates. */
export class Certifier {
  readonly #options: CertifierOptions;
  readonly #reviewer: TokenReviewer;

  constructor(options: CertifierOptions) {
    this.#options = options;
    this.#reviewer = new TokenReviewer(options.api);
  }

  /** Who asks too often has been turned away before. */
  async certify(bytes: Uint8Array): Promise<Result<Uint8Array, CertifyRefusal>> {
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
    if (issued.ok) return ok(encodeMessage(issued.value));
    return refuse(issued.error.kind === "request" ? "invalid" : "unavailable", issued.error.message);
  }
}

function refuse(code: CertifyRefusal["code"], message: string): Result<never, CertifyRefusal> {
  return fail({ code, message });
}
