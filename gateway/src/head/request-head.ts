/**
 * A request head as exchanges, routes and filters see it. A codec fills it in (HTTP/1.1 from its parser, HTTP/2 from its
 * decoder) and it renders itself as HTTP/1.1; fields are looked for in its text only when somebody asks.
 *
 * One object per connection or stream is used again and again: nobody keeps it beyond the exchange.
 */
import type { ResponseFlag } from "@sallyport/model/fault";
import type { RequestView } from "@sallyport/policies/filter";
import type { RouteInput } from "../router/contract.ts";
import { flatten } from "./flat-string.ts";
import { RequestFacts } from "./request-facts.ts";
import type { RequestIds } from "./request-id.ts";
import { asksForWebSocket, withoutKey } from "./websocket.ts";

/** A request head. The codec sets what RequestFacts has; filters change it through RequestView. */
export class RequestHead extends RequestFacts implements RequestView, RouteInput {
  #path = "";
  #authority = "";
  #pathBefore = "";
  #authorityBefore = "";
  #moved = false;
  #tookTrailers = false;
  #idLine = "";
  #idPlace: "made" | "field" | "none" = "made";
  #rendered = "";
  #fieldLines = "";
  /** It is used for a second time, and not only joined from parts any more. */
  #flat = false;
  #query = -2;

  get path(): string {
    return this.#path;
  }

  set path(path: string) {
    this.#touch();
    this.#path = path;
  }

  get authority(): string {
    return this.#authority;
  }

  set authority(authority: string) {
    this.#touch();
    this.#authority = authority;
  }

