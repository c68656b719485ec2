/** A whole controller: from the API server to proxies and back. */
import { setTimeout as delay } from "node:timers/promises";
import { BackOff } from "@sallyport/model/back-off";
import { DEFAULT_HTTP_SERVER_OPTIONS, toHostPort } from "@sallyport/model/listener";
import { ApiFailure, type KubeApi } from "../api/contract.ts";
import { type OpenKubeApi, openKubeApi } from "../api/kube-api.ts";
import { INGRESS_PROXY } from "../distribute/group-access.ts";
import { openPublisher, type RunningPublisher } from "../distribute/publisher.ts";
import { type Campaign, campaign } from "../lease/campaign.ts";
import { openProvisioner } from "../provision/provisioner.ts";
import { ApiStatusWriter } from "../status/status-writer.ts";
import { toClusterBindPort } from "../translate/bind-port.ts";
import { toProxyName } from "../translate/proxy-names.ts";
import { CLUSTER_TRUST, type ServiceTrust } from "../translate/service-trust.ts";
import type { TranslateOptions } from "../translate/translator.ts";
import { type ClusterWorld, watchCluster } from "../world/cluster-world.ts";
import type { World } from "../world/world.ts";
import { ControlLoop, type LoopOptions } from "./control-loop.ts";
import type { ControllerLog } from "./log.ts";
import { type ControllerMetrics, openMetrics } from "./metrics.ts";
import { openMetricsServer } from "./metrics-server.ts";
import { type WatchedPlaces, watchPlaces } from "./node-places.ts";
import { Terms } from "./term.ts";
import { type ApiCounts, countRequests, guardApi } from "./watched-api.ts";

interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** What the command line decides. */
export interface ControllerOptions {
  /** Of the program. */
  readonly version: string;
  /** File; absent: the pod's service account, or what kubectl would take. */
  readonly kubeconfig?: string;
  /** Where the controller runs: its Lease, its authority and the proxies of Ingresses are there. */
  readonly namespace: string;
  /** Tells replicas apart: the pod's name. */
  readonly identity: string;
  /** GatewayClasses that name it are ours. */
  readonly controllerName: string;
  /** Where proxies get their configuration. */
  readonly listen: HostPort;
  /** Health, readiness and metrics. */
  readonly metrics: HostPort;
  /** `host:port` at which proxies find this controller. */
  readonly advertise: string;
  /** First part of the SPIFFE ids of proxies. */
  readonly trustDomain: string;
  /** Image of proxies, unless a GatewayParameters object names another. */
  readonly image: string;
  /** Whose GatewayParameters may say what code runs: those of Gateways as well, or those of classes alone. */
  readonly codeFrom: "gateways" | "classes";
  /** Address that proxies bind in their pods. */
  readonly bindAddress: string;
  /** Whose word counts for where endpoints of a Service are, besides EndpointSlices. */
  readonly allow: Pick<ServiceTrust, "externalNames" | "staticEndpoints">;
  /** `alone`: this is the only replica, and leads without asking. */
  readonly election: "lease" | "alone";
  /** Requests to the API server: a second, and at once. */
  readonly rate: { readonly perSecond: number; readonly burst: number };
  readonly log: ControllerLog;
}

/** A controller that runs. */
export interface RunningController {
  /** Where it listens, with ports where the system chose. */
  readonly ports: { readonly config: number; readonly metrics: number };
  /** Hands the Lease over, ends streams, and resolves when nothing is left to do. Proxies serve on. */
  close(): Promise<void>;
}

/** The Lease that replicas run for. */
const LEASE = "sallyport-controller";
/** Milliseconds that one turn of the loop may take before the process counts as hung. */
const LONGEST_TURN = 60_000;

/**
 * Starts a controller; resolves when proxies can have their configuration. Until `signal` it waits for an API server that does not
 * answer. Rejects with an ApiFailure or an AuthorityFailure where waiting is of no use, or with what the system says where it
 * cannot listen.
 */
export async function startController(options: ControllerOptions, signal: AbortSignal): Promise<RunningController> {
  const open = await openKubeApi({
    version: options.version,
    rate: options.rate,
    ...(options.kubeconfig === undefined ? {} : { kubeconfig: options.kubeconfig }),
  });
  const start = new Start(options, open);
  try {
    return await start.run(signal);
  } catch (error) {
    await start.close();
    throw error;
  }
}

/** The parts, in the order in which they begin; they end in the opposite one. */
class Start {
  readonly #options: ControllerOptions;
  readonly #open: OpenKubeApi;
  readonly #api: KubeApi;
  readonly #counts: ApiCounts;
  readonly #closers: (() => Promise<void> | void)[] = [];
  #watched: ClusterWorld | undefined;
  #publisher: RunningPublisher | undefined;
  #campaign: Campaign | undefined;
  #loop: ControlLoop | undefined;
  #terms: Terms | undefined;
  #isReady = false;

  constructor(options: ControllerOptions, open: OpenKubeApi) {
    this.#options = options;
    this.#open = open;
    const { api, counts } = countRequests(open);
    this.#api = api;
    this.#counts = counts;
    this.#closers.push(() => open.close());
  }

