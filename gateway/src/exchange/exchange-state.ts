/** All that an exchange knows of its request, its tries and its answer: the fields that its phases read and change. */
import type { FaultReason } from "@sallyport/model/fault";
import type { ResponseFlag } from "@sallyport/model/fault";
import type { UpstreamCluster, UpstreamConnection, UpstreamEndpoint } from "../cluster/contract.ts";
import type { RequestHead } from "../head/request-head.ts";
import type { ResponseHead } from "../head/response-head.ts";
import type { KeptBody } from "../retry/kept-bodies.ts";
import type { CompiledBackend, CompiledBind, CompiledListener, CompiledRule, Runtime } from "../router/contract.ts";
import type { Affinity } from "./affinity.ts";
import type { Contents } from "./contents.ts";
import type { BodyMode, DownstreamStream, UpstreamStream } from "./contract.ts";
import type { Mirror } from "./mirror.ts";
import type { Retries } from "./retry-state.ts";

/** Where an exchange is. */
export type ExchangePhase =
  | "idle"
  | "filtering"
  | "acquiring"
  | "forwarding"
  /** For the next try, by the rule's retry policy. */
  | "waiting"
  | "answering"
  | "tunnel";

/** What a codec begins an exchange with. */
export interface ExchangeStart {
  readonly downstream: DownstreamStream;
  readonly runtime: Runtime;
  readonly bind: CompiledBind;
  /** The handshake of its connection proved what the port asked for then, and the port asks for something else by now. */
  readonly outdated: boolean;
  readonly head: RequestHead;
  /** performance.now() of the first byte of the head. */
  readonly startedAt: number;
}

/** The fields of one exchange, which are set back for the next. */
export class ExchangeState {
  phase: ExchangePhase = "idle";
  /** Counts the uses of this object. */
  generation = 0;

  start: ExchangeStart | undefined = undefined;
  listener: CompiledListener | undefined = undefined;
  rule: CompiledRule | undefined = undefined;
  backend: CompiledBackend | undefined = undefined;
  cluster: UpstreamCluster | undefined = undefined;
  upstream: UpstreamStream | undefined = undefined;
  /** That the last try was made on. */
  connection: UpstreamConnection | undefined = undefined;
  mirrors: readonly Mirror[] = [];
  answer: ResponseHead | undefined = undefined;

  /** How many filters of rule and backend have run: their response phases are due. */
  ruleFilters = 0;
  backendFilters = 0;
  /** A filter's promise is pending. */
  waiting = false;
  requestEnded = false;
  answerEnded = false;
  /** The body of the answer ends with what stands for its trailers. */
  closes = false;
  /** Its final head was sent. */
  answered = false;
  /** The connection answered before. */
  reused = false;
  /** Its time is its client's wish (grpc-timeout), and says nothing of an endpoint. */
  hurried = false;
  /** How often the request went to an endpoint. */
  tries = 0;
  /** How often it went out again because nobody had seen it. */
  replays = 0;
  /** What the rule's retry policy made of it; undefined until there is a retry. */
  retries: Retries | undefined = undefined;
  /** How pieces of the request's body come; undefined until they are asked for. */
  bodyMode: BodyMode | undefined = undefined;
  /** Something of the request's body, or its end, went to a try. */
  bodyBegun = false;
  /** What came of the body, as latin1 text, while a try may have to be repeated; undefined: not kept, or too much. */
  kept: string | undefined = undefined;
  /** What that takes, or what is gathered until the body is whole, among all bodies of the worker. */
  room: KeptBody | undefined = undefined;
  /** Of the request, once it has ended. */
  requestTrailers = "";
  /** Undefined where no policy has a say in bodies. */
  content: Contents | undefined = undefined;
  /** Undefined: it may go to any endpoint. */
  affinity: Affinity | undefined = undefined;
  /** The endpoint that could not be reached. */
  avoids: UpstreamEndpoint | undefined = undefined;
  /** Why: what the client is told where there is no other. */
  avoidedFor: FaultReason = "connect-failure";

  status = 0;
  flag: ResponseFlag = "-";
  details = "";
  upstreamStartedAt = 0;
  /** The turn of reading in which the answer began has not ended: the clock need not be read again. */
  beganThisTurn = false;
  bytesSent = 0;
  /** Of the answer, for the record. */
  trailers = "";
  upstreamHost = "-";
  upstreamFailure = "";

  /** For the request that begins. */
  protected open(start: ExchangeStart): void {
    this.phase = "filtering";
    this.start = start;
    this.ruleFilters = 0;
    this.backendFilters = 0;
    this.waiting = false;
    this.requestEnded = false;
    this.answerEnded = false;
    this.closes = false;
    this.answered = false;
    this.reused = false;
    this.hurried = false;
    this.tries = 0;
    this.replays = 0;
    this.bodyMode = undefined;
    this.bodyBegun = false;
    this.status = 0;
    this.flag = "-";
    this.details = "";
    this.upstreamStartedAt = 0;
    this.beganThisTurn = false;
    this.bytesSent = 0;
    this.trailers = "";
    this.upstreamHost = "-";
    this.upstreamFailure = "";
  }

  /** What holds on to something is let go of. */
  protected release(): void {
    this.generation++;
    this.phase = "idle";
    this.start = undefined;
    this.listener = undefined;
    this.rule = undefined;
    this.backend = undefined;
    this.cluster = undefined;
    this.upstream = undefined;
    this.connection = undefined;
    this.avoids = undefined;
    this.affinity = undefined;
    this.retries = undefined;
    this.requestTrailers = "";
    this.kept = undefined;
    this.answer = undefined;
    if (this.mirrors.length > 0) this.mirrors = [];
  }
}
