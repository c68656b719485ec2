/** The controller's side of distribution: a gRPC server that gives proxies their certificates and their configuration. */
import { experimental, type sendUnaryData, Server, type ServerUnaryCall, status } from "@grpc/grpc-js";
import {
  CERTIFY_METHOD,
  CONFIGURE_METHOD,
  CONTROLLER_MESSAGE_BYTES,
  PROXY_MESSAGE_BYTES,
} from "@sallyport/model/distribution";
import type { Snapshot } from "@sallyport/model/snapshot";
import type { KubeApi } from "../api/contract.ts";
import { readAuthority } from "../identity/authority-secret.ts";
import { Certifier, type CertifyRefusal } from "../identity/certify.ts";
import { ServingCertificate, toServingNames } from "../identity/serving-certificate.ts";
import type { GroupState, Publisher } from "../run/contract.ts";
import { allowGroup, type GroupAccess } from "./group-access.ts";
import { GroupRegistry } from "./group-registry.ts";
import { toPeerAccount } from "./peer-account.ts";
import {
  type ConfigureCall,
  type DistributionLog,
  type NodeZones,
  ProxyStream,
  type StreamLimits,
} from "./proxy-stream.ts";

/** What distribution stands on. */
export interface PublisherOptions extends GroupAccess {
  readonly api: KubeApi;
  /** Of SPIFFE ids. */
  readonly trustDomain: string;
  /** Where to listen, `HOST:PORT`; port 0 takes a free one. */
  readonly listen: string;
  /** Further host names the controller is called by. */
  readonly hosts?: readonly string[];
  readonly zones?: NodeZones;
  readonly log: DistributionLog;
  readonly limits?: StreamLimits;
}

/** A running publisher. */
export interface RunningPublisher extends Publisher {
  readonly port: number;
  /** PEM that proxies must trust: the ca.crt of their ConfigMap. */
  readonly trusted: string;
  /** Proxies that are connected. */
  readonly connected: number;
  /** How far the proxies of a group are. */
  groupState(group: string): GroupState;
  /** `listener` is called after group states changed. Returns what stops it. */
  onState(listener: () => void): () => void;
  /** Cuts every stream; proxies serve on, and connect to another controller. */
  close(): void;
}

const LIMITS: StreamLimits = { hello: 10_000, answer: 60_000 };
/** Streams of one account at one time: it may have so many pods, and some connect anew. */
const STREAMS_OF_ACCOUNT = 1024;
const SERVER_OPTIONS = {
  "grpc.max_receive_message_length": PROXY_MESSAGE_BYTES,
  "grpc.max_send_message_length": CONTROLLER_MESSAGE_BYTES,
  "grpc.max_concurrent_streams": 16,
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  // Who asked for a certificate goes; who is configured comes back now and then, and finds replicas that are new.
  "grpc.max_connection_idle_ms": 60_000,
  "grpc.max_connection_age_ms": 3_600_000,
  "grpc.max_connection_age_grace_ms": 10_000,
};

/** Reads or makes the authority, and listens. Rejects with an ApiFailure, an AuthorityFailure, or why it cannot listen. */
export async function openPublisher(options: PublisherOptions): Promise<RunningPublisher> {
  const authority = await readAuthority(options.api, options.namespace);
  const hosts = [...toServingNames(options.namespace), ...(options.hosts ?? [])];
  const serving = new ServingCertificate(authority, hosts, (error) =>
    options.log.warn("the controller's own certificate cannot be renewed; it is tried again in a minute", { error }),
  );
  await serving.renew();
  const registry = new GroupRegistry();
  const server = new Server(SERVER_OPTIONS);
  const configuration = new ConfigurationService(options, registry);
  const certifier = new Certifier({ ...options, authority });
  addMethods(server, (call) => configuration.open(call), toUnary(certifier, options.log));
  try {
    const port = await listen(server, options.listen, serving);
    return toRunning({ port, trusted: authority.trusted, registry, server, serving });
  } catch (error) {
    serving.close();
    throw error;
  }
}

interface Parts {
  readonly port: number;
  readonly trusted: string;
  readonly registry: GroupRegistry;
  readonly server: Server;
  readonly serving: ServingCertificate;
}