  async run(signal: AbortSignal): Promise<RunningController> {
    const { log, metrics: place } = this.#options;
    const metrics = await this.#openMetrics();
    const server = await openMetricsServer(place, {
      metrics,
      whyUnhealthy: () => this.#whyUnhealthy(),
      whyUnready: () => (this.#isReady ? undefined : "the objects of the cluster are not all read yet"),
    });
    this.#closers.push(() => server.close());
    log.info("reading the objects of the cluster", { server: this.#open.server, metrics: server.port });
    const watched = this.#watch();
    const places = watchPlaces(this.#api, log);
    this.#closers.push(() => places.close());
    // Endpoints whose nodes are not known yet would all be elsewhere for a moment.
    await Promise.race([Promise.all([watched.synced, places.synced]), untilAborted(signal)]);
    const publisher = await this.#openPublisher(watched, places, signal);
    this.#publisher = publisher;
    this.#closers.push(() => publisher.close());
    const loop = this.#openLoop({ watched, publisher, places }, metrics);
    await loop.start();
    this.#isReady = true;
    log.info("proxies can have their configuration", { port: publisher.port, groups: loop.groups.length });
    this.#run(loop, publisher, metrics);
    return { ports: { config: publisher.port, metrics: server.port }, close: () => this.close() };
  }

  /** Everything that was begun, last first. */
  async close(): Promise<void> {
    this.#isReady = false;
    for (const close of this.#closers.splice(0).toReversed()) await close();
  }

  #watch(): ClusterWorld {
    const watched = watchCluster(this.#api, { log: this.#options.log });
    this.#watched = watched;
    this.#closers.push(() => watched.close());
    return watched;
  }

  #openLoop(sources: Pick<LoopOptions, "watched" | "publisher" | "places">, metrics: ControllerMetrics): ControlLoop {
    const { namespace, log } = this.#options;
    const loop = new ControlLoop({
      ...sources,
      translate: toTranslateOptions(this.#options),
      ingressService: { namespace, name: INGRESS_PROXY },
      log,
      observer: metrics.loop,
    });
    this.#loop = loop;
    this.#closers.push(() => loop.close());
    return loop;
  }

  /** Runs for leader, or leads. */
  #run(loop: ControlLoop, publisher: RunningPublisher, metrics: ControllerMetrics): void {
    const { namespace, identity, log, controllerName, image, codeFrom, advertise, election } = this.#options;
    const runs = election === "alone" ? ALONE : campaign(this.#api, { namespace, name: LEASE, identity, log });
    const api = guardApi(this.#api, () => runs.isLeader);
    const terms = new Terms(runs, loop, {
      openStatuses: () =>
        new ApiStatusWriter({ api, controllerName, log, observer: metrics.statuses, now: () => Date.now() }),
      openProvisioner: () =>
        openProvisioner(api, {
          namespace,
          controllerName,
          image,
          codeFrom,
          controllerAddress: advertise,
          caCertificate: () => publisher.trusted,
          log,
        }),
    });
    this.#campaign = runs;
    this.#terms = terms;
    this.#closers.push(() => terms.close());
  }

  #openMetrics(): Promise<ControllerMetrics> {
    return openMetrics({
      version: this.#options.version,
      groups: () => this.#loop?.groups ?? [],
      groupState: (group) => this.#publisher?.groupState(group) ?? { connected: 0, current: 0, refusals: [] },
      isLeader: () => this.#campaign?.isLeader ?? false,
      pendingStatuses: () => this.#terms?.pendingStatuses ?? 0,
      unread: () => this.#watched?.counts ?? new Map(),
      requests: this.#counts,
    });
  }

  /** The authority is in the API server: one that does not answer is waited for. */
  async #openPublisher(watched: ClusterWorld, places: WatchedPlaces, signal: AbortSignal): Promise<RunningPublisher> {
    const { namespace, trustDomain, listen, log, controllerName } = this.#options;
    const backOff = new BackOff(WAITS, Math.random);
    for (;;) {
      try {
        return await openPublisher({
          api: this.#api,
          namespace,
          trustDomain,
          listen: toHostPort({ address: listen.host, port: listen.port }),
          accountOf: (group) => findAccount(watched.world, group, controllerName),
          places,
          log,
        });
      } catch (error) {
        if (!(error instanceof ApiFailure) || !isPassing(error)) throw error;
        const wait = backOff.fail(error.retryAfter);
        log.warn("the authority of proxies cannot be read, trying again", { error: error.message, "wait in ms": wait });
        await delay(wait, undefined, { signal });
      }
    }
  }

  #whyUnhealthy(): string | undefined {
    const busy = this.#loop?.busy ?? 0;
    return busy > LONGEST_TURN ? `one translation takes ${Math.round(busy / 1000)} s already` : undefined;
  }
}

/** Milliseconds between attempts to read the authority. */
const WAITS = { first: 1000, longest: 30_000 };

/** Leads, always. */
const ALONE: Campaign = {
  isLeader: true,
  onChange: () => () => undefined,
  close: () => Promise.resolve(),
};

function isPassing({ status }: ApiFailure): boolean {
  return status === 0 || status === 429 || status >= 500;
}

function toTranslateOptions(options: ControllerOptions): Omit<TranslateOptions, "proxies"> {
  const { controllerName, bindAddress, allow } = options;
  return {
    controllerName,
    bindAddress,
    toBindPort: toClusterBindPort,
    http: DEFAULT_HTTP_SERVER_OPTIONS,
    trust: { ...CLUSTER_TRUST, ...allow },
  };
}

/** The account that proxies of a Gateway of ours have. */
function findAccount(world: World, group: string, controllerName: string): string | undefined {
  const [namespace = "", name = ""] = group.split("/", 2);
  const gateway = world.get("Gateway", namespace, name);
  const className = gateway?.object.spec.gatewayClassName ?? "";
  const gatewayClass = world.get("GatewayClass", "", className);
  const isOurs = gatewayClass?.object.spec.controllerName === controllerName;
  return gateway === undefined || !isOurs ? undefined : toProxyName(gateway, className);
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = (): void => reject(new ApiFailure("stopped before the API server answered", { status: 0 }));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
  });
}
