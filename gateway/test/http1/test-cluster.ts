/** The smallest cluster that fulfils its contract. */
import { DEFAULT_HTTP2_CLIENT_OPTIONS } from "@sallyport/model/cluster";
import type { FaultReason } from "@sallyport/model/fault";
import type {
  ConnectionRequest,
  EndpointRequest,
  OpenConnection,
  UpstreamCluster,
  UpstreamConnection,
  UpstreamEndpoint,
  UpstreamTlsSettings,
} from "../../src/cluster/contract.ts";
import { FreeRetries } from "../free-retries.ts";
import { CARELESS } from "../unheard.ts";

/** The smallest pool: last in, first out, no limits. */
export class TestCluster implements UpstreamCluster {
  readonly key: string;
  readonly retries = new FreeRetries();
  readonly idle: UpstreamConnection[] = [];
  readonly all = new Set<UpstreamConnection>();
  /** What its endpoint was told of tries, in order. */
  readonly notes: (number | FaultReason)[] = [];
  opened = 0;
  cancelled = 0;
  leased = 0;
  /** Refuses instead of assigning. */
  refuseWith: FaultReason | undefined = undefined;
  /** Holds requests back until release(). */
  hold = false;
  connectTimeout = 5000;
  tls: UpstreamTlsSettings | undefined = undefined;
  /** Called when a connection was opened, before anything can have happened on it. */
  onOpened: () => void = () => undefined;
  readonly #open: OpenConnection;
  readonly #endpoint: UpstreamEndpoint;
  #waiting: { readonly request: ConnectionRequest; readonly fresh: boolean }[] = [];

  constructor(key: string, port: number, open: OpenConnection) {
    this.key = key;
    this.#open = open;
    this.#endpoint = {
      address: "127.0.0.1",
      port,
      label: `127.0.0.1:${port}`,
      active: () => this.all.size,
      session: "",
      noteAnswer: (status) => void this.notes.push(status),
      noteFailure: (reason) => void this.notes.push(reason),
    };
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  acquire(request: ConnectionRequest, fresh: boolean): void {
    if (this.refuseWith !== undefined) request.refuse(this.refuseWith);
    else if (request.avoids !== undefined) request.refuse("connect-failure");
    else if (this.hold) this.#waiting.push({ request, fresh });
    else this.#assign(request, fresh);
  }

  lease(request: EndpointRequest): void {
    if (this.refuseWith !== undefined) return request.refuse(this.refuseWith);
    this.leased++;
    return request.assign({
      endpoint: this.#endpoint,
      connectTimeout: this.connectTimeout,
      tls: this.tls,
      proxyProtocol: undefined,
      release: () => void this.leased--,
    });
  }

  serves(): boolean {
    return false;
  }

  cancel(request: ConnectionRequest | EndpointRequest): void {
    this.cancelled++;
    this.#waiting = this.#waiting.filter((waiting) => waiting.request !== request);
  }

  release(): void {
    this.hold = false;
    for (const { request, fresh } of this.#waiting.splice(0)) this.#assign(request, fresh);
  }

  close(): void {
    for (const connection of this.all) connection.close();
  }

  #assign(request: ConnectionRequest, fresh: boolean): void {
    const idle = fresh ? undefined : this.idle.pop();
    if (idle !== undefined) {
      request.assign(idle, true);
      return;
    }
    this.opened++;
    const connection = this.#open({
      cluster: this.key,
      endpoint: this.#endpoint,
      tls: this.tls,
      protocol: "http1",
      http2: DEFAULT_HTTP2_CLIENT_OPTIONS,
      upgrades: request.upgrades,
      connectTimeout: this.connectTimeout,
      owner: {
        ...CARELESS,
        onIdle: (one) => void this.idle.push(one),
        onClosed: (one) => {
          const at = this.idle.indexOf(one);
          if (at >= 0) this.idle.splice(at, 1);
          if (!this.all.delete(one)) throw new Error("closed twice");
        },
      },
    });
    this.all.add(connection);
    request.assign(connection, false);
    this.onOpened();
  }
}
