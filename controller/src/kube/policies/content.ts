/** `faultInjection`, `compression`, `responseOverride`, `requestBody`: what is done to requests and answers. */
import {
  decimal,
  duration,
  flag,
  headerName,
  integer,
  list,
  quantity,
  section,
  statuses,
  text,
  word,
} from "./field.ts";
import type { Field } from "./field.ts";

/** Failures on purpose. */
export function faultInjection(): Field {
  const percentage = (): Field =>
    decimal("Percent of requests that it happens to; 0.01 is one of ten thousand.", {
      minimum: 0,
      maximum: 100,
      default: 100,
    });
  return section(
    "Requests are delayed or fail on purpose, to see how their clients take it. Nothing of an aborted one reaches a backend.",
    {
      delay: section(
        "Requests wait.",
        {
          fixedDelay: duration("How long.", { minimum: "1ms", maximum: "1h" }),
          percentage: percentage(),
        },
        { required: ["fixedDelay"] },
      ),
      abort: section(
        "Requests are answered with a failure.",
        {
          httpStatus: integer("Status of the answer. Default: 503.", { minimum: 200, maximum: 599 }),
          grpcStatus: integer("Status that calls of gRPC are answered. Default: what httpStatus stands for.", {
            minimum: 0,
            maximum: 16,
          }),
          percentage: percentage(),
        },
        {
          rules: [
            {
              rule: "has(self.httpStatus) || has(self.grpcStatus)",
              message: "say what is answered: httpStatus, grpcStatus or both",
            },
          ],
        },
      ),
    },
    {
      rules: [{ rule: "has(self.delay) || has(self.abort)", message: "say what happens: delay, abort or both" }],
    },
  );
}

/** Not text/event-stream: such answers last, and each would hold the memory of its coder for as long. */
const COMPRESSIBLE = [
  "text/calendar",
  "text/css",
  "text/csv",
  "text/html",
  "text/javascript",
  "text/markdown",
  "text/plain",
  "text/vcard",
  "text/xml",
  "application/javascript",
  "application/json",
  "application/ld+json",
  "application/manifest+json",
  "application/problem+json",
  "application/rss+xml",
  "application/atom+xml",
  "application/wasm",
  "application/xhtml+xml",
  "application/xml",
  "font/otf",
  "font/ttf",
  "image/svg+xml",
];

/** Compression of answers. */
export function compression(): Field {
  return section(
    "Answers are compressed for clients that take it, unless the backend did so or forbids it (Cache-Control: no-transform).",
    {
      codings: list(
        "Codings that are offered. Where a client likes several equally, the first here is taken.",
        section(
          "One coding.",
          {
            type: word("Name of the coding.", ["Gzip", "Brotli", "Zstd"]),
            level: integer(
              "How hard it tries: 1 to 9 for Gzip, 0 to 6 for Brotli, 1 to 6 for Zstd: more is meant for files that are compressed once. Default: one that is cheap enough to do for each answer.",
              { minimum: 0, maximum: 9 },
            ),
          },
          {
            required: ["type"],
            rules: [
              {
                rule: "self.type != 'Gzip' || !has(self.level) || (self.level >= 1 && self.level <= 9)",
                message: "levels of Gzip are 1 to 9",
              },
              {
                rule: "self.type != 'Brotli' || !has(self.level) || self.level <= 6",
                message: "levels of Brotli are 0 to 6",
              },
              {
                rule: "self.type != 'Zstd' || !has(self.level) || (self.level >= 1 && self.level <= 6)",
                message: "levels of Zstd are 1 to 6",
              },
            ],
          },
        ),
        { minItems: 1, maxItems: 3, keys: ["type"] },
      ),
      minimumLength: quantity("Answers that are known to be shorter stay as they are.", "1Ki"),
      contentTypes: list(
        "Media types that are compressed.",
        text("A media type without parameters, or all of one kind: text/*.", {
          maxLength: 128,
          pattern: "^[a-z0-9!#$&^_.+-]+/([a-z0-9!#$&^_.+-]+|\\*)$",
        }),
        { minItems: 1, maxItems: 64, default: COMPRESSIBLE },
      ),
    },
    { required: ["codings"] },
  );
}

/** Answers of certain statuses are replaced. */
export function responseOverride(): Field {
  return list(
    "Answers of certain statuses are replaced: error pages. The first entry that fits counts.",
    section(
      "What is answered instead.",
      {
        statuses: statuses("Statuses of answers that are replaced.", { minItems: 1, maxItems: 32 }),
        source: word(
          "Whose answers: those of backends (Upstream), those the gateway makes itself (Local), or both.",
          ["Any", "Upstream", "Local"],
          "Any",
        ),
        response: overrideResponse(),
      },
      { required: ["statuses", "response"] },
    ),
    { minItems: 1, maxItems: 16 },
  );
}

function overrideResponse(): Field {
  return section(
    "The answer.",
    {
      status: integer("Its status. Default: the one it had.", { minimum: 200, maximum: 599 }),
      headers: list(
        "Header fields that are set.",
        section(
          "One field.",
          {
            name: headerName("Name of the field."),
            value: text("Value of the field.", { maxLength: 4096, pattern: "^[!-~]([ -~]*[!-~])?$" }),
          },
          { required: ["name", "value"] },
        ),
        { maxItems: 16 },
      ),
      contentType: text("Media type of the body. Default: text/plain; charset=utf-8.", {
        maxLength: 256,
        pattern: "^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+([ ]*;[ -~]*)?$",
      }),
      body: text(
        "Its body. Default: the one it had. %STATUS%, %REASON% and %REQUEST_ID% stand for those of the answer, escaped where the media type is text/html.",
        { minLength: 0, maxLength: 32_768 },
      ),
    },
    {
      rules: [
        {
          rule: "has(self.status) || has(self.headers) || has(self.body)",
          message: "say what is replaced: status, headers or body",
        },
        {
          rule: "!has(self.contentType) || has(self.body)",
          message: "contentType is that of body: give a body, or leave contentType out",
        },
      ],
    },
  );
}

/** Bodies of requests. */
export function requestBody(): Field {
  return section(
    "Limits of what clients send.",
    {
      maxBytes: quantity("Requests with a longer body are answered 413."),
      buffer: flag(
        "Whether a request is kept until all of it is here, so that backends are not held up by slow clients. It costs maxBytes of memory for each request at most; a body beyond 10.6Mi has no room and is answered 503.",
        false,
      ),
    },
    { required: ["maxBytes"] },
  );
}
