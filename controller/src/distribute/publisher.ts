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
import { PeerRate } from "../identity/peer-rate.ts";
import { ServingCertificate, toServingNames } from "../identity/serving-certificate.ts";
import type { GroupState, Publisher } from "../run/contract.ts";
import { toAddress, toCertifyGuard } from "./certify-gate.ts";
import { allowGroup, type GroupAccess } from "./group-access.ts";
import { GroupRegistry } from "./group-registry.ts";
import { toPeer } from "./peer.ts";
import { Quota } from "./quota.ts";
import {
  type ConfigureCall,
  type DistributionLog,
  type NodePlaces,
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
  readonly places?: NodePlaces;
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

/**
 * Who is broken into must not fill the memory of everybody's controller: by what proxies say they hold until they have taken their first
 * change. From then on they share what the group has.
 */
const LIMITS: StreamLimits = { hello: 10_000, answer: 60_000, claims: 1_000_000 };
/** Streams of one account at one time: it may have so many pods, and some connect anew. */
const STREAMS_OF_ACCOUNT = 1024;
/** Kilobytes that proxies of one account may say: at once, and the milliseconds until there is another one. Reading 1 MB takes some 0.3 s. */
const READING = { burst: 65_536, interval: 1 } as const;
const SERVER_OPTIONS = {
  "grpc.max_receive_message_length": PROXY_MESSAGE_BYTES,
  "grpc.max_send_message_length": CONTROLLER_MESSAGE_BYTES,
  "grpc.max_concurrent_streams": 4,
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
  const server = new Server({ ...SERVER_OPTIONS, interceptors: [toCertifyGuard(options.limits?.hello)] });
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
  readonly #streams = new Quota(STREAMS_OF_ACCOUNT);
  readonly #claims: Quota;
  readonly #reading = new PeerRate(READING);

  constructor(options: PublisherOptions, registry: GroupRegistry) {
    this.#options = options;
    this.#registry = registry;
    this.#claims = new Quota((options.limits ?? LIMITS).claims);
  }

  open(call: ConfigureCall): void {
    const { trustDomain, log, places, limits = LIMITS } = this.#options;
    const peer = toPeer(call.getAuthContext().sslPeerCertificate?.raw, trustDomain);
    if (!peer.ok) return refuse(call, status.UNAUTHENTICATED, peer.error);
    const { account, expiresAt } = peer.value;
    const key = `${account.namespace}/${account.name}`;
    if (!this.#streams.take(key, 1))
      return refuse(
        call,
        status.RESOURCE_EXHAUSTED,
        `the account ${key} has ${STREAMS_OF_ACCOUNT} streams open already`,
      );
    call.once("close", () => this.#streams.give(key, 1));
    new ProxyStream(call, {
      expiresAt,
      limits,
      log,
      places,
      claims: { take: (count) => this.#claims.take(key, count), give: (count) => this.#claims.give(key, count) },
      mayRead: (bytes) => this.#reading.take(key, performance.now(), Math.ceil(bytes / 1024)),
      allow: (group) => allowGroup(account, group, this.#options),
      join: (group, stream) => this.#registry.join(group, stream),
      onAnswer: () => this.#registry.tell(),
    });
  }
}

function refuse(call: ConfigureCall, code: status, details: string): void {
  call.emit("error", { code, details });
}

const CODES: Readonly<Record<CertifyRefusal["code"], status>> = {
  invalid: status.INVALID_ARGUMENT,
  unauthenticated: status.UNAUTHENTICATED,
  unavailable: status.UNAVAILABLE,
};

type UnaryHandler = (call: ServerUnaryCall<Uint8Array, Uint8Array>, answer: sendUnaryData<Uint8Array>) => void;

function toUnary(certifier: Certifier, log: DistributionLog): UnaryHandler {
  return (call, answer) => {
    const peer = toAddress(call.getPeer());
    const done = certifier.certify(call.request).then((result) => {
      if (result.ok) return answer(null, result.value);
      const { code, message } = result.error;
      log.warn("a proxy gets no certificate", { peer, message });
      return answer({ code: CODES[code], details: message });
    });
    done.catch((error: unknown) => {
      log.warn("a certificate cannot be made", { peer, error });
      answer({ code: status.INTERNAL, details: "the controller failed; its log says more" });
    });
  };
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
