/**
 * A check by one request on a connection of its own: a new one each time, because what is to be found out is whether others can get one.
 * It is over when the answer is, when the answer is longer than anybody needs, or when its time is.
 */
import type { FaultReason } from "@sallyport/model/fault";
import type { ConnectionOwner, UpstreamConnection } from "../cluster/contract.ts";
import type { ProbeOptions, ProbeResult } from "../cluster/health/contract.ts";
import type { AnswerReceiver, BodyMode, SendOutcome, UpstreamStream } from "../exchange/contract.ts";
import type { UpstreamDependencies } from "../exchange/dependencies.ts";
import type { ResponseHead } from "../head/response-head.ts";
import { Timed } from "../time/wheel.ts";
import { openUpstream } from "../upstream/open.ts";
import type { Question } from "./question.ts";
import { toTarget } from "./target.ts";

/** Bytes of an answer that are read. */
const MOST_READ = 65_536;

/** One check. */
export class RequestProbe extends Timed implements ConnectionOwner, AnswerReceiver {
  readonly #options: ProbeOptions;
  readonly #question: Question;
  readonly #dependencies: UpstreamDependencies;
  #done: ((result: ProbeResult) => void) | undefined = undefined;
  #connection: UpstreamConnection | undefined = undefined;
  #stream: UpstreamStream | undefined = undefined;
  /** What of the request is not sent yet. */
  #unsent: Buffer | undefined;
  #isConnected = false;
  #hasHead = false;
  readonly #body: Buffer[] = [];
  #bodyBytes = 0;

  constructor(options: ProbeOptions, question: Question, dependencies: UpstreamDependencies) {
    super();
    this.#options = options;
    this.#question = question;
    this.#dependencies = dependencies;
    this.#unsent = question.body;
  }

  /** Called once. `done` is called once, later than this returns. */
  begin(done: (result: ProbeResult) => void): void {
    const { cluster, tls, protocol, http2, timeout } = this.#options;
    this.#done = done;
    this.#dependencies.clocks.fine.arm(this, timeout);
    const endpoint = toTarget(this.#options);
    const ways = { upgrades: false, connectTimeout: timeout, tcpKeepAlive: undefined };
    const target = { cluster, endpoint, tls, protocol, http2, ...ways, owner: this };
    this.#connection = openUpstream(target, this.#dependencies);
  }

  /** Gives it up; nobody is told. */
  cancel(): void {
    this.#finish();
  }

  override onLate(): void {
    const { timeout } = this.#options;
    const until = !this.#isConnected ? "no connection" : this.#hasHead ? "the answer did not end" : "no answer";
    this.#end("timed-out", `${until} in ${timeout} ms`);
  }

  onConnected(connection: UpstreamConnection): void {
    if (this.#done === undefined) return;
    this.#isConnected = true;
    const { head, body } = this.#question;
    const stream = connection.open(this);
    this.#stream = stream;
    stream.sendHead(head, body.length === 0 ? "none" : "stream", "content");
    this.#send(stream);
  }

  onIdle(): void {
    // it is used once
  }

  onCapacity(): void {
    // one request is all it carries
  }

  onDraining(): void {
    // what is on it goes on
  }

  onClosed(connection: UpstreamConnection, failure?: FaultReason): void {
    // with a request on it, that is told why, and after this
    if (this.#stream === undefined) this.#fail(failure ?? "connect-failure", connection.failureDetail);
  }

  onInterim(): void {
    // of no interest
  }

  onAnswerHead(head: ResponseHead): BodyMode {
    this.#hasHead = true;
    const problem = this.#question.readHead(head);
    if (problem !== "") this.#end("failed", problem);
    return "content";
  }

  onAnswerBody(bytes: Buffer, from: number, to: number): SendOutcome {
    this.#bodyBytes += to - from;
    if (this.#bodyBytes > MOST_READ) this.#judge("");
    else this.#body.push(Buffer.from(bytes.subarray(from, to)));
    return "taken";
  }

  onAnswerEnd(trailers: string): void {
    this.#stream = undefined;
    this.#judge(trailers);
  }

  onAnswerTurn(): "taken" | "full" {
    return "taken";
  }

  onUpstreamDrain(): void {
    if (this.#stream !== undefined) this.#send(this.#stream);
  }

  onAnswerFailed(reason: FaultReason): void {
    this.#stream = undefined;
    this.#fail(reason, this.#connection?.failureDetail ?? "");
  }

  #send(stream: UpstreamStream): void {
    const body = this.#unsent;
    if (body === undefined) return;
    this.#unsent = undefined;
    if (body.length > 0) stream.sendBody(body, 0, body.length, undefined);
    stream.endBody("");
    stream.flush();
  }

  #judge(trailers: string): void {
    const problem = this.#question.readEnd(Buffer.concat(this.#body), trailers);
    if (problem === "") this.#end("passed", "");
    else this.#end("failed", problem);
  }

  #fail(reason: FaultReason, detail: string): void {
    const outcome = reason === "connect-timeout" ? "timed-out" : "failed";
    this.#end(outcome, detail === "" ? reason : `${reason}: ${detail}`);
  }

  #end(outcome: ProbeResult["outcome"], detail: string): void {
    const done = this.#done;
    this.#finish();
    done?.({ outcome, detail });
  }

  /** What is left of it goes. */
  #finish(): void {
    const stream = this.#stream;
    this.#done = undefined;
    this.#stream = undefined;
    this.#dependencies.clocks.fine.disarm(this);
    stream?.cancel();
    this.#connection?.close();
  }
}
