/** What codecs, routing and filters note of a request besides its text. */
import type { ResponseFlag } from "@sallyport/model/fault";
import type { BodyFraming } from "../exchange/contract.ts";
import type { RouteResult, Runtime } from "../router/contract.ts";
import { FieldLines } from "./field-lines.ts";

/** Of the downstream connection, as access logs name it. */
type HttpVersion = "HTTP/1.0" | "HTTP/1.1" | "HTTP/2";

const NO_FIELDS: readonly string[] = [];

/** The fields of a request head: the codec sets those of the first group. */
export abstract class RequestFacts extends FieldLines {
  method = "";
  /** As the client sent it: origin-form, absolute-form or `*`. */
  target = "";
  /** Where that is in the text, and where the value of User-Agent is, [from, to); from -1 where the codec does not say. */
  targetFrom = -1;
  agentFrom = -1;
  agentTo = 0;
  /** Lower case, without port and trailing dot. */
  host = "";
  scheme: "http" | "https" = "http";
  version: HttpVersion = "HTTP/1.1";
  framing: Exclude<BodyFraming, "tunnel"> = "none";
  /** With framing `length`. */
  contentLength = 0;
  /** The client waits for 100 before it sends the body. */
  expectsContinue = false;
  /** Protocols of an Upgrade that may be asked for upstream; "" for none. */
  upgrade = "";
  /** A gRPC call (content-type `application/grpc`): answers made here are gRPC statuses. */
  isGrpc = false;
  /** It came as something else (gRPC-Web), and a filter made it one. */
  isTranslatedGrpc = false;
  /** Fields that Connection listed, lower case: they are not passed on as trailers either. */
  hopFields: readonly string[] = NO_FIELDS;
  /** The client reads trailers (TE: trailers). */
  takesTrailers = false;
  /** HTTP/1.x: the client wants the connection kept. */
  persistent = true;
  /** Where the path had escaped slashes and clients are to be sent to the plain form: that path; "" otherwise. */
  redirectPath = "";
  /** Max-Forwards of TRACE and OPTIONS; -1 where there is none. */
  maxForwards = -1;
  clientAddress = "";
  /** The id the client's trusted proxy gave it; "" where we give one. */
  receivedId = "";
  /** The id that we give, in two pieces. */
  idStem = "";
  idEnd = "";
  /** The text from 0 on (request line, Host) may go upstream as it is. */
  verbatim = true;
  /** The Host line, [from, to) of text; from -1 where there is none. */
  hostFrom = -1;
  hostTo = 0;

  /** Somebody may still change it though its exchange is over: the codec makes a new one. */
  abandoned = false;
  /** What routing said under a runtime; valid while the head is as the client sent it. */
  routedBy: Runtime | undefined = undefined;
  route: RouteResult | undefined = undefined;
  /** The request phases are done under `routedBy` and would change nothing more: their outcome is in this head. */
  settled = false;

  matchedPrefix: string | undefined = undefined;
  listenerPort = 0;
  /** Clusters that get a copy, in the order in which filters asked. */
  mirrors: string[] = [];
  /** Bytes that filters allow the body; -1: any number. */
  bodyLimit = -1;
  /** Nothing goes upstream before the body is whole. */
  waitsForBody = false;
  /** What filters noted for the access log. */
  noted: ResponseFlag = "-";
  /** Whether a filter looked at or changed the request id: the outcome then is of one exchange only. */
  idTouched = false;
}
