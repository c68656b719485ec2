// The echo server of the official suite in pods of other suites, and questions that it answers by who it is.
import { request, type IncomingHttpHeaders } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { fieldOf } from "./kube-client.ts";
import { ECHO_IMAGE } from "./testbed.ts";

/** Milliseconds in which what was configured must be served: seconds, and many more on a machine that does much else. */
const CONVERGENCE = 120_000;
/** Milliseconds between two questions. */
const ASK_EVERY = 50;

/** An answer of the gateway; `service` and `pod` are what the echo server says of itself. */
export interface Answer {
  readonly status: number;
  readonly httpVersion: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly service: string | undefined;
  readonly pod: string | undefined;
  /** As the backend saw it. */
  readonly method: string | undefined;
}

/** What to ask for. */
export interface Question {
  readonly path?: string;
  /** More fields of the request. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly host?: string;
  readonly method?: string;
}

/** Asks port 80 once, on a connection of its own. */
export function ask(address: string, { path = "/", host, method = "GET", fields = {} }: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = host === undefined ? fields : { ...fields, host };
    const sent = request(
      { host: address, port: 80, path, method, headers, agent: false, timeout: 10_000 },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (text: string) => (body += text));
        response.on("error", reject);
        response.on("end", () => {
          const { statusCode: status = 0, httpVersion, headers: received } = response;
          resolve({ status, httpVersion, headers: received, body, ...readEcho(body) });
        });
      },
    );
    sent.on("timeout", () => sent.destroy(new Error("no answer within 10 s")));
    sent.on("error", reject);
    sent.end();
  });
}

/** Asks until the answer is what `judge` demands (it throws where it is not): what was just written takes a moment. */
export async function askUntil(address: string, question: Question, judge: (answer: Answer) => void): Promise<Answer> {
  return untilJudged(async () => {
    const answer = await ask(address, question);
    judge(answer);
    return answer;
  });
}

/** Tries until it does not throw. */
export async function untilJudged<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + CONVERGENCE;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await sleep(ASK_EVERY);
  }
}

function readEcho(body: string): Pick<Answer, "service" | "pod" | "method"> {
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  try {
    const echo: unknown = JSON.parse(body);
    const [service, pod, method] = [fieldOf(echo, "service"), fieldOf(echo, "pod"), fieldOf(echo, "method")];
    return { service: text(service), pod: text(pod), method: text(method) };
  } catch {
    return { service: undefined, pod: undefined, method: undefined };
  }
}

/** What a pod of it is made of, for `template` of a Deployment; it listens on port 3000. */
export function echoPod(name: string): Readonly<Record<string, unknown>> {
  const fromMetadata = (field: string): unknown => ({ fieldRef: { fieldPath: `metadata.${field}` } });
  return {
    metadata: { labels: { app: name } },
    spec: {
      containers: [
        {
          name: "echo",
          image: `${ECHO_IMAGE}:v1.5.1`,
          env: [
            { name: "SERVICE_NAME", value: name },
            { name: "POD_NAME", valueFrom: fromMetadata("name") },
            { name: "NAMESPACE", valueFrom: fromMetadata("namespace") },
          ],
          // A second, the default, is little on a busy machine: a pod that is ready goes on being it.
          readinessProbe: { httpGet: { path: "/health", port: 3000 }, periodSeconds: 1, timeoutSeconds: 10 },
        },
      ],
      terminationGracePeriodSeconds: 1,
    },
  };
}
