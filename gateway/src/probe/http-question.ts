/** A check by a request: well is who answers with one of these statuses. */
import type { HealthProbe } from "@sallyport/model/traffic";
import type { RequestHead } from "../head/request-head.ts";
import type { ResponseHead } from "../head/response-head.ts";
import { toCheckHead } from "./check-head.ts";
import type { Question } from "./question.ts";

const NO_BODY = Buffer.alloc(0);

/** A request without a body. */
export class HttpQuestion implements Question {
  readonly head: RequestHead;
  readonly body = NO_BODY;
  readonly #statuses: Extract<HealthProbe, { kind: "http" }>["statuses"];

  constructor(probe: Extract<HealthProbe, { kind: "http" }>, host: string, scheme: "http" | "https") {
    this.#statuses = probe.statuses;
    this.head = toCheckHead({ method: probe.method, path: probe.path, host, scheme, fields: "" });
  }

  readHead({ status }: ResponseHead): string {
    const isExpected = this.#statuses.some(({ from, to }) => status >= from && status <= to);
    return isExpected ? "" : `answered ${status}`;
  }

  readEnd(): string {
    return "";
  }
}