  /** `OPTIONS *` is about the host as a whole, so it goes where its root goes. */
  get routePath(): string {
    // CONNECT has no path
    if (this.#path === "*" || this.#path === "") return "/";
    const query = this.#queryAt();
    return query < 0 ? this.#path : this.#path.slice(0, query);
  }

  get routeQuery(): string {
    const query = this.#queryAt();
    return query < 0 ? "" : this.#path.slice(query + 1);
  }

  /** Of this exchange: the client's where it is trusted, else ours. */
  get requestId(): string {
    return this.receivedId === "" ? this.idStem + this.idEnd : this.receivedId;
  }

  /** Sets what the codec found out last; the head is as the client sent it again. */
  settle(path: string, authority: string): void {
    this.#path = path;
    this.#authority = authority;
    this.#moved = false;
    this.#query = -2;
    this.#rendered = "";
    this.#fieldLines = "";
    this.edited = false;
    this.isTranslatedGrpc = false;
    this.routedBy = undefined;
    this.route = undefined;
    this.settled = false;
    this.#clearNotes();
  }

  /** Gives the exchange that begins its id. */
  identify(ids: RequestIds): void {
    if (this.receivedId === "") this.#idLine = ids.nextLine();
    this.idStem = ids.stem;
    this.idEnd = ids.end;
  }

  /** Undoes what filters did, so that they can run again on the same head. */
  override resetEdits(): void {
    super.resetEdits();
    if (this.#moved) {
      this.#path = this.#pathBefore;
      this.#authority = this.#authorityBefore;
      this.#moved = false;
      this.#query = -2;
    }
    if (this.isTranslatedGrpc) {
      this.isGrpc = this.isTranslatedGrpc = false;
      this.takesTrailers = this.#tookTrailers;
    }
    this.#rendered = "";
    this.#fieldLines = "";
    this.settled = false;
    this.#clearNotes();
  }

  /** Host is read, as the authority; it is changed by that alone. */
  override header(name: string): string | undefined {
    if (name.length === 4 && name.toLowerCase() === "host") return this.#authority;
    if (name.length === 12 && name.toLowerCase() === "x-request-id") return this.#readId();
    return super.header(name);
  }

  override setHeader(name: string, value: string): void {
    if (name.length === 12) this.#moveId(name, "drop");
    super.setHeader(name, value);
  }

  override addHeader(name: string, value: string): void {
    if (name.length === 12) this.#moveId(name, "keep");
    super.addHeader(name, value);
  }

  override removeHeader(name: string): void {
    if (name.length === 12) this.#moveId(name, "drop");
    super.removeHeader(name);
  }

  mirrorTo(cluster: string): void {
    this.mirrors.push(cluster);
  }

  limitBody(maxBytes: number, mode: "streamed" | "whole"): void {
    if (this.bodyLimit < 0 || maxBytes < this.bodyLimit) this.bodyLimit = maxBytes;
    if (mode === "whole") this.waitsForBody = true;
  }

  setFlag(flag: ResponseFlag): void {
    this.noted = flag;
  }

  beGrpc(): void {
    if (this.isGrpc) return;
    this.beginEdit();
    this.#tookTrailers = this.takesTrailers;
    this.takesTrailers = this.isGrpc = this.isTranslatedGrpc = true;
  }

  /** Whether any edit since the codec made it has to be undone before filters may run again. */
  get touched(): boolean {
    if (this.edited || this.#moved || this.mirrors.length > 0 || this.bodyLimit >= 0) return true;
    return this.noted !== "-" || this.#idPlace === "none";
  }

  /** As an HTTP/1.1 head, empty line included. */
  toHttp1(): string {
    if (this.#rendered === "") {
      this.#rendered = this.#render();
      this.#flat = false;
    } else if (!this.#flat) {
      this.#flat = true;
      flatten(this.#rendered);
    }
    return this.#rendered + (this.#idPlace === "made" && this.receivedId === "" ? this.#idLine : "\r\n");
  }

  /**
   * The field lines as HTTP/2 and later have them: without request line, Host, `addedId`, and what is of one HTTP/1.1 connection (RFC
   * 9113 section 8.2.2). Names are as they came: whoever writes them makes them lower case. The same text for the same head.
   */
  toFieldLines(): string {
    if (this.#fieldLines === "") this.#fieldLines = flatten(this.#renderFields());
    return this.#fieldLines;
  }

  /** The request id that goes out besides the field lines; "" where it is among them, or none is. */
  get addedId(): string {
    return this.#idPlace === "made" && this.receivedId === "" ? this.idStem + this.idEnd : "";
  }

  /** A copy for a mirror: as it would go upstream now, but it neither waits for 100 nor asks for an upgrade. */
  copy(): RequestHead {
    const head = new RequestHead();
    head.text = this.text;
    head.fieldsAt = this.fieldsAt;
    head.cuts = this.cuts;
    head.extra = this.extra;
    head.method = this.method;
    head.framing = this.framing;
    head.contentLength = this.contentLength;
    head.takesTrailers = this.takesTrailers;
    head.receivedId = this.receivedId;
    head.verbatim = this.verbatim;
    head.hostFrom = this.hostFrom;
    head.hostTo = this.hostTo;
    head.#path = this.#path;
    head.#authority = this.#authority;
    head.#moved = this.#moved;
    head.isGrpc = this.isGrpc;
    head.#idLine = this.#idLine;
    [head.idStem, head.idEnd] = [this.idStem, this.idEnd];
    head.#idPlace = this.#idPlace;
    return head;
  }

  /** A copy for a body that is here whole: it needs no 100, and its length is known (but for one with trailers, which go in chunks). */
  whole(length: number | undefined): RequestHead {
    const head = this.copy();
    if (length === undefined || this.framing !== "stream") return head;
    head.framing = "length";
    head.contentLength = length;
    head.cutField("trailer");
    head.extra += `content-length: ${length}\r\n`;
    return head;
  }

  protected override beginEdit(): void {
    super.beginEdit();
    this.#rendered = "";
    this.#fieldLines = "";
  }

  #render(): string {
    let head = this.verbatim && !this.#moved && this.method !== "CONNECT" ? this.keptFrom(0) : this.#renderMoved();
    head += this.extra;
    // a key of HTTP/2 is nobody's: a second one is made for HTTP/1.1
    if (this.version === "HTTP/2" && asksForWebSocket(this)) head = withoutKey(head);
    if (this.framing === "stream") head += "transfer-encoding: chunked\r\n";
    if (this.expectsContinue) head += "expect: 100-continue\r\n";
    if (this.upgrade !== "") head += `connection: upgrade\r\nupgrade: ${this.upgrade}\r\n`;
    // RFC 9110 section 10.1.4: TE is of one connection, and must be listed as such
    else if (this.takesTrailers) head += "connection: te\r\nte: trailers\r\n";
    return head;
  }

  #renderMoved(): string {
    // RFC 9112 section 3.2.3: authority-form
    const target = this.method === "CONNECT" ? this.#authority : this.#path;
    return `${this.method} ${target} HTTP/1.1\r\nhost: ${this.#authority}\r\n${this.#keptWithoutHost()}`;
  }

  #renderFields(): string {
    let lines = this.#keptWithoutHost() + this.extra;
    if (asksForWebSocket(this)) lines = withoutKey(lines);
    if (this.expectsContinue) lines += "expect: 100-continue\r\n";
    if (this.takesTrailers) lines += "te: trailers\r\n";
    return lines;
  }

  #keptWithoutHost(): string {
    if (this.hostFrom < 0) return this.keptFrom(this.fieldsAt);
    const { cuts } = this;
    this.cut(this.hostFrom, this.hostTo);
    const kept = this.keptFrom(this.fieldsAt);
    this.cuts = cuts;
    return kept;
  }

  #touch(): void {
    if (!this.#moved) {
      this.#pathBefore = this.#path;
      this.#authorityBefore = this.#authority;
      this.#moved = true;
    }
    this.#query = -2;
    this.#rendered = "";
    this.#fieldLines = "";
  }

  #clearNotes(): void {
    if (this.mirrors.length > 0) this.mirrors = [];
    this.noted = "-";
    this.bodyLimit = -1;
    this.waitsForBody = false;
    this.idTouched = false;
    this.#idPlace = "made";
  }

  #queryAt(): number {
    if (this.#query === -2) this.#query = this.#path.indexOf("?");
    return this.#query;
  }

  #readId(): string | undefined {
    if (this.#idPlace !== "made" || this.receivedId !== "") return super.header("x-request-id");
    this.idTouched = true;
    return this.requestId;
  }

  /** A filter takes the request id into its own hands: it becomes a field like any other, or none. */
  #moveId(name: string, old: "keep" | "drop"): void {
    if (this.#idPlace !== "made" || this.receivedId !== "" || name.toLowerCase() !== "x-request-id") return;
    this.beginEdit();
    this.#idPlace = old === "keep" ? "field" : "none";
    this.idTouched = true;
    if (old === "keep") this.extra += `x-request-id: ${this.requestId}\r\n`;
  }
}
