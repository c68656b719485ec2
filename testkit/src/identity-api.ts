// As much of an API server as identities need: Secrets that are made once, and reviews of tokens. Kept in memory.

/** A request as clients of the API server make it. */
export interface StubRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

type StubObject = Readonly<Record<string, unknown>>;

/** What a token is worth. */
export interface StubToken {
  /** `system:serviceaccount:NAMESPACE:NAME`. */
  readonly user: string;
  readonly audiences?: readonly string[];
  /** "": bound to none. */
  readonly pod?: string;
}

/** Answers as the API server would; what it cannot do it fails with what `toFailure` makes of a status and a reason. */
export class IdentityApi {
  readonly secrets = new Map<string, StubObject>();
  readonly tokens = new Map<string, StubToken>();
  /** Requests, as `METHOD path`. */
  readonly requests: string[] = [];
  /** Called before each answer; may throw. */
  before: (request: StubRequest) => void = () => undefined;
  readonly #toFailure: (status: number, reason: string) => Error;

  constructor(toFailure: (status: number, reason: string) => Error) {
    this.#toFailure = toFailure;
  }

  /** Gives out a token for an account, as kubelet would write it into a pod. */
  addToken(namespace: string, account: string, more: Omit<StubToken, "user"> = {}): string {
    const token = `e30.${Buffer.from(JSON.stringify([namespace, account, this.tokens.size])).toString("base64url")}.c2ln`;
    this.tokens.set(token, { user: `system:serviceaccount:${namespace}:${account}`, ...more });
    return token;
  }

  send(request: StubRequest): Promise<StubObject> {
    this.requests.push(`${request.method} ${request.path}`);
    return Promise.resolve(request).then((asked) => {
      this.before(asked);
      return this.#answer(asked);
    });
  }

  watch(): Promise<void> {
    return Promise.reject(new Error("nothing is watched here"));
  }

  #answer({ method, path, body }: StubRequest): StubObject {
    const given = (body ?? {}) as StubObject;
    if (path.endsWith("/tokenreviews")) return this.#review(given);
    if (method === "GET") return this.secrets.get(path) ?? this.#fail(404, "NotFound");
    const { name } = given["metadata"] as { readonly name: string };
    const key = `${path}/${name}`;
    if (this.secrets.has(key)) this.#fail(409, "AlreadyExists");
    this.secrets.set(key, given);
    return given;
  }

  #review(review: StubObject): StubObject {
    const { token, audiences } = review["spec"] as { readonly token: string; readonly audiences: readonly string[] };
    const known = this.tokens.get(token);
    if (known === undefined) return { ...review, status: { authenticated: false, error: "token is not known" } };
    const { user, pod = "pod-1" } = known;
    const extra = pod === "" ? {} : { "authentication.kubernetes.io/pod-name": [pod] };
    return {
      ...review,
      status: { authenticated: true, audiences: known.audiences ?? audiences, user: { username: user, extra } },
    };
  }

  #fail(status: number, reason: string): never {
    throw this.#toFailure(status, reason);
  }
}
