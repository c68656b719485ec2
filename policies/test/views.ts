/** Requests and responses as filters see them, in memory: the contract of filter.ts by the book, for tests. */
import type { ResponseFlag } from "@sallyport/model/fault";
import type {
  BodyClosing,
  Capabilities,
  ContentCoding,
  HeaderView,
  Replacement,
  RequestView,
  ResponseView,
} from "../src/filter.ts";
import type { CompiledPage } from "../src/page.ts";

/** Header fields in a list, joined and compared as the contract says. */
export class ListedHeaders implements HeaderView {
  fields: [name: string, value: string][];

  constructor(fields: Readonly<Record<string, string>> = {}) {
    this.fields = Object.entries(fields);
  }

  header(name: string): string | undefined {
    const values = this.fields.filter((field) => isSameName(field[0], name)).map((field) => field[1]);
    return values.length === 0 ? undefined : values.join(", ");
  }

  setHeader(name: string, value: string): void {
    this.removeHeader(name);
    this.fields.push([name, value]);
  }

  addHeader(name: string, value: string): void {
    const present = this.header(name);
    this.setHeader(name, present === undefined ? value : `${present},${value}`);
  }

  removeHeader(name: string): void {
    this.fields = this.fields.filter((field) => !isSameName(field[0], name));
  }
}

function isSameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** A request; what a test does not name has a plain default. */
export class TestRequest extends ListedHeaders implements RequestView {
  method = "GET";
  scheme: "http" | "https" = "http";
  authority = "example.com";
  path = "/";
  matchedPrefix: string | undefined;
  listenerPort = 80;
  clientAddress = "192.0.2.1";
  requestId = "id-1";
  limit: readonly [maxBytes: number, mode: "streamed" | "whole"] | undefined;
  readonly mirrors: string[] = [];
  flag: ResponseFlag = "-";
  isGrpc = false;
  isTranslatedGrpc = false;

  beGrpc(): void {
    this.isGrpc = this.isTranslatedGrpc = true;
  }

  mirrorTo(cluster: string): void {
    this.mirrors.push(cluster);
  }

  setFlag(flag: ResponseFlag): void {
    this.flag = flag;
  }

  limitBody(maxBytes: number, mode: "streamed" | "whole"): void {
    this.limit = [maxBytes, mode];
  }
}

/** A response. */
export class TestResponse extends ListedHeaders implements ResponseView {
  status = 200;
  reason = "OK";
  source: "upstream" | "local" = "upstream";
  bodyLength: number | undefined;
  closing: BodyClosing | undefined;
  replacement: Replacement | undefined;
  coding: ContentCoding | undefined;

  replace(answer: Replacement): void {
    this.replacement = answer;
    this.status = answer.status;
  }

  encodeBody(coding: ContentCoding): void {
    this.coding = coding;
  }

  closeBody(closing: BodyClosing): void {
    this.closing = closing;
  }
}

/** A request with these properties and headers. */
export function toRequest(
  properties: Partial<Omit<TestRequest, keyof ListedHeaders>>,
  headers: Readonly<Record<string, string>> = {},
): TestRequest {
  return Object.assign(new TestRequest(headers), properties);
}

/** Capabilities whose random numbers are these, over and over, and whose delays are noted and over at once. */
export class TestCapabilities implements Capabilities {
  readonly delays: number[] = [];
  readonly pages = new Map<string, CompiledPage>();
  readonly #draws: readonly number[];
  #next = 0;

  constructor(draws: readonly number[] = [0]) {
    this.#draws = draws;
  }

  random(): number {
    return this.#draws[this.#next++ % this.#draws.length] ?? 0;
  }

  delay(milliseconds: number): Promise<void> {
    this.delays.push(milliseconds);
    return Promise.resolve();
  }

  page(key: string): CompiledPage {
    const page = this.pages.get(key);
    if (page === undefined) throw new Error(`there is no page ${key}`);
    return page;
  }
}
