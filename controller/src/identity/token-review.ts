/** Asks the API server whose a service account token is. What it refused is remembered for a moment, so that a flood of one token costs one question. */
import { createHash } from "node:crypto";
import { TOKEN_AUDIENCE } from "@sallyport/model/distribution";
import { fail, ok, type Result } from "@sallyport/model/result";
import { ApiFailure, type KubeApi } from "../api/contract.ts";
import { toObject } from "../kube/json.ts";
import { parseUserName, type ServiceAccount } from "./spiffe.ts";

/** Why a token is worth nothing now: `refused` for good, `unavailable` where nobody could be asked. */
export interface TokenRefusal {
  readonly kind: "refused" | "unavailable";
  readonly message: string;
}

/** Tokens of service accounts as they come: three parts of base64url (RFC 7515), some 1000 characters. */
const TOKEN = /^[-\w]{1,4096}\.[-\w]{1,16384}\.[-\w]{1,4096}$/;
/** Milliseconds a refusal is remembered. */
const MEMORY = 10_000;
/** Refusals remembered at most. */
const CAPACITY = 1024;
/** Questions to the API server at one time. */
const PARALLEL = 32;
const POD_NAME = "authentication.kubernetes.io/pod-name";

/** Judges tokens. */
export class TokenReviewer {
  readonly #api: KubeApi;
  /** Digest of the token to when it was refused and why; the oldest first. */
  readonly #refusals = new Map<string, { readonly until: number; readonly message: string }>();
  #asking = 0;

  constructor(api: KubeApi) {
    this.#api = api;
  }

  /** The account a token is for; it must be meant for us, and bound to a pod. */
  async review(token: string): Promise<Result<ServiceAccount, TokenRefusal>> {
    if (!TOKEN.test(token)) return refuse("the token is no service account token");
    const digest = createHash("sha256").update(token).digest("base64");
    const known = this.#refusals.get(digest);
    if (known !== undefined && known.until > Date.now()) return refuse(known.message);
    if (this.#asking >= PARALLEL) return unavailable("too many tokens are being checked; try again");
    this.#asking++;
    try {
      const judged = judge(await this.#ask(token));
      if (!judged.ok && judged.error.kind === "refused") this.#remember(digest, judged.error.message);
      return judged;
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      return unavailable(toApiSentence(error));
    } finally {
      this.#asking--;
    }
  }

  #ask(token: string): Promise<Readonly<Record<string, unknown>>> {
    return this.#api.send({
      method: "POST",
      path: "/apis/authentication.k8s.io/v1/tokenreviews",
      body: {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenReview",
        spec: { token, audiences: [TOKEN_AUDIENCE] },
      },
    });
  }

  #remember(digest: string, message: string): void {
    this.#refusals.delete(digest);
    this.#refusals.set(digest, { until: Date.now() + MEMORY, message });
    const [oldest] = this.#refusals.keys();
    if (this.#refusals.size > CAPACITY && oldest !== undefined) this.#refusals.delete(oldest);
  }
}

/** The answer is the API server's, but a proxy of it may have mangled it: everything is looked at. */
function judge(review: Readonly<Record<string, unknown>>): Result<ServiceAccount, TokenRefusal> {
  const status = toObject(review["status"]);
  const audiences = status["audiences"];
  if (status["authenticated"] !== true)
    return refuse(
      `the API server does not accept the token (expired, of a pod that is gone, or not for ${TOKEN_AUDIENCE})`,
    );
  if (!Array.isArray(audiences) || !audiences.includes(TOKEN_AUDIENCE))
    return refuse(`the token is not for the audience ${TOKEN_AUDIENCE}; project one with that audience`);
  const user = toObject(status["user"]);
  const name = user["username"];
  const account = typeof name === "string" ? parseUserName(name) : undefined;
  if (account === undefined) return refuse("the token is not a service account's");
  const pods = toObject(user["extra"])[POD_NAME];
  if (!Array.isArray(pods) || pods.length === 0)
    return refuse("the token is bound to no pod; mount it as a projected volume (serviceAccountToken)");
  return ok(account);
}

function toApiSentence({ status, message }: ApiFailure): string {
  if (status === 403)
    return "the controller may not create TokenReviews; its ClusterRole must allow it (the chart's does)";
  return `the API server cannot check the token now (${message}); try again`;
}

function refuse(message: string): Result<never, TokenRefusal> {
  return fail({ kind: "refused", message });
}

function unavailable(message: string): Result<never, TokenRefusal> {
  return fail({ kind: "unavailable", message });
}