function toRunning({ port, trusted, registry, server, serving }: Parts): RunningPublisher {
  return {
    port,
    trusted,
    get connected() {
      return registry.connected;
    },
    publish: (slices: ReadonlyMap<string, Snapshot>) => registry.publish(slices),
    groupState: (group) => registry.stateOf(group),
    onState: (listener) => registry.onState(listener),
    close() {
      serving.close();
      server.forceShutdown();
    },
  };
}

/** Lets proxies in. */
class ConfigurationService {
  readonly #options: PublisherOptions;
  readonly #registry: GroupRegistry;
  readonly #streams = new Map<string, number>();

  constructor(options: PublisherOptions, registry: GroupRegistry) {
    this.#options = options;
    this.#registry = registry;
  }

  open(call: ConfigureCall): void {
    const { trustDomain, log, zones, limits = LIMITS } = this.#options;
    const account = toPeerAccount(call.getAuthContext().sslPeerCertificate?.raw, trustDomain);
    if (!account.ok) return refuse(call, status.UNAUTHENTICATED, account.error);
    const key = `${account.value.namespace}/${account.value.name}`;
    const count = this.#streams.get(key) ?? 0;
    if (count >= STREAMS_OF_ACCOUNT)
      return refuse(call, status.RESOURCE_EXHAUSTED, `the account ${key} has ${count} streams open already`);
    this.#streams.set(key, count + 1);
    call.once("close", () => this.#forget(key));
    new ProxyStream(call, {
      account: account.value,
      limits,
      log,
      zones,
      allow: (group) => allowGroup(account.value, group, this.#options),
      join: (group, stream) => this.#registry.join(group, stream),
      onAnswer: () => this.#registry.tell(),
    });
  }

  #forget(key: string): void {
    const left = (this.#streams.get(key) ?? 1) - 1;
    if (left > 0) this.#streams.set(key, left);
    else this.#streams.delete(key);
  }
}

function refuse(call: ConfigureCall, code: status, details: string): void {
  call.emit("error", { code, details });
}

const CODES: Readonly<Record<CertifyRefusal["code"], status>> = {
  invalid: status.INVALID_ARGUMENT,
  unauthenticated: status.UNAUTHENTICATED,
  "too-often": status.RESOURCE_EXHAUSTED,
  unavailable: status.UNAVAILABLE,
};

type UnaryHandler = (call: ServerUnaryCall<Uint8Array, Uint8Array>, answer: sendUnaryData<Uint8Array>) => void;

function toUnary(certifier: Certifier, log: DistributionLog): UnaryHandler {
  return (call, answer) => {
    const peer = toAddress(call.getPeer());
    const done = certifier.certify(call.request, peer).then((result) => {
      if (result.ok) return answer(null, result.value);
      const { code, message } = result.error;
      if (code !== "too-often") log.warn("a proxy gets no certificate", { peer, message });
      return answer({ code: CODES[code], details: message });
    });
    done.catch((error: unknown) => {
      log.warn("a certificate cannot be made", { peer, error });
      answer({ code: status.INTERNAL, details: "the controller failed; its log says more" });
    });
  };
}

/** `ADDRESS:PORT` without the port. */
function toAddress(peer: string): string {
  return peer.replace(/:\d+$/, "");
}

function addMethods(server: Server, configure: (call: ConfigureCall) => void, certify: UnaryHandler): void {
  const pass = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bytes = {
    requestSerialize: pass,
    requestDeserialize: pass,
    responseSerialize: pass,
    responseDeserialize: pass,
  };
  server.addService(
    {
      certify: { ...bytes, path: CERTIFY_METHOD, requestStream: false, responseStream: false },
      configure: { ...bytes, path: CONFIGURE_METHOD, requestStream: true, responseStream: true },
    },
    { certify, configure },
  );
}

/**
 * Certificates of clients are asked for and not demanded, since who asks for its first one has none; what TLS did not find sound
 * is not told of (getAuthContext), and each call looks.
 */
function listen(server: Server, place: string, serving: ServingCertificate): Promise<number> {
  const credentials = experimental.createCertificateProviderServerCredentials(serving, serving, false);
  return new Promise((resolve, reject) => {
    server.bindAsync(place, credentials, (error, port) => (error === null ? resolve(port) : reject(error)));
  });
}
